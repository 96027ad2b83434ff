"""Hops: each hub's signed word that it had an object, from whom, and to which hub it handed it; a list is a path.

A hop names its predecessor by digest, so that nothing can be cut out of the middle of a path, and the object by the
SHA-256 of its bytes, so that a path belongs to one version and no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import jss, limits
from hub.domain.canonical import Json, jcs
from hub.domain.fields import IDENTITY, SHA256, STIX_ID, Fields
from hub.domain.key_material import PrivateKey
from hub.domain.keys import KeyRing
from hub.domain.statement import sign_statement
from hub.domain.taxii_time import format_timestamp
from hub.errors import InvalidRequest, SignatureError

HOP_TYPE: Final = "x-cybex-hop"
FORMAT: Final = "1"
"""Of the hop's form; ``schemas/hub/hop.schema.json`` describes it."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One hub on the way. ``accepted_at`` is in microseconds since the epoch.

    :param giver: STIX identity of who gave it to this hub: its author or submitter, then the hub before.
    :param to: STIX identity of the hub it was handed to.
    :param log_index: of the leaf in this hub's log that says when it was accepted.
    :param previous: SHA-256 of the hop before, JCS bytes with its signature; None for the first.
    """

    hub: str
    giver: str
    to: str
    stix_id: str
    version: str
    sha256: bytes
    accepted_at: int
    log_index: int | None = None
    previous: bytes | None = None


def signed(hop: Hop, key: PrivateKey, *, uuid: str, at: int) -> dict[str, Any]:
    """Return the hop as JSON with its hub's signature. :param at: signing time, microseconds. :param uuid: of it."""
    document: dict[str, Any] = {
        "type": HOP_TYPE,
        "format": FORMAT,
        "hub": hop.hub,
        "from": hop.giver,
        "to": hop.to,
        "object": hop.stix_id,
        "version": hop.version,
        "sha256": hop.sha256.hex(),
        "accepted_at": format_timestamp(hop.accepted_at),
    }
    if hop.log_index is not None:
        document["log_index"] = hop.log_index
    if hop.previous is not None:
        document["previous"] = hop.previous.hex()
    return sign_statement(document, key, signee=hop.hub, created=at, uuid=uuid, plain=True)


def digest(document: Mapping[str, Any]) -> bytes:
    """Return what the next hop calls this one."""
    return hashlib.sha256(jcs(dict(document), plain=True)).digest()


def read_hop(document: Json) -> Hop:
    """Return what a hop says; its signature is not checked here. Raises InvalidRequest, naming the member."""
    fields = Fields.of(document, "hop")
    fields.constant("type", HOP_TYPE)
    fields.constant("format", FORMAT)
    previous = fields.optional_matching("previous", SHA256)
    return Hop(
        hub=fields.matching("hub", IDENTITY),
        giver=fields.matching("from", IDENTITY),
        to=fields.matching("to", IDENTITY),
        stix_id=fields.matching("object", STIX_ID),
        version=fields.text("version", longest=64),
        sha256=bytes.fromhex(fields.matching("sha256", SHA256)),
        accepted_at=fields.time("accepted_at"),
        log_index=fields.optional_number("log_index", least=0, most=2**53 - 1),
        previous=None if previous is None else bytes.fromhex(previous),
    )


def read_path(documents: Sequence[Json], *, sha256: bytes, giver: str, here: str) -> tuple[Hop, ...]:
    """Return the hops of one object in their order.

    1. There are 1 to `limits.RELAY_HOPS`, and each is about these bytes.
    2. Each was handed to the hub of the next, and the last to this one; each next got it from the hub before.
    3. Each but the first names the one before by its digest.
    4. The last is of the hub that hands it over now. No hub comes twice, and this one not at all.

    Raises:
        InvalidRequest: one of these is not so. A path through this hub is a loop: see `is_loop`.
    """
    if not 1 <= len(documents) <= limits.RELAY_HOPS:  # 1
        raise InvalidRequest(f"a path has 1 to {limits.RELAY_HOPS} hops", field="items.hops")
    hops = tuple(read_hop(one) for one in documents)
    for number, hop in enumerate(hops):
        if hop.sha256 != sha256:
            raise InvalidRequest("a hop is about another object", field="items.hops.sha256")
        to = hops[number + 1].hub if number + 1 < len(hops) else here
        if hop.to != to:  # 2
            raise InvalidRequest("a hop was handed to another hub than the next one", field="items.hops.to")
        if number and (hop.giver != hops[number - 1].hub or hop.previous != _digest_of(documents[number - 1])):  # 3
            raise InvalidRequest("a hop does not follow on the one before it", field="items.hops.previous")
        if not number and hop.previous is not None:
            raise InvalidRequest("the first hop has none before it", field="items.hops.previous")
    if hops[-1].hub != giver:  # 4
        raise InvalidRequest("the last hop is of another hub than the one that sends", field="items.hops.hub")
    if len({hop.hub for hop in hops}) != len(hops):
        raise InvalidRequest("a hub comes twice in the path", field="items.hops.hub")
    return hops


def is_loop(hops: Sequence[Hop], here: str) -> bool:
    """Say whether an object has been at this hub before."""
    return any(hop.hub == here for hop in hops)


def check_signed(document: Mapping[str, Json], ring: KeyRing) -> None:
    """Check a hop's signature against the keys of its hub, whatever is revoked since for another reason than theft.

    Raises:
        SignatureError: it does not hold.
    """
    signatures = document.get("signatures")
    signature = signatures[0] if isinstance(signatures, list) and len(signatures) == 1 else None
    if not isinstance(signature, dict) or signature.get("signee") != document.get("hub"):
        raise SignatureError("a hop carries one signature, of its hub", field="items.hops.signatures")
    for key in ring.matching(signature)[:1]:
        if jss.verify(document, signature, ring.loaded(key), plain=True) == "hex":
            return
        raise SignatureError("it does not match: something was changed", field="items.hops.signatures")
    raise SignatureError("it is signed by no key of that hub known here", field="items.hops.signatures")


def _digest_of(document: Json) -> bytes:
    return digest(document) if isinstance(document, dict) else b""
