"""Checking the way of an object from outside: each hop by the key of its hub, and as following on the one before.

The last hop is of the hub that was asked, to the one who asked; only that hub's key has to be known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.domain.canonical import Json
from hub.domain.hop import Hop, check_signed, digest, read_hop
from hub.domain.introduction import Introduction, check_signed_by, read_introduction
from hub.domain.keys import KeyRing
from hub.domain.membership import PeerKind
from hub.errors import CybexError


@dataclass(frozen=True, slots=True)
class Known:
    """The hubs and authors that introductions name, by STIX identity, as far as these hold.

    :param problems: what does not hold, in words.
    """

    names: dict[str, str] = field(default_factory=dict)
    rings: dict[str, KeyRing] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """One hop as it was checked. :param hop: None where it cannot be read. :param problem: None when it holds."""

    hop: Hop | None
    problem: str | None


def known(documents: Sequence[Json], *, hub: str, ring: KeyRing) -> Known:
    """Return whom these introductions make known.

    1. The hub that was asked is known by its key beforehand, and may introduce hubs that it is connected to.
    2. A hub that introduces itself is known by the keys it names: that is what the hub that was asked goes by.
    3. An author is introduced by his home hub, which must be known.

    :param hub: STIX identity of the hub that was asked. :param ring: its keys.
    """
    found = Known(rings={hub: ring})
    read: list[tuple[Introduction, Mapping[str, Json]]] = []
    for document in documents:
        try:
            read.append((read_introduction(document), document if isinstance(document, dict) else {}))
        except CybexError as error:
            found.problems.append(f"an introduction cannot be read: {error.detail or error.title}")
    for introduction, said in sorted(read, key=lambda one: (one[0].hub != hub, not one[0].of_the_hub)):
        try:
            signer = found.rings.get(introduction.hub)
            if introduction.of_the_hub and introduction.hub != hub:
                signer = introduction.ring()  # 2
            check_signed_by(said, signer or KeyRing([]))  # 1, 3
        except CybexError as error:
            found.problems.append(f"the introduction of {introduction.identity} does not hold: {error.detail}")
            continue
        found.names[introduction.identity] = introduction.name
        if introduction.identity != hub and (introduction.hub != hub or introduction.kind != PeerKind.HUB.value):
            found.rings[introduction.identity] = introduction.ring()
        elif introduction.identity != hub:
            found.rings.setdefault(introduction.identity, introduction.ring())
    return found


def check_way(
    documents: Sequence[Json], rings: Mapping[str, KeyRing], *, stix_id: str, sha256: bytes, hub: str, asker: str
) -> list[Step]:
    """Return each hop of a way with what is wrong with it.

    1. It is about these bytes of this object, and signed by its hub.
    2. It was handed to the hub of the next; the last, of the hub that was asked, to the one who asked.
    3. Each but the first got it from the hub before, and names that hop by its digest. No hub comes twice.
    """
    steps: list[Step] = []
    seen: set[str] = set()
    for number, document in enumerate(documents):
        try:
            hop = read_hop(document)
        except CybexError as error:
            steps.append(Step(None, error.detail or error.title))
            continue
        before = steps[-1].hop if steps else None
        last = number + 1 == len(documents)
        problem = _problem(hop, document if isinstance(document, dict) else {}, rings, stix_id, sha256)  # 1
        if last:
            expected: str | None = asker
            problem = problem or (None if hop.hub == hub else "it is not of the hub that was asked")
        else:
            expected = _hub_of(documents[number + 1])
        if hop.to != expected:  # 2
            problem = problem or "it was handed to another hub than the next one"
        if number == 0 and hop.previous is not None:  # 3
            problem = problem or "it is not the first: what was before it is missing"
        if number and (before is None or hop.giver != before.hub or hop.previous != _digest(documents[number - 1])):
            problem = problem or "it does not follow on the one before it"
        if hop.hub in seen:
            problem = problem or "its hub comes twice"
        seen.add(hop.hub)
        steps.append(Step(hop, problem))
    return steps


def _problem(
    hop: Hop, document: Mapping[str, Any], rings: Mapping[str, KeyRing], stix_id: str, sha256: bytes
) -> str | None:
    if (hop.stix_id, hop.sha256) != (stix_id, sha256):
        return "it is about other bytes than are stored"
    try:
        check_signed(document, rings.get(hop.hub) or KeyRing([]))
    except CybexError as error:
        return error.detail or error.title
    return None


def _hub_of(document: Json) -> str | None:
    named = document.get("hub") if isinstance(document, dict) else None
    return named if isinstance(named, str) else None


def _digest(document: Json) -> bytes:
    return digest(document) if isinstance(document, dict) else b""
