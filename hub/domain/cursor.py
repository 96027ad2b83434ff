"""``next``: a stateless, authenticated token that says where a reader stands and what he asked for (TAXII 2.1 §3.5).

It is bound to endpoint, collection, object and peer, carries the filters so that a client may leave them out, lives as
long as the hub's cursor key, and may be replayed. It gives no right: rights are checked again on every page.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

from hub.domain import limits
from hub.domain.taxii import Query, VersionMatch
from hub.domain.taxii_query import Asked, Endpoint, Filters
from hub.errors import InvalidRequest

_MAC_BYTES: Final = 16
_CONTEXT: Final = b"cybex cursor 1"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a token is good: one endpoint of one collection, for one peer.

    :param object_id: the STIX id in the path; empty for the endpoints that have none.
    """

    endpoint: Endpoint
    collection: str
    peer_id: int
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """An opened token.

    :param filters: what the first request asked for; None when that was too long to carry.
    :param digest: SHA-256 of the filters in that case, else None.
    """

    position: int
    filters: Filters | None
    digest: str | None


def encode(position: int, filters: Filters, scope: Scope, key: bytes) -> str:
    """Return the token for the page that begins after ``position`` (microseconds, exclusive)."""
    carried: list[Any] = _pack(filters)
    if len(json.dumps(carried)) > limits.CURSOR_FILTER_BYTES:
        carried = [_digest(filters)]
    payload = json.dumps([position, carried], separators=(",", ":")).encode()
    return urlsafe_b64encode(_mac(payload, scope, key) + payload).rstrip(b"=").decode()


def decode(token: str, scope: Scope, key: bytes) -> Cursor:
    """Open a token in the scope of this request.

    Raises:
        InvalidRequest: with the same text whether it was altered, cut, made elsewhere or made for somebody else.
    """
    try:
        text = token.encode("ascii")
        raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        raise _refusal() from None
    # b64decode skips what is not base64 and ignores spare bits: only the one spelling that encode() gives is good
    if urlsafe_b64encode(raw).rstrip(b"=") != text:
        raise _refusal()
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(payload, scope, key)):
        raise _refusal()
    position, carried = json.loads(payload)
    if len(carried) == 1:
        return Cursor(position, None, carried[0])
    return Cursor(position, _unpack(carried), None)


def resolve(asked: Asked, scope: Scope, key: bytes) -> tuple[Query, Filters]:
    """Return the query of this request, and the filters that its own ``next`` has to carry.

    Parameters that are missing beside ``next`` come out of the token; ``limit`` may differ from page to page.

    Raises:
        InvalidRequest: on ``next``: the token is not good here, or a parameter contradicts it.
    """
    if asked.next is None:
        return _query(asked, asked.filters, None), asked.filters
    cursor = decode(asked.next, scope, key)
    filters = cursor.filters if cursor.filters is not None else asked.filters
    if cursor.digest is not None and not hmac.compare_digest(cursor.digest, _digest(asked.filters)):
        raise _refusal()
    for given, meant in zip(_parts(asked.filters), _parts(filters), strict=True):
        if given is not None and given != meant:
            raise _refusal()
    return _query(asked, filters, cursor.position), filters


def _refusal() -> InvalidRequest:
    return InvalidRequest(
        "it is not a token of this hub for this request; repeat the request with the parameters that gave it,"
        " or begin again without next",
        field="next",
    )


def _query(asked: Asked, filters: Filters, position: int | None) -> Query:
    return Query(
        added_after=filters.added_after,
        limit=asked.limit,
        position=position,
        ids=filters.ids,
        types=filters.types,
        versions=filters.versions or VersionMatch(),
        spec_versions=filters.spec_versions,
    )


def _parts(filters: Filters) -> tuple[object, ...]:
    return filters.added_after, filters.ids, filters.types, filters.versions, filters.spec_versions


def _pack(filters: Filters) -> list[Any]:
    match = filters.versions
    versions = None if match is None else [match.last, match.first, match.all, sorted(match.exact)]
    return [filters.added_after, filters.ids, filters.types, versions, filters.spec_versions]


def _unpack(carried: list[Any]) -> Filters:
    added_after, ids, types, versions, spec_versions = carried
    return Filters(
        added_after=added_after,
        ids=None if ids is None else tuple(ids),
        types=None if types is None else tuple(types),
        versions=None if versions is None else _version_match(*versions),
        spec_versions=None if spec_versions is None else tuple(spec_versions),
    )


def _version_match(last: bool, first: bool, every: bool, exact: list[str]) -> VersionMatch:
    return VersionMatch(last=last, first=first, all=every, exact=frozenset(exact))


def _digest(filters: Filters) -> str:
    return hashlib.sha256(json.dumps(_pack(filters)).encode()).hexdigest()


def _mac(payload: bytes, scope: Scope, key: bytes) -> bytes:
    """Return 128 bits over the payload and its scope; a JSON list keeps the parts apart."""
    place = json.dumps([scope.endpoint.value, scope.collection, scope.object_id, scope.peer_id]).encode()
    message = b"\x00".join((_CONTEXT, place, payload))
    return hmac.new(key, message, hashlib.sha256).digest()[:_MAC_BYTES]
