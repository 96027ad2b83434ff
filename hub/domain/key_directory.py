"""The key directory as JSON: which keys a hub vouches for, so that others can verify without asking it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.domain.canonical import Json
from hub.domain.key_material import ALGORITHMS
from hub.domain.keys import SigningKey
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import InvalidRequest

_IDENTITY: Final = re.compile(r"identity--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KID: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A signing key with the handle of the peer it belongs to."""

    handle: str
    key: SigningKey


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
        )
        handle = entry.get("handle")
        listed.append(ListedKey(handle if isinstance(handle, str) else "", key))
    return tuple(listed)


def _entry(item: ListedKey) -> dict[str, Any]:
    key = item.key
    return {
        "identity": key.identity,
        "handle": item.handle,
        "kid": key.kid,
        "algorithm": key.algorithm,
        "public_key": key.public_key,
        "valid_from": format_timestamp(key.valid_from),
        "valid_until": None if key.valid_until is None else format_timestamp(key.valid_until),
        "revoked_at": None if key.revoked_at is None else format_timestamp(key.revoked_at),
        "revocation_reason": key.revocation_reason,
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
