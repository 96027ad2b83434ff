"""What a collection has kept long enough: found inside indexes, never by reading every stored version each time.

Age is a range of `date_added`. What a body says of its own end is looked up once, by `examined`, and noted in
`retention_due`. What a legal hold covers is never found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, insert, or_, select, union, update
from sqlalchemy.sql.functions import count

from hub.domain.membership import Collection
from hub.store.batches import batches
from hub.store.tables import collection, entry, hold, retention_due

Cause = Literal["expired", "revoked"]
EXPIRED: Final[Cause] = "expired"
REVOKED: Final[Cause] = "revoked"
ADDED: Final = "added"


@dataclass(frozen=True, slots=True)
class Due:
    """That a version ends: since ``at``, microseconds, for a cause that its own bytes or its author's marking give."""

    date_added: int
    cause: Cause
    at: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many versions are due for each reason (one may be due for several), and how many a legal hold keeps."""

    added: int
    expired: int
    revoked: int
    held: int


def unexamined(tx: Connection, collection_id: int, *, limit: int) -> list[tuple[int, str, int | None, bytes]]:
    """Return (date_added, type, expires_at, body) of the next versions that have not been looked at, by date."""
    upto = select(collection.c.retention_examined).where(collection.c.id == collection_id).scalar_subquery()
    e = entry.c
    statement = (
        select(e.date_added, e.type, e.expires_at, e.body)
        .where(e.collection_id == collection_id, e.date_added > upto)
        .order_by(e.date_added)
        .limit(limit)
    )
    return [(row[0], row[1], row[2], row[3]) for row in tx.execute(statement)]


def examined(tx: Connection, collection_id: int, upto: int, due: Sequence[Due]) -> None:
    """Note what was found in the bodies up to a date, so that they are not read again. Under the collection's lock."""
    if due:
        rows = [{"collection_id": collection_id, "date_added": x.date_added, "cause": x.cause, "at": x.at} for x in due]
        tx.execute(insert(retention_due), rows)
    tx.execute(update(collection).where(collection.c.id == collection_id).values(retention_examined=upto))


def over(tx: Connection, place: Collection, now: int, *, limit: int) -> list[str]:
    """Return the ids of objects that have a version whose time is over and no hold covers; the oldest first.

    A detached signature has no time of its own while what it signs is stored.
    """
    found: dict[str, None] = {}
    for statement in _due(place, now).values():
        found |= dict.fromkeys(row.stix_id for row in tx.execute(statement.limit(limit)))
    return list(found)[:limit]


def dates_over(tx: Connection, place: Collection, now: int, stix_ids: Sequence[str]) -> set[int]:
    """Return the `date_added` of every version of these objects whose time is over and no hold covers."""
    found: set[int] = set()
    for statement in _due(place, now).values():
        for some in batches(stix_ids):
            found |= {row.date_added for row in tx.execute(statement.where(entry.c.stix_id.in_(some)))}
    return found


def counted(tx: Connection, place: Collection, now: int) -> Counted:
    """Return how many versions are due now; what goes with them (earlier versions, signatures) is not counted."""
    due = {name: _count(tx, [statement]) for name, statement in _due(place, now).items()}
    held = _count(tx, list(_due(place, now, held=True).values()))
    return Counted(due.get(ADDED, 0), due.get(EXPIRED, 0), due.get(REVOKED, 0), held)


def forget(tx: Connection, collection_id: int, dates: Sequence[int]) -> None:
    """Remove what is noted of versions that are removed."""
    c = retention_due.c
    for some in batches(dates):
        tx.execute(delete(retention_due).where(c.collection_id == collection_id, c.date_added.in_(some)))


def with_retention(tx: Connection) -> list[int]:
    """Return the collections that keep something for a time only."""
    c = collection.c
    limited = or_(c.retain_added.is_not(None), c.retain_expired.is_not(None), c.retain_revoked.is_not(None))
    return list(tx.execute(select(c.id).where(limited).order_by(c.id)).scalars())


def _count(tx: Connection, statements: Sequence[Select[Any]]) -> int:
    if not statements:
        return 0
    dates = union(*(select(statement.order_by(None).subquery().c.date_added) for statement in statements))
    return int(tx.execute(select(count()).select_from(dates.subquery())).scalar_one())


def _due(place: Collection, now: int, *, held: bool = False) -> dict[str, Select[Any]]:
    """Return, for each limit the collection has, the statement that finds (STIX id, date_added), what ends first first.

    Each walks one index in its order, so that a small ``limit`` costs little however much is due.
    """
    kept, e, d = place.retention, entry.c, retention_due.c
    found: dict[str, Select[Any]] = {}
    bare = select(e.stix_id, e.date_added)
    if kept.added is not None:
        found[ADDED] = bare.where(e.date_added <= now - kept.added).order_by(e.date_added)
    for cause, bound in ((EXPIRED, kept.expired), (REVOKED, kept.revoked)):
        if bound is not None:
            same = and_(e.collection_id == d.collection_id, e.date_added == d.date_added)
            ended = and_(d.collection_id == place.id, d.cause == cause, d.at <= now - bound)
            found[cause] = bare.select_from(retention_due.join(entry, same)).where(ended).order_by(d.at)
    target = entry.alias("target")
    signs = exists().where(target.c.stix_id == e.related_to, target.c.collection_id == place.id)
    covered = _covered(place)
    conditions = (e.collection_id == place.id, or_(e.related_to.is_(None), ~signs), covered if held else ~covered)
    return {name: statement.where(*conditions) for name, statement in found.items()}


def _covered(place: Collection) -> ColumnElement[bool]:
    h = hold.c
    return exists().where(
        h.released_at.is_(None),
        h.group_id == place.group_id,
        or_(h.collection_id.is_(None), h.collection_id == place.id),
        or_(h.stix_id.is_(None), h.stix_id == entry.c.stix_id),
    )
