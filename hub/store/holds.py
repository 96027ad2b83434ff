"""Legal holds, and what was withdrawn under one: kept as evidence, on no read path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, literal, or_, select, update

from hub.store.batches import batches
from hub.store.tables import collection, entry, hold, kept_version, peer, trust_group


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that has to be kept. Times are microseconds since the epoch.

    :param collection: UUID; None is every collection of the group. :param stix_id: None is everything there.
    """

    uuid: str
    group: str
    collection: str | None
    stix_id: str | None
    reason: str
    placed_at: int
    released_at: int | None
    group_id: int = 0
    collection_id: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """One version that was withdrawn while a hold covered it."""

    id: int
    group: str
    collection: str
    stix_id: str
    version: str | None
    date_added: int
    submitter: str  # STIX identity
    submission_uuid: str
    sha256: bytes
    log_index: int | None
    kept_at: int
    body: bytes


def place(
    tx: Connection, *, uuid: str, group_id: int, collection_id: int | None, stix_id: str | None, reason: str, now: int
) -> None:
    """Hold an object, a collection or a whole group from now on."""
    tx.execute(
        insert(hold).values(
            uuid=uuid,
            group_id=group_id,
            collection_id=collection_id,
            stix_id=stix_id,
            reason=reason,
            placed_at=now,
        )
    )


def release(tx: Connection, uuid: str, now: int) -> bool:
    """End a hold; say whether it stood. What was kept under it stays."""
    statement = update(hold).where(hold.c.uuid == uuid, hold.c.released_at.is_(None)).values(released_at=now)
    return tx.execute(statement).rowcount == 1


def listed(tx: Connection) -> list[Hold]:
    """Return every hold, released ones included, oldest first."""
    return [Hold(*row) for row in tx.execute(_holds().order_by(hold.c.id))]


def covering(tx: Connection, group_id: int, collection_id: int) -> list[Hold]:
    """Return the holds that stand and cover something in this collection."""
    c = hold.c
    rows = tx.execute(
        _holds().where(
            c.released_at.is_(None),
            c.group_id == group_id,
            or_(c.collection_id.is_(None), c.collection_id == collection_id),
        )
    )
    return [Hold(*row) for row in rows]


def keep(tx: Connection, entry_ids: Sequence[int], now: int) -> None:
    """Copy entries, which are about to be removed, with what proves where they came from."""
    e = entry.c
    names = [
        "collection_id",
        "stix_id",
        "version",
        "date_added",
        "audience_id",
        "submitter_peer_id",
        "submission_uuid",
        "sha256",
        "log_index",
        "body",
        "kept_at",
    ]
    for some in batches(sorted(set(entry_ids))):
        rows = select(*(e[name] for name in names[:-1]), literal(now)).where(e.id.in_(some)).order_by(e.date_added)
        tx.execute(insert(kept_version).from_select(names, rows))


def kept(tx: Connection, stix_id: str | None = None) -> list[Kept]:
    """Return what is kept, of one object or of all, in the order in which it was withdrawn."""
    c = kept_version.c
    statement: Select[Any] = (
        select(
            c.id,
            trust_group.c.slug,
            collection.c.uuid,
            c.stix_id,
            c.version,
            c.date_added,
            peer.c.identity,
            c.submission_uuid,
            c.sha256,
            c.log_index,
            c.kept_at,
            c.body,
        )
        .join(collection, collection.c.id == c.collection_id)
        .join(trust_group, trust_group.c.id == collection.c.group_id)
        .join(peer, peer.c.id == c.submitter_peer_id)
        .order_by(c.id)
    )
    if stix_id is not None:
        statement = statement.where(c.stix_id == stix_id)
    return [Kept(*row) for row in tx.execute(statement)]


def places(tx: Connection) -> list[tuple[int, int, int, str]]:
    """Return (row id, group id, collection id, STIX id) of everything that is kept."""
    c = kept_version.c
    rows = tx.execute(
        select(c.id, collection.c.group_id, c.collection_id, c.stix_id).join(
            collection, collection.c.id == c.collection_id
        )
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def purge(tx: Connection, ids: Sequence[int]) -> int:
    """Destroy kept versions; return how many there were."""
    return sum(
        tx.execute(delete(kept_version).where(kept_version.c.id.in_(some))).rowcount for some in batches(list(ids))
    )


def _holds() -> Select[Any]:
    c = hold.c
    return (
        select(
            c.uuid,
            trust_group.c.slug,
            collection.c.uuid,
            c.stix_id,
            c.reason,
            c.placed_at,
            c.released_at,
            c.group_id,
            c.collection_id,
        )
        .select_from(hold)
        .join(trust_group, trust_group.c.id == c.group_id)
        .outerjoin(collection, collection.c.id == c.collection_id)
    )
