"""What partner hubs have reported of withdrawals, and what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select

from hub.store.batches import batches
from hub.store.tables import relay_reach, retraction

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class StoredReach:
    """One report of one act. ``at`` is in microseconds since the epoch. :param statement: JCS bytes, signed."""

    act: str
    peer_id: int
    direction: Direction
    holders: int
    removed: int
    at: int
    statement: bytes


def keep(tx: Connection, reach: StoredReach) -> bool:
    """Store a report in place of an earlier one; False when a later one is here already."""
    c = relay_reach.c
    same = (c.act == reach.act) & (c.peer_id == reach.peer_id) & (c.direction == reach.direction)
    known = tx.execute(select(c.at).where(same)).scalar_one_or_none()
    if known is not None and known > reach.at:
        return False
    tx.execute(delete(relay_reach).where(same))
    tx.execute(
        insert(relay_reach).values(
            act=reach.act,
            peer_id=reach.peer_id,
            direction=reach.direction,
            holders=reach.holders,
            removed=reach.removed,
            at=reach.at,
            statement=reach.statement,
        )
    )
    return True


def of_acts(tx: Connection, acts: Sequence[str], direction: Direction) -> dict[tuple[str, int], StoredReach]:
    """Return the reports of these acts, by act and peer id."""
    c, found = relay_reach.c, dict[tuple[str, int], StoredReach]()
    for some in batches(sorted(set(acts))):
        for row in tx.execute(select(relay_reach).where(c.act.in_(some), c.direction == direction)):
            reach = StoredReach(row.act, row.peer_id, direction, row.holders, row.removed, row.at, bytes(row.statement))
            found[row.act, row.peer_id] = reach
    return found


def acts_of(tx: Connection, peer_id: int, *, since: int, limit: int) -> list[str]:
    """Return the acts that this peer did here since a time, the newest first."""
    c = retraction.c
    statement = (
        select(c.uuid)
        .where(c.actor_peer_id == peer_id, c.at >= since)
        .group_by(c.uuid)
        .order_by(func.max(c.id).desc())
        .limit(limit)
    )
    return list(tx.execute(statement).scalars())
