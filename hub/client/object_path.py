"""The way of an object over hubs as a hub tells it, checked here: hops, bytes, author's signature, receipts.

Only the key of the hub that is asked has to be known; it is remembered beside one's own key, as for receipts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from hub.client.hub_pin import HubKeys
from hub.client.pseudonym import place_of
from hub.client.receipts import whoami
from hub.client.remote import RemoteError
from hub.client.transport import TAXII, Transport
from hub.domain.bundle_verification import Status, verify_objects
from hub.domain.canonical import Json, jcs
from hub.domain.hop import Hop
from hub.domain.keys import KeyRing
from hub.domain.path_check import Known, Step, check_way, known
from hub.domain.receipt_check import check_signature
from hub.errors import CybexError

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Receipted:
    """A hub on the way on, or the receipt for how it came here. :param problem: None when nothing speaks against it."""

    hub: str
    name: str
    outcome: str
    log_index: int | None
    checked: bool
    problem: str | None


@dataclass(frozen=True, slots=True)
class Trail:
    """One version with every way that leads to it, as checked.

    :param signature: what the author's signature proves, in words. :param problems: what of the version itself does not
        hold. :param onward: None where the asker may not know.
    """

    place: str
    version: str
    sha256: str
    signature: str
    ways: tuple[tuple[Step, ...], ...]
    receipts: tuple[Receipted, ...]
    onward: tuple[Receipted, ...] | None
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Say whether nothing of it is in doubt."""
        steps = all(step.problem is None for way in self.ways for step in way)
        return (
            steps and not self.problems and all(one.problem is None for one in (*self.receipts, *(self.onward or ())))
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """The way of an object, checked. :param names: of hubs and authors. :param problems: of the introductions."""

    names: Mapping[str, str]
    trails: tuple[Trail, ...]
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Say whether everything that was shown is proved."""
        return not self.problems and all(one.holds for one in self.trails)


def ask(
    transport: Transport, api_root: str, stix_id: str, keys: HubKeys, *, now: int
) -> tuple[dict[str, Any], Checked]:
    """Return the answer of a hub, and what it proves to whoever knows this hub's key.

    Raises RemoteError: no such object, or no answer. ReceiptError: the hub signs with another key than before.
    """
    api, _ = place_of(api_root)
    body = transport.get(f"{api}/objects/{quote(stix_id, safe='')}/path", accept=JSON).body
    answer: dict[str, Any] = body if isinstance(body, dict) else {}
    try:
        own = answer["versions"][0]["here"][0]
        ring, hub = keys.ring(own)
        asker = whoami(transport, api_root)
        bodies = {one["sha256"]: _stored(transport, api_root, one, stix_id) for one in answer["versions"]}
        checked = check(answer, bodies, hub=hub, ring=ring, asker=asker, now=now)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError):
        raise RemoteError("the answer is not what /api/v1 documents: is the hub of an older version?") from None
    signer = next(iter(ring.matching(own["signatures"][0])), None)
    if checked.holds and signer is not None:
        keys.remember(hub, signer)
    return answer, checked


def check(
    answer: Mapping[str, Any],
    bodies: Mapping[str, Mapping[str, Any] | None],
    *,
    hub: str,
    ring: KeyRing,
    asker: str,
    now: int,
) -> Checked:
    """Return what an answer proves.

    :param bodies: the object, by the SHA-256 in hex that the answer names. :param ring: the keys of the hub that was
        asked. :param asker: STIX identity of who asked.
    """
    introduced = known(answer["introductions"], hub=hub, ring=ring)
    trails = tuple(
        _trail(answer["object"], one, bodies.get(one["sha256"]), introduced, hub, asker, now)
        for one in answer["versions"]
    )
    return Checked(introduced.names, trails, tuple(introduced.problems))


def _trail(
    stix_id: str,
    version: Mapping[str, Any],
    body: Mapping[str, Any] | None,
    introduced: Known,
    hub: str,
    asker: str,
    now: int,
) -> Trail:
    sha256 = bytes.fromhex(version["sha256"])
    listed = [*(way["hops"] for way in version["ways"]), []]
    ways = tuple(
        tuple(_same_version(check_way([*hops, here], introduced.rings, stix_id=stix_id, sha256=sha256, hub=hub,
                                      asker=asker), version))
        for hops, here in zip(listed, version["here"], strict=False)
    )  # fmt: skip
    problems = []
    if len(version["here"]) < max(len(version["ways"]), 1):
        problems.append("this hub has signed no hop for one of the ways")
    if body is None:
        problems.append("the hub does not give the object itself, whose bytes are signed for")
    elif hashlib.sha256(jcs(dict(body))).digest() != sha256:
        problems.append("the object has other bytes than those that were signed for")
    signature, problem = _signature(version, body, introduced, now)
    problems += [] if problem is None else [problem]
    receipts = tuple(
        _receipted(way["receipt"], introduced, stix_id, sha256, by=hub, to=_last(way["hops"]), outcome="", now=now)
        for way in version["ways"]
        if way["receipt"] is not None
    )
    onward = None
    if version["onward"] is not None:
        onward = tuple(
            _receipted(
                one["receipt"], introduced, stix_id, sha256, by=one["hub"], to=hub, outcome=one["outcome"], now=now
            )
            for one in version["onward"]
        )
    place = f"{version['group']}/{version['alias'] or version['collection']}"
    return Trail(place, version["version"], version["sha256"], signature, ways, receipts, onward, tuple(problems))


def _same_version(steps: Sequence[Step], version: Mapping[str, Any]) -> list[Step]:
    """Return the steps, the last of which must be about the place in the log that the answer names."""
    *others, last = steps
    hop: Hop | None = last.hop
    if last.problem is None and hop is not None and hop.log_index != version["log_index"]:
        last = replace(last, problem="it names another place in the log")
    return [*others, last]


def _signature(
    version: Mapping[str, Any], body: Mapping[str, Any] | None, introduced: Known, now: int
) -> tuple[str, str | None]:
    said, author = version["signature"], version["author"]
    if said is None:
        return "not signed by its author", None
    if said["carrier"] != "inline" or body is None:
        return f"signed beside it, as the hub says: key {str(said['kid'])[:16]}…", None
    ring = introduced.rings.get(str(author))
    if ring is None:
        return "signed", "its author is not introduced: the signature cannot be checked"
    (outcome,) = verify_objects([body], ring, now=now)
    if outcome.status is not Status.VERIFIED:
        return "signed", f"the author's signature does not hold: {outcome.reason}"
    return f"signed by its author, {introduced.names.get(str(author), author)}: verified", None


def _receipted(
    proof: Mapping[str, Any] | None,
    introduced: Known,
    stix_id: str,
    sha256: bytes,
    *,
    by: str,
    to: str,
    outcome: str,
    now: int,
) -> Receipted:
    name = introduced.names.get(by, by)
    if proof is None:
        return Receipted(by, name, outcome, None, False, None)
    document: Json = proof["document"]
    outcome = outcome or str(proof["decision"])
    if document is None:
        return Receipted(by, name, outcome, proof["log_index"], False, proof["problem"])
    try:
        receipt = check_signature(document, introduced.rings.get(by) or KeyRing([]), hub=by, now=now).receipt
    except CybexError as error:
        return Receipted(by, name, outcome, None, True, f"its receipt does not hold: {error.detail or error.title}")
    line = next((one for one in receipt.lines if (one.stix_id, one.sha256) == (stix_id, sha256)), None)
    problem = None if receipt.submitter == to else "its receipt is for another hub"
    if line is None:
        problem = problem or "its receipt says nothing of these bytes"
    return Receipted(by, name, outcome, None if line is None else line.log_index, True, problem)


def _last(hops: Sequence[Mapping[str, Any]]) -> str:
    return str(hops[-1]["hub"]) if hops else ""


def _stored(transport: Transport, api_root: str, version: Mapping[str, Any], stix_id: str) -> dict[str, Any] | None:
    """Return this version of the object as the hub serves it, None when it does not."""
    place = f"{api_root.rstrip('/')}/collections/{quote(str(version['collection']), safe='')}/objects/{quote(stix_id)}/"
    body = transport.get(place, params={"match[version]": str(version["version"])}, accept=TAXII).body
    objects = body.get("objects") if isinstance(body, dict) else None
    for one in objects if isinstance(objects, list) else ():
        if isinstance(one, dict) and hashlib.sha256(jcs(one)).hexdigest() == version["sha256"]:
            return one
    return None
