"""Proposals: what one moderator asked for and another has to confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, func, insert, select, update

from hub.store.tables import proposal

OPEN: Final = "open"
CONFIRMED: Final = "confirmed"
REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be done, by whose wish, until when. Times are microseconds since the epoch."""

    id: int
    uuid: str
    group_id: int
    action: str
    subject: str
    detail: Mapping[str, Any]
    proposed_by: int
    proposed_at: int
    expires_at: int
    decided_by: int | None
    decided_at: int | None
    state: str


def add(
    tx: Connection,
    *,
    uuid: str,
    group_id: int,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    proposed_by: int,
    now: int,
    expires_at: int,
) -> Proposal:
    """Return the new proposal, which is open."""
    values = {
        "uuid": uuid,
        "group_id": group_id,
        "action": action,
        "subject": subject,
        "detail": orjson.dumps(dict(detail)),
        "proposed_by": proposed_by,
        "proposed_at": now,
        "expires_at": expires_at,
        "state": OPEN,
    }
    return _of(tx.execute(insert(proposal).values(values).returning(*proposal.c)).one())


def by_uuid(tx: Connection, group_id: int, uuid: str) -> Proposal | None:
    """Return a proposal of this group."""
    statement = select(proposal).where(proposal.c.group_id == group_id, proposal.c.uuid == uuid)
    row = tx.execute(statement).one_or_none()
    return None if row is None else _of(row)


def of_group(tx: Connection, group_id: int) -> list[Proposal]:
    """Return the proposals of a group, decided ones too, the oldest first."""
    statement = select(proposal).where(proposal.c.group_id == group_id).order_by(proposal.c.id)
    return [_of(row) for row in tx.execute(statement)]


def count_open(tx: Connection, group_id: int, now: int) -> int:
    """Return how many proposals of a group wait for a decision."""
    c = proposal.c
    statement = select(func.count()).where(c.group_id == group_id, c.state == OPEN, c.expires_at > now)
    return int(tx.execute(statement).scalar_one())


def decide(tx: Connection, proposal_id: int, state: str, *, by: int | None, now: int) -> bool:
    """Say whether an open proposal was decided just now; of two who try at once, one is told that it was not.

    :param by: id of the peer; None is the operator at the hub's own machine.
    """
    statement = update(proposal).where(proposal.c.id == proposal_id, proposal.c.state == OPEN)
    return tx.execute(statement.values(state=state, decided_by=by, decided_at=now)).rowcount == 1


def _of(row: Row[Any]) -> Proposal:
    values = list(row)
    values[5] = orjson.loads(values[5])
    return Proposal(*values)
