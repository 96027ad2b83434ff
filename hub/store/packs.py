"""Packs: the files that carried a link by hand, in both directions, by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, insert, select, update

from hub.store.conflicts import refusing_duplicates
from hub.store.tables import pack

Direction = Literal["out", "in"]


@dataclass(frozen=True, slots=True)
class StoredPack:
    """One pack. Times are microseconds since the epoch.

    :param sha256: of its signed manifest. :param answered_at: when its receipt came back; of one that came, was made.
    :param positions: JSON, as the service writes it. :param receipt: the signed manifest of its receipt, JCS bytes.
    """

    peer_id: int
    direction: Direction
    number: int
    uuid: str
    sha256: bytes
    made_at: int
    answered_at: int | None
    positions: bytes
    receipt: bytes | None


def add(tx: Connection, one: StoredPack) -> None:
    """Store a pack. Raises Conflict when its number is taken."""
    values = {
        "peer_id": one.peer_id,
        "direction": one.direction,
        "number": one.number,
        "uuid": one.uuid,
        "sha256": one.sha256,
        "made_at": one.made_at,
        "answered_at": one.answered_at,
        "positions": one.positions,
        "receipt": one.receipt,
    }
    with refusing_duplicates(tx, "another pack with this number was made at the same moment: run it again"):
        tx.execute(insert(pack).values(values))


def get(tx: Connection, peer_id: int, direction: Direction, number: int) -> StoredPack | None:
    """Return the pack of a number."""
    found = _rows(tx, pack.c.peer_id == peer_id, pack.c.direction == direction, pack.c.number == number)
    return found[0] if found else None


def newest(tx: Connection, peer_id: int, direction: Direction, *, answered: bool = False) -> StoredPack | None:
    """Return the pack with the highest number. :param answered: of those whose receipt is there."""
    conditions = [pack.c.peer_id == peer_id, pack.c.direction == direction]
    conditions += [pack.c.answered_at.is_not(None)] if answered else []
    found = _rows(tx, *conditions, limit=1)
    return found[0] if found else None


def of_peer(tx: Connection, peer_id: int | None, *, limit: int) -> list[StoredPack]:
    """Return the packs to and from one hub, of all when None, the newest first."""
    conditions = [] if peer_id is None else [pack.c.peer_id == peer_id]
    return _rows(tx, *conditions, limit=limit)


def answer(tx: Connection, one: StoredPack, receipt: bytes, *, now: int) -> None:
    """Keep the receipt of a pack."""
    c = pack.c
    same = (c.peer_id == one.peer_id, c.direction == one.direction, c.number == one.number)
    tx.execute(update(pack).where(*same).values(receipt=receipt, answered_at=now))


def _rows(tx: Connection, *conditions: ColumnElement[bool], limit: int | None = None) -> list[StoredPack]:
    c = pack.c
    statement = select(pack).where(*conditions).order_by(c.number.desc(), c.made_at.desc(), c.peer_id, c.direction)
    rows = tx.execute(statement if limit is None else statement.limit(limit))
    return [
        StoredPack(
            row.peer_id, row.direction, row.number, row.uuid, bytes(row.sha256), row.made_at, row.answered_at,
            bytes(row.positions), None if row.receipt is None else bytes(row.receipt),
        )
        for row in rows
    ]  # fmt: skip
