"""What is stored in a collection in the order of commits, as a relay looks at it: all that decides, not the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from hub.domain.audience import Audience
from hub.domain.taxii_time import format_timestamp
from hub.store.batches import batches
from hub.store.tables import audience, collection, entry


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One stored version. Times are microseconds since the epoch.

    :param related_to: of a detached signature, the id of what it signs.
    :param version_less: its versions are facts about the same thing, told apart by date; none replaces another.
    """

    entry_id: int
    date_added: int
    stix_id: str
    type: str
    version: str
    version_key: str
    sha256: bytes
    size: int
    tlp: str
    onward_relay: bool
    expires_at: int | None
    author_identity: str | None
    submitter_peer_id: int
    related_to: str | None
    log_index: int | None
    audience: Audience
    version_less: bool = False


def after(tx: Connection, collection_id: int, date_added: int, *, limit: int) -> list[FeedRow]:
    """Return what follows on a date, in the order of commits."""
    c = entry.c
    return _rows(tx, (c.collection_id == collection_id) & (c.date_added > date_added), limit)


def versions(tx: Connection, collection_id: int, wanted: Sequence[tuple[str, str]]) -> list[FeedRow]:
    """Return these versions, by (STIX id, version key), as far as they are still stored; in the order of commits."""
    c, keys, found = entry.c, set(wanted), list[FeedRow]()
    for some in batches(sorted({stix_id for stix_id, _ in keys})):
        rows = _rows(tx, (c.collection_id == collection_id) & c.stix_id.in_(some), None)
        found += [row for row in rows if (row.stix_id, row.version_key) in keys]
    return sorted(found, key=lambda row: row.date_added)


def bodies(tx: Connection, entry_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the stored bytes of these entries."""
    found: dict[int, bytes] = {}
    for some in batches(list(entry_ids)):
        rows = tx.execute(select(entry.c.id, entry.c.body).where(entry.c.id.in_(some)))
        found.update((row.id, bytes(row.body)) for row in rows)
    return found


def last_dates(tx: Connection, collection_ids: Sequence[int]) -> dict[int, int]:
    """Return the last date that was given in each of these collections."""
    c = collection.c
    rows = tx.execute(select(c.id, c.last_date_added).where(c.id.in_(list(collection_ids))))
    return {row.id: row.last_date_added for row in rows}


def _rows(tx: Connection, condition: ColumnElement[bool], limit: int | None) -> list[FeedRow]:
    c = entry.c
    statement = (
        select(
            c.id,
            c.date_added,
            c.stix_id,
            c.type,
            c.version,
            c.version_key,
            c.sha256,
            c.size,
            c.tlp,
            c.onward_relay,
            c.expires_at,
            c.author_identity,
            c.submitter_peer_id,
            c.related_to,
            c.log_index,
            audience.c.key,
        )
        .join(audience, audience.c.id == c.audience_id)
        .where(condition)
        .order_by(c.date_added)
    )
    if limit is not None:
        statement = statement.limit(limit)
    return [
        FeedRow(
            entry_id=row.id,
            date_added=row.date_added,
            stix_id=row.stix_id,
            type=row.type,
            version=row.version or format_timestamp(row.date_added),
            version_key=row.version_key,
            sha256=bytes(row.sha256),
            size=row.size,
            tlp=row.tlp,
            onward_relay=row.onward_relay,
            expires_at=row.expires_at,
            author_identity=row.author_identity,
            submitter_peer_id=row.submitter_peer_id,
            related_to=row.related_to,
            log_index=row.log_index,
            audience=Audience.from_key(row.key),
            version_less=row.version is None,
        )
        for row in tx.execute(statement)
    ]
