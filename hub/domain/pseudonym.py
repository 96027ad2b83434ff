"""Pseudonyms: names under which a member publishes in one group, and which only the hub can resolve.

The member asks with a statement that two keys sign: the one made for the pseudonym, and one of its own. The hub then
says by a key statement of its own that this key signs for the pseudonym; whose it is stands in nothing others see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import limits
from hub.domain.canonical import Json
from hub.domain.key_material import PrivateKey, PublicKey
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.statement import check_statement, sign_statement
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import InvalidRequest

REQUEST_TYPE: Final = "x-cybex-pseudonym-request"
FORMAT: Final = "1"
"""Of the request; ``schemas/hub/pseudonym-request.schema.json`` describes it."""

_DAY: Final = 24 * 3600 * 1_000_000
_MEMBERS: Final = frozenset({"type", "format", "id", "group", "by", "public_key", "created", "signatures"})


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """The identity under which one peer publishes in one group. ``created_at`` is never shown exactly."""

    id: int
    group_id: int
    peer_id: int
    identity: str
    name: str
    created_at: int


def name_of(identity: str, slug: str) -> str:
    """Return the name readers see: it follows from the identity and the group, and from nothing else."""
    return f"Member {identity.removeprefix('identity--')[:4]} of {slug}"


def day_of(us: int) -> int:
    """Return the first moment of the day (UTC): all that is told of when a pseudonym or its key came to be."""
    return us - us % _DAY


def identity_object(pseudonym: Pseudonym) -> dict[str, Any]:
    """Return the STIX identity that the hub serves: no country, no contact, and the day instead of the time."""
    stamp = format_timestamp(day_of(pseudonym.created_at))[:23] + "Z"
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": pseudonym.identity,
        "created": stamp,
        "modified": stamp,
        "name": pseudonym.name,
        "identity_class": "organization",
    }


def request(
    *, group: str, by: str, own: PrivateKey, key: PrivateKey, uuids: tuple[str, str, str], now: int
) -> dict[str, Any]:
    """Return the signed request of a peer for a pseudonym, or for one more key of the one it has.

    :param by: STIX identity of the peer. :param uuids: of it and its two signatures.
    """
    document = {
        "type": REQUEST_TYPE,
        "format": FORMAT,
        "id": uuids[0],
        "group": group,
        "by": by,
        "public_key": key.public.text,
        "created": format_timestamp(now),
    }
    first = sign_statement(document, key, signee=by, created=now, uuid=uuids[1])
    return sign_statement(first, own, signee=by, created=now, uuid=uuids[2])


def check_request(
    document: Mapping[str, Json],
    own: list[SigningKey],
    key: PublicKey,
    *,
    group: str,
    by: str,
    now: int,
    allow_test_key: bool,
) -> None:
    """Return if the request proves that this peer asks and holds the new key.

    1. It is for this group, by this peer, about this key, and was made just now.
    2. It is signed by a key of the peer's own name, and by the new key; every signature holds.

    Raises InvalidRequest or SignatureError.
    """
    if frozenset(document) != _MEMBERS:
        raise InvalidRequest("it has other members than a request for a pseudonym", field="request")
    expected = {
        "type": REQUEST_TYPE,
        "format": FORMAT,
        "group": group,
        "by": by,
        "public_key": key.text,
    }
    for name, value in expected.items():
        if document[name] != value:
            raise InvalidRequest("it is for another group, peer or key, or of another form", field=name)
    try:
        created = parse_timestamp(str(document["created"]))
    except ValueError:
        raise InvalidRequest("it must be an RFC 3339 timestamp", field="created") from None
    if abs(now - created) > limits.SIGNATURE_FUTURE_SECONDS * 1_000_000:
        raise InvalidRequest("it was not made just now: check the clock, and make a new one", field="created")
    asked = SigningKey(0, 0, by, key.kid, key.algorithm, key.text, valid_from=0)
    ring = KeyRing([*own, asked], allow_test_key=allow_test_key)
    check_statement(document, ring, signee=by, now=now)
    signatures: Any = document["signatures"]  # check_statement has seen that it is a list of objects
    signed_by = {each.kid for signature in signatures for each in ring.matching(signature)}
    if asked.kid not in signed_by or not signed_by & {each.kid for each in own}:
        raise InvalidRequest("it needs two signatures: by the new key, and by one of your own", field="signatures")
