"""The delivery ledger: what each reader of a collection was given, as ranges of dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select

from hub.domain.served import How, ServedRange
from hub.store.batches import batches
from hub.store.tables import served_range

_C: Final = served_range.c
_COLUMNS: Final = (_C.after, _C.upto, _C.how, _C.types, _C.first_at, _C.last_at)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose ranges, and of which collection."""

    collection_id: int
    peer_id: int


def touching(
    tx: Connection, reader: Reader, ranges: Sequence[ServedRange], *, since: int
) -> list[tuple[int, ServedRange]]:
    """Return (row id, range) of what may become one with some of these ranges, which are all of one kind.

    That is what touches them and was first read since then, and the same single objects whenever they were read. The
    rows stay locked until the transaction ends: another process may want to extend them too.
    """
    kind = ranges[0]
    lowest, highest = min(one.after for one in ranges), max(one.upto for one in ranges)
    nearby = [and_(_C.first_at >= since, _C.upto >= lowest, _C.after <= highest)]
    if kind.how in ("object", "push"):
        nearby += [_C.after.in_(some) for some in batches(sorted({one.after for one in ranges}))]
    found: dict[int, ServedRange] = {}
    for condition in nearby:
        statement = select(_C.id, *_COLUMNS).where(
            _of(reader), _C.how == kind.how, _C.types.is_not_distinct_from(_types_text(kind.types)), condition
        )
        rows = tx.execute(statement.order_by(_C.id).with_for_update())
        found.update((row[0], _range(row[1:])) for row in rows)
    return sorted(found.items())


def replace(tx: Connection, reader: Reader, gone: Iterable[int], ranges: Sequence[ServedRange]) -> None:
    """Put these ranges in the place of those rows."""
    for some in batches(sorted(set(gone))):
        tx.execute(delete(served_range).where(_C.id.in_(some)))
    if ranges:
        tx.execute(
            insert(served_range),
            [
                {
                    "collection_id": reader.collection_id,
                    "peer_id": reader.peer_id,
                    "after": one.after,
                    "upto": one.upto,
                    "types": _types_text(one.types),
                    "how": one.how,
                    "first_at": one.first_at,
                    "last_at": one.last_at,
                }
                for one in ranges
            ],
        )


def covering(tx: Connection, collection_id: int, first: int, last: int) -> list[tuple[int, ServedRange]]:
    """Return (peer id, range) of every range of a collection that holds a date from ``first`` to ``last``."""
    statement = select(_C.peer_id, *_COLUMNS).where(
        _C.collection_id == collection_id, _C.after < last, _C.upto >= first
    )
    return [(row[0], _range(row[1:])) for row in tx.execute(statement.order_by(_C.peer_id, _C.after, _C.id))]


def presumed(tx: Connection, reader: Reader) -> list[int]:
    """Return the row ids of what a reader is presumed to have read."""
    return list(tx.execute(select(_C.id).where(_of(reader), _C.how == "presumed").order_by(_C.id)).scalars())


def old(tx: Connection, reader: Reader, read_from: int, read_before: int) -> list[tuple[int, ServedRange]]:
    """Return (row id, range) of what a reader was given between two times; locked until the transaction ends."""
    statement = select(_C.id, *_COLUMNS).where(_of(reader), _C.first_at >= read_from, _C.last_at < read_before)
    return [(row[0], _range(row[1:])) for row in tx.execute(statement.order_by(_C.id).with_for_update())]


def crowded(tx: Connection, read_from: int, read_before: int) -> list[Reader]:
    """Return everybody of whom there is more than one row of what was given between two times."""
    statement = (
        select(_C.collection_id, _C.peer_id)
        .where(_C.first_at >= read_from, _C.last_at < read_before)
        .group_by(_C.collection_id, _C.peer_id)
        .having(func.count() > 1)
        .order_by(_C.collection_id, _C.peer_id)
    )
    return [Reader(*row) for row in tx.execute(statement)]


def _of(reader: Reader) -> ColumnElement[bool]:
    return and_(_C.collection_id == reader.collection_id, _C.peer_id == reader.peer_id)


def _types_text(types: frozenset[str] | None) -> str | None:
    return None if types is None else ",".join(sorted(types))


def _range(row: Sequence[Any]) -> ServedRange:
    after, upto, how, types, first_at, last_at = row
    kinds = None if types is None else frozenset(types.split(","))
    return ServedRange(after, upto, cast(How, how), kinds, first_at, last_at)
