"""Reading a collection: pages of stored bytes, manifests and versions, as one peer may see them (TAXII 2.1 §3.4, §3.5).

The order of filters is that of TAXII 2.1 §3.4.1: what the peer may see, then id, type and ``added_after``, then the
versions. "Latest" alone was decided when the version was stored, and is the same for everybody: a peer from whom the
latest version is withheld is not served an older one as if it were current.

A page is one range query that is decided inside an index; only then are the bytes of the entries it found read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from hub.domain.taxii import VersionMatch
from hub.domain.taxii_time import format_timestamp
from hub.store import entries
from hub.store.database import driver
from hub.store.entries import StoredVersion
from hub.store.page_sql import Shape, bodies_sql, keys_sql, list_of, records_sql

_EVERY_VERSION = VersionMatch(last=False, all=True)
_NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Selection:
    """What one request asks for, and who asks. Times are microseconds since the epoch.

    :param added_after: the client's lower bound, exclusive; also decides what was the latest version "since then".
    :param position: where the previous page ended, exclusive; decides nothing else.
    :param limit: entries on a page, at least 1. :param max_bytes: octets of bodies on a page; one is always served.
    :param ids: None for every object. :param types: None for every type.
    """

    collection_id: int
    peer_id: int
    now: int
    added_after: int | None = None
    position: int | None = None
    limit: int = 1_000
    max_bytes: int = _NO_LIMIT
    ids: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    versions: VersionMatch = field(default_factory=VersionMatch)


@dataclass(frozen=True, slots=True)
class Page:
    """Stored bytes in the order of ``date_added``; first and last date; whether more match; the date of each."""

    bodies: list[bytes]
    first: int | None
    last: int | None
    more: bool
    dates: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class ManifestPage:
    """(STIX id, date_added, version) in the order of ``date_added``; first, last and more as on a `Page`."""

    records: list[tuple[str, int, str]]
    first: int | None
    last: int | None
    more: bool


def objects(tx: Connection, selection: Selection) -> Page:
    """Return a page of objects. It is empty only when nothing more matches, and then ``more`` is False."""
    keys, more = _keys(tx, selection)
    size = 0
    for count, (_, _, length, _) in enumerate(keys):
        size += length
        if count and size > selection.max_bytes:
            keys, more = keys[:count], True
            break
    if not keys:
        return Page([], None, None, more=False)
    dialect = tx.dialect.name
    bodies = dict(_run(tx, bodies_sql(dialect), {"ids": list_of(dialect, [key[0] for key in keys])}))
    dates = [key[1] for key in keys]
    return Page([bodies[key[0]] for key in keys], dates[0], dates[-1], more, dates)


def manifest(tx: Connection, selection: Selection) -> ManifestPage:
    """Return a page of manifest records, one for each version that matches."""
    keys, more = _keys(tx, selection)
    if not keys:
        return ManifestPage([], None, None, more=False)
    dialect = tx.dialect.name
    rows = _run(tx, records_sql(dialect), {"ids": list_of(dialect, [key[0] for key in keys])})
    named = {entry_id: (stix_id, version) for entry_id, stix_id, version in rows}
    records = []
    for entry_id, date_added, _, _ in keys:
        stix_id, version = named[entry_id]
        records.append((stix_id, date_added, version or format_timestamp(date_added)))
    return ManifestPage(records, keys[0][1], keys[-1][1], more)


def exists_visible(tx: Connection, collection_id: int, peer_id: int, stix_id: str, now: int) -> bool:
    """Say whether the peer may see any version of the object, superseded ones included."""
    one = Selection(collection_id, peer_id, now, limit=1, ids=(stix_id,), versions=_EVERY_VERSION)
    return bool(_keys(tx, one)[0])


def visible_versions_of(
    tx: Connection, collection_id: int, peer_id: int, stix_id: str, now: int
) -> list[StoredVersion]:
    """Return every version of the object that the peer may see, superseded ones included, by date."""
    every = Selection(collection_id, peer_id, now, limit=_NO_LIMIT, ids=(stix_id,), versions=_EVERY_VERSION)
    dates = {date_added for _, date_added, _, _ in _keys(tx, every)[0]}
    stored = entries.known(tx, [stix_id])[stix_id]
    return [one for one in stored if one.collection_id == collection_id and one.date_added in dates]


def version_keys(tx: Connection, selection: Selection) -> set[str]:
    """Return the version keys of everything that matches, whatever the limit: what a DELETE with a filter means."""
    return {version_key for _, _, _, version_key in _keys(tx, replace(selection, limit=_NO_LIMIT))[0]}


def _keys(tx: Connection, selection: Selection) -> tuple[Sequence[tuple[int, int, int, str]], bool]:
    """Return (entry id, date_added, size, version key) of one page, and whether more match."""
    wanted, dialect = selection.versions, tx.dialect.name
    shape = Shape(
        dialect=dialect,
        since=selection.added_after is not None,
        ids=selection.ids is not None,
        types=selection.types is not None,
        every=wanted.all,
        last=wanted.last,
        first=wanted.first,
        exact=bool(wanted.exact),
    )
    since = -1 if selection.added_after is None else selection.added_after
    parameters = {
        "collection_id": selection.collection_id,
        "peer_id": selection.peer_id,
        "now": selection.now,
        "since": since,
        "after": max(since, -1 if selection.position is None else selection.position),
        "ids": list_of(dialect, selection.ids or ()),
        "types": list_of(dialect, selection.types or ()),
        "exact": list_of(dialect, sorted(wanted.exact)),
        "limit": min(selection.limit, _NO_LIMIT) + 1,
    }
    rows = _run(tx, keys_sql(shape), parameters)
    return rows[: selection.limit], len(rows) > selection.limit


def _run(tx: Connection, sql: str, parameters: dict[str, Any]) -> list[Any]:
    # Binary, because bytes as text are twice as long and have to be decoded.
    options = {"binary": True} if tx.dialect.name == "postgresql" else {}
    rows: list[Any] = driver(tx).execute(sql, parameters, **options).fetchall()
    return rows
