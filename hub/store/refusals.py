"""Refusals: what was not taken, by which rule, for the operator to see; bytes only where a version was forged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select

from hub.store.tables import refusal


@dataclass(frozen=True, slots=True)
class Refusal:
    """One object that was refused. ``id`` grows with time and is 0 before it is stored."""

    submission_uuid: str
    collection_id: int
    peer_id: int
    stix_id: str
    version: str
    rule: str
    reason: str
    sha256: bytes | None
    body: bytes | None
    at: int
    id: int = 0
    log_index: int | None = None


def add_many(tx: Connection, rows: Sequence[Refusal]) -> None:
    """Record refusals in this order."""
    if rows:
        tx.execute(insert(refusal), [{k: v for k, v in asdict(row).items() if k != "id"} for row in rows])


def recent(tx: Connection, *, limit: int, before: int | None = None, peer_id: int | None = None) -> list[Refusal]:
    """Return the newest refusals, the newest first; ``before`` is the id of the last one of the previous page.

    :param peer_id: only what this peer submitted.
    """
    c = refusal.c
    statement = select(
        c.submission_uuid,
        c.collection_id,
        c.peer_id,
        c.stix_id,
        c.version,
        c.rule,
        c.reason,
        c.sha256,
        c.body,
        c.at,
        c.id,
        c.log_index,
    )
    if before is not None:
        statement = statement.where(c.id < before)
    if peer_id is not None:
        statement = statement.where(c.peer_id == peer_id)
    return [Refusal(*row) for row in tx.execute(statement.order_by(c.id.desc()).limit(limit))]


def purge(tx: Connection, before: int) -> int:
    """Remove refusals older than this moment; return how many."""
    return tx.execute(delete(refusal).where(refusal.c.at < before)).rowcount
