"""The leaves of the transparency log: appended in the transaction of what they witness, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from hub.domain.log_event import leaf_data
from hub.store.database import driver
from hub.store.leave import insert_or_leave
from hub.store.tables import log_leaf, log_state

_STATE: Final = 1
_COLUMNS: Final = ("idx", "at", "kind", "peer_id", "subject_peer_id", "salt", "payload")
_TYPES: Final = ("int8", "int8", "text", "int8", "int8", "bytea", "bytea")
_NAMES: Final = ", ".join(_COLUMNS)
# The names are the constants above; no value ever becomes part of a statement.
_SQLITE_INSERT: Final = f"INSERT INTO log_leaf ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_SQLITE_RESERVE: Final = "UPDATE log_state SET size = size + ? WHERE id = 1 RETURNING size"
_POSTGRESQL_RESERVE: Final = "UPDATE log_state SET size = size + %s WHERE id = 1 RETURNING size"
_POSTGRESQL_COPY: Final = f"COPY log_leaf ({_NAMES}) FROM STDIN (FORMAT BINARY)"


@dataclass(frozen=True, slots=True)
class NewLeaf:
    """A leaf to be appended; see `hub.domain.log_event` for what its parts are."""

    kind: str
    salt: bytes
    payload: bytes
    peer_id: int | None
    subject_peer_id: int | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the log. ``at`` is in microseconds since the epoch."""

    index: int
    at: int
    kind: str
    peer_id: int | None
    subject_peer_id: int | None
    salt: bytes
    payload: bytes


def append(tx: Connection, leaves: Sequence[NewLeaf], *, now: int) -> int:
    """Append leaves and return the index of the first; the others follow it without a gap.

    The log stays locked until this transaction ends, so that the order of indexes is the order of commits: call this as
    late as possible, and take no other lock after it.
    """
    first = _reserve(tx, len(leaves))
    rows = [
        (first + offset, now, leaf.kind, leaf.peer_id, leaf.subject_peer_id, leaf.salt, leaf.payload)
        for offset, leaf in enumerate(leaves)
    ]
    if tx.dialect.name == "sqlite":
        driver(tx).executemany(_SQLITE_INSERT, rows)
        return first
    with driver(tx).cursor() as cursor, cursor.copy(_POSTGRESQL_COPY) as copy:
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)
    return first


def size(tx: Connection) -> int:
    """Return how many leaves are committed, as this transaction sees it."""
    return tx.execute(select(log_state.c.size).where(log_state.c.id == _STATE)).scalar() or 0


def leaves(tx: Connection, start: int, end: int) -> list[Leaf]:
    """Return the leaves from ``start`` up to but not including ``end``, in order."""
    statement = select(log_leaf).where(log_leaf.c.idx >= start, log_leaf.c.idx < end).order_by(log_leaf.c.idx)
    return [Leaf(*row) for row in tx.execute(statement)]


def published(tx: Connection, start: int, end: int) -> list[bytes]:
    """Return the 32 octets that the log publishes of each leaf from ``start`` up to but not including ``end``.

    Raises LookupError when one of them is missing: the log has no gaps.
    """
    c = log_leaf.c
    statement = select(c.idx, c.salt, c.payload).where(c.idx >= start, c.idx < end).order_by(c.idx)
    data = []
    for place, (index, salt, payload) in enumerate(tx.execute(statement), start):
        if index != place:
            break
        data.append(leaf_data(salt, payload))
    if len(data) != end - start:
        raise LookupError("a leaf of the log is missing")
    return data


def _reserve(tx: Connection, count: int) -> int:
    sql = _SQLITE_RESERVE if tx.dialect.name == "sqlite" else _POSTGRESQL_RESERVE
    rows = driver(tx).execute(sql, (count,)).fetchall()
    if not rows:  # the first leaf of all
        tx.execute(insert_or_leave(tx, log_state).values(id=_STATE, size=0))
        rows = driver(tx).execute(sql, (count,)).fetchall()
    return int(rows[0][0]) - count
