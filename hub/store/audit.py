"""The audit: one line for everything an operator, moderator or administrator did; lines are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from hub.store import news
from hub.store.tables import audit_line


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what to what, and when. No actor means the command line of the hub's own machine."""

    id: int
    at: int
    actor_peer_id: int | None
    credential_id: int | None
    action: str
    subject: str
    detail: dict[str, Any]
    log_index: int | None = None


def add(
    tx: Connection,
    *,
    at: int,
    actor_peer_id: int | None,
    credential_id: int | None,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    log_index: int | None = None,
) -> None:
    """Add a line in the transaction of the change itself; ``log_index`` is its place in the transparency log."""
    tx.execute(
        insert(audit_line).values(
            at=at,
            actor_peer_id=actor_peer_id,
            credential_id=credential_id,
            action=action,
            subject=subject,
            detail=orjson.dumps(dict(detail), default=_plain),
            log_index=log_index,
        )
    )
    news.announce(tx)  # whoever waits is asked anew whether he still may


def recent(tx: Connection, *, limit: int, before: int | None = None) -> list[AuditLine]:
    """Return the newest lines, the newest first; ``before`` is the id of the last one of the previous page."""
    c = audit_line.c
    statement = select(c.id, c.at, c.actor_peer_id, c.credential_id, c.action, c.subject, c.detail, c.log_index)
    if before is not None:
        statement = statement.where(c.id < before)
    rows = tx.execute(statement.order_by(c.id.desc()).limit(limit))
    return [AuditLine(*row[:6], orjson.loads(row.detail), row.log_index) for row in rows]


def _plain(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError("the detail of an audit line is JSON")
