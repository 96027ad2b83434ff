"""The key directory as JSON: which keys a hub vouches for, so that others can verify without asking it again.

It is signed by the hub, says what was stated of each key, and has a serial that only grows, so that a reader who keeps
what he has seen finds out when he is told something else. Older hubs send the list of keys alone; that is read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import jss
from hub.domain.canonical import Json
from hub.domain.key_material import ALGORITHMS, PrivateKey, PublicKey, public_key
from hub.domain.keys import SigningKey
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import InvalidRequest, SignatureError

_IDENTITY: Final = re.compile(r"identity--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KID: Final = re.compile(r"[0-9a-f]{64}")


DIRECTORY_TYPE: Final = "x-cybex-key-directory"
FORMAT: Final = "1"
"""Of the directory's form; ``schemas/hub/key-directory.schema.json`` describes it."""


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A signing key with the handle of the peer it belongs to; empty where the reader is not told."""

    handle: str
    key: SigningKey


@dataclass(frozen=True, slots=True)
class Directory:
    """A key directory as a reader has it. ``issued_at`` is in microseconds since the epoch.

    :param serial: the size of the hub's transparency log when this was issued.
    :param signer: whose signature over all of it holds; None for a hub that signs none, which then says nothing else.
    :param statements: about the keys, as they were signed; nothing about them is verified.
    """

    listed: tuple[ListedKey, ...]
    signer: PublicKey | None = None
    hub: str = ""
    group: str = ""
    serial: int = 0
    issued_at: int = 0
    statements: tuple[Mapping[str, Any], ...] = ()


def directory_content(
    hub: str, group: str, listed: Iterable[ListedKey], statements: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what a directory says, without when it was issued: equal for as long as nothing has changed.

    :param hub: STIX identity. :param group: slug.
    """
    return {
        "type": DIRECTORY_TYPE,
        "format": FORMAT,
        "hub": hub,
        "group": group,
        **write_directory(listed),
        "statements": [dict(one) for one in statements],
    }


def sign_directory(
    content: Mapping[str, Any], key: PrivateKey, *, serial: int, issued_at: int, uuid: str
) -> dict[str, Any]:
    """Return a directory signed by its hub (X.590 7.1). :param uuid: of the signature, version 4."""
    stamp = format_timestamp(issued_at)[:23] + "Z"
    metadata = {"type": "jss", "id": uuid, "created": stamp, "modified": stamp, "signee": content["hub"]}
    whole = {**content, "serial": serial, "issued_at": format_timestamp(issued_at)}
    return jss.sign(whole, key, metadata=metadata)


def read_signed(document: Json) -> Directory:
    """Return a directory of a hub after its signature, if it has one; whose key that is, the reader has to know.

    Raises:
        InvalidRequest: it is not a key directory. SignatureError: it is signed, and the signature does not hold.
    """
    listed = read_directory(document)
    if not isinstance(document, dict) or document.get("type") != DIRECTORY_TYPE:
        return Directory(listed)
    signatures, statements, serial = document.get("signatures"), document.get("statements"), document.get("serial")
    if not isinstance(statements, list) or not all(isinstance(one, dict) for one in statements):
        raise InvalidRequest("it must be a list of objects", field="statements")
    if not isinstance(serial, int) or isinstance(serial, bool) or serial < 0:
        raise InvalidRequest("it must be a whole number", field="serial")
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise SignatureError("the key directory must carry one signature, of its hub", field="signatures")
    hub = _matching(document, "hub", _IDENTITY, "directory")
    if signatures[0].get("signee") != hub:
        raise SignatureError("the key directory is signed in another name than its hub's", field="signatures")
    signer = public_key(_text(signatures[0], "public_key", "signatures[0]"))
    if jss.verify(document, signatures[0], signer) is None:
        raise SignatureError("the signature of the key directory does not match what it is over", field="signatures")
    group, issued_at = _text(document, "group", "directory"), _time(document, "issued_at", "directory")
    said = tuple(one for one in statements if isinstance(one, dict))
    return Directory(listed, signer, hub, group, serial, issued_at, said)


def write_directory(listed: Iterable[ListedKey]) -> dict[str, Any]:
    """Return the JSON form of a key directory; times are RFC 3339 with six digits of a second, absent ones null."""
    return {"keys": [_entry(item) for item in listed]}


def read_directory(document: Json) -> tuple[ListedKey, ...]:
    """Return the keys of a directory; ids and peer ids are numbers of this reading, the same identity gets the same.

    Members that are not known are passed over, so that an older reader takes a newer directory.

    Raises:
        InvalidRequest: it is not a key directory; the detail names the entry, counted from 0, and the member.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InvalidRequest('a key directory is an object with a list "keys"', field="keys")
    peers: dict[str, int] = {}
    listed = []
    for number, entry in enumerate(entries):
        place = f"keys[{number}]"
        if not isinstance(entry, dict):
            raise InvalidRequest("every entry must be an object", field=place)
        identity = _matching(entry, "identity", _IDENTITY, place)
        reason = entry.get("revocation_reason")
        key = SigningKey(
            id=number + 1,
            peer_id=peers.setdefault(identity, len(peers) + 1),
            identity=identity,
            kid=_matching(entry, "kid", _KID, place),
            algorithm=_algorithm(entry, place),
            public_key=_text(entry, "public_key", place),
            valid_from=_time(entry, "valid_from", place),
            valid_until=_optional_time(entry, "valid_until", place),
            revoked_at=_optional_time(entry, "revoked_at", place),
            revocation_reason=None if reason is None else _text(entry, "revocation_reason", place),
            reported_at=_optional_time(entry, "reported_at", place),
        )
        handle = entry.get("handle")
        listed.append(ListedKey(handle if isinstance(handle, str) else "", key))
    return tuple(listed)


def _entry(item: ListedKey) -> dict[str, Any]:
    key = item.key
    return {
        "identity": key.identity,
        "handle": item.handle or None,
        "kid": key.kid,
        "algorithm": key.algorithm,
        "public_key": key.public_key,
        "valid_from": format_timestamp(key.valid_from),
        "valid_until": None if key.valid_until is None else format_timestamp(key.valid_until),
        "revoked_at": None if key.revoked_at is None else format_timestamp(key.revoked_at),
        "revocation_reason": key.revocation_reason,
        "reported_at": None if key.reported_at is None else format_timestamp(key.reported_at),
    }


def _text(entry: Mapping[str, Json], name: str, place: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str):
        raise InvalidRequest("it must be a string", field=f"{place}.{name}")
    return value


def _matching(entry: Mapping[str, Json], name: str, form: re.Pattern[str], place: str) -> str:
    value = _text(entry, name, place)
    if not form.fullmatch(value):
        raise InvalidRequest(f"it does not have the form of a {name}", field=f"{place}.{name}")
    return value


def _algorithm(entry: Mapping[str, Json], place: str) -> str:
    value = _text(entry, "algorithm", place)
    if value not in ALGORITHMS:
        raise InvalidRequest(f"it must be one of {', '.join(ALGORITHMS)}", field=f"{place}.algorithm")
    return value


def _time(entry: Mapping[str, Json], name: str, place: str) -> int:
    try:
        return parse_timestamp(_text(entry, name, place))
    except ValueError:
        raise InvalidRequest("it must be an RFC 3339 timestamp", field=f"{place}.{name}") from None


def _optional_time(entry: Mapping[str, Json], name: str, place: str) -> int | None:
    return None if entry.get(name) is None else _time(entry, name, place)
