"""Counts for the metrics page and for `cybex doctor`: cheap on a hub of any size."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select, text

from hub.store.tables import (
    collection,
    credential,
    held_version,
    member,
    peer,
    refusal,
    signing_key,
    submission,
    trust_group,
)


@dataclass(frozen=True, slots=True)
class CollectionCount:
    """How much a collection holds, all versions and audiences; ``last_date_added`` 0 when nothing was ever stored."""

    group: str
    uuid: str
    alias: str | None
    entries: int
    last_date_added: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """The state of the hub in numbers. Times are microseconds since the epoch, sizes octets."""

    peers: int
    groups: int
    members: int
    credentials: int
    keys: int
    entries: int
    collections: list[CollectionCount]
    pending: int
    oldest_pending_at: int | None
    held: int
    refusals: int
    database_size: int


def collect(tx: Connection) -> Statistics:
    """Return the numbers as of this transaction."""
    c = collection.c
    rows = tx.execute(
        select(trust_group.c.slug, c.uuid, c.alias, c.entries, c.last_date_added)
        .join(trust_group, trust_group.c.id == c.group_id)
        .order_by(trust_group.c.slug, c.uuid)
    )
    counts = [CollectionCount(*row) for row in rows]
    waiting = select(func.count(), func.min(submission.c.received_at)).where(submission.c.completed_at.is_(None))
    pending, oldest = tx.execute(waiting).one()
    return Statistics(
        peers=_count(tx, peer),
        groups=_count(tx, trust_group),
        members=_count(tx, member),
        credentials=_count(tx, credential),
        keys=_count(tx, signing_key),
        entries=sum(count.entries for count in counts),
        collections=counts,
        pending=pending,
        oldest_pending_at=oldest,
        held=_count(tx, held_version),
        refusals=_count(tx, refusal),
        database_size=_size(tx),
    )


def _count(tx: Connection, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def _size(tx: Connection) -> int:
    if tx.dialect.name == "sqlite":
        pages = tx.execute(text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"))
        return int(pages.scalar_one())
    return int(tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
