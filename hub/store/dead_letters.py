"""Dead letters: what did not arrive at another hub, or could not be taken from it, and waits for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from hub.store.batches import batches
from hub.store.tables import collection, dead_letter, peer, trust_group

Direction = Literal["out", "in"]
State = Literal["open", "to-be-sent", "replayed", "dropped"]

REPLAYED = "replayed"
DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One version of one object, and why it did not cross. Times are microseconds since the epoch.

    :param group: slug. :param collection: alias, or UUID without one. :param attempts: how often it was refused.
    :param rule: of the hub that refused it. :param reason: in that hub's words.
    """

    id: int
    uuid: str
    peer_id: int
    peer: str
    collection_id: int
    group: str
    collection: str
    direction: Direction
    stix_id: str
    version: str
    sha256: bytes | None
    rule: str
    reason: str
    attempts: int
    first_at: int
    last_at: int
    settled_at: int | None
    settled_as: str | None

    @property
    def state(self) -> State:
        """What has become of it: ``to-be-sent`` once an operator wants it sent again, until it has been."""
        if self.settled_as is None:
            return "open"
        if self.settled_as == DROPPED:
            return "dropped"
        return "to-be-sent" if self.settled_at is None else "replayed"


def add(
    tx: Connection,
    *,
    uuid: str,
    peer_id: int,
    collection_id: int,
    direction: Direction,
    stix_id: str,
    version: str,
    sha256: bytes | None,
    rule: str,
    reason: str,
    now: int,
) -> bool:
    """Say whether this is new; the letter of a version that is not settled is refused once more, and open again."""
    c = dead_letter.c
    same = and_(
        c.peer_id == peer_id,
        c.collection_id == collection_id,
        c.direction == direction,
        c.stix_id == stix_id,
        c.version == version,
        c.settled_at.is_(None),
    )
    again = {"rule": rule, "reason": reason, "attempts": c.attempts + 1, "last_at": now, "settled_as": None}
    if tx.execute(update(dead_letter).where(same).values(again)).rowcount:
        return False
    tx.execute(
        insert(dead_letter).values(
            uuid=uuid,
            peer_id=peer_id,
            collection_id=collection_id,
            direction=direction,
            stix_id=stix_id,
            version=version,
            sha256=sha256,
            rule=rule,
            reason=reason,
            attempts=1,
            first_at=now,
            last_at=now,
        )
    )
    return True


def of_peer(
    tx: Connection, peer_id: int | None, *, settled: bool = False, limit: int, before: int | None = None
) -> list[DeadLetter]:
    """Return the newest letters of one hub, of all when None, the newest first.

    :param settled: those that an operator has settled too. :param before: the ``id`` of the last one seen.
    """
    c = dead_letter.c
    conditions = [c.peer_id == peer_id] if peer_id is not None else []
    conditions += [] if settled else [_open()]
    conditions += [] if before is None else [c.id < before]
    return _rows(tx, *conditions, limit=limit)


def by_uuids(tx: Connection, uuids: Sequence[str]) -> list[DeadLetter]:
    """Return the letters of these ids, the newest first."""
    found: list[DeadLetter] = []
    for some in batches(sorted(set(uuids))):
        found += _rows(tx, dead_letter.c.uuid.in_(some))
    return sorted(found, key=lambda one: one.id, reverse=True)


def count_open(tx: Connection) -> dict[int, int]:
    """Return how many letters wait for an operator, by peer id."""
    c = dead_letter.c
    rows = tx.execute(select(c.peer_id, func.count().label("number")).where(_open()).group_by(c.peer_id))
    return {row.peer_id: row.number for row in rows}


def replay(tx: Connection, ids: Sequence[int]) -> None:
    """Have these sent again: they stand under `to_be_sent` until `sent` is told, or `add` finds them refused again."""
    for some in batches(sorted(ids)):
        tx.execute(update(dead_letter).where(dead_letter.c.id.in_(some)).values(settled_as=REPLAYED, settled_at=None))


def to_be_sent(tx: Connection, peer_id: int, collection_id: int, *, limit: int) -> list[DeadLetter]:
    """Return the letters that an operator wants sent again to this hub, the oldest first."""
    c = dead_letter.c
    mine = (c.peer_id == peer_id, c.collection_id == collection_id, c.direction == "out")
    waiting = (c.settled_as == REPLAYED, c.settled_at.is_(None))
    return sorted(_rows(tx, *mine, *waiting, limit=limit, oldest=True), key=lambda one: one.id)


def sent(tx: Connection, ids: Sequence[int], *, now: int) -> None:
    """Note that these have been sent again and taken: they are settled."""
    c = dead_letter.c
    for some in batches(sorted(ids)):
        tx.execute(update(dead_letter).where(c.id.in_(some), c.settled_as == REPLAYED).values(settled_at=now))


def drop(tx: Connection, ids: Sequence[int], *, now: int) -> None:
    """Give these up: they are settled and never sent again."""
    for some in batches(sorted(ids)):
        tx.execute(update(dead_letter).where(dead_letter.c.id.in_(some)).values(settled_as=DROPPED, settled_at=now))


def of_object(tx: Connection, stix_id: str, peer_id: int) -> list[DeadLetter]:
    """Return what did not cross of one object to or from one hub and is not settled, the newest first."""
    c = dead_letter.c
    return _rows(tx, c.stix_id == stix_id, c.peer_id == peer_id, c.settled_at.is_(None))


def _open() -> ColumnElement[bool]:
    return or_(dead_letter.c.settled_as.is_(None), dead_letter.c.settled_at.is_(None))


def _rows(
    tx: Connection, *conditions: ColumnElement[bool], limit: int | None = None, oldest: bool = False
) -> list[DeadLetter]:
    c = dead_letter.c
    statement = (
        select(
            c.id,
            c.uuid,
            c.peer_id,
            peer.c.handle.label("peer"),
            c.collection_id,
            trust_group.c.slug.label("group"),
            func.coalesce(collection.c.alias, collection.c.uuid).label("collection"),
            c.direction,
            c.stix_id,
            c.version,
            c.sha256,
            c.rule,
            c.reason,
            c.attempts,
            c.first_at,
            c.last_at,
            c.settled_at,
            c.settled_as,
        )
        .join(peer, peer.c.id == c.peer_id)
        .join(collection, collection.c.id == c.collection_id)
        .join(trust_group, trust_group.c.id == collection.c.group_id)
        .where(*conditions)
        .order_by(c.id if oldest else c.id.desc())
    )
    rows = tx.execute(statement if limit is None else statement.limit(limit))
    return [DeadLetter(**row._asdict()) for row in rows]
