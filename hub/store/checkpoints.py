"""Signed checkpoints: one for each size of the log that was ever signed, and who has cosigned it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select, text, update

from hub.store.tables import cosignature, log_checkpoint, log_leaf, log_state, witness

_STATE: Final = 1

_LOCK: Final = 0x6379_6265_7802
"""Key of PostgreSQL's advisory lock: of several workers one makes the checkpoint, and no writer of leaves waits."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint as it was signed. ``at`` is in microseconds since the epoch; cosignatures are not in the note."""

    size: int
    root: bytes
    at: int
    note: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the checkpoints are behind the log. Times are microseconds since the epoch.

    :param waiting_since: when the oldest leaf without a checkpoint was written; None when there is none.
    """

    size: int
    checkpointed: int
    checkpoint_at: int | None
    waiting_since: int | None


def lock(tx: Connection) -> bool:
    """Say whether this transaction is the only one that makes a checkpoint until it ends; do not wait for it."""
    if tx.dialect.name == "sqlite":
        return True  # a writing transaction is alone
    return bool(tx.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar_one())


def latest(tx: Connection, *, cosigned: bool = False) -> Stored | None:
    """Return the checkpoint of the greatest size, or of the greatest that a witness has cosigned; None without one."""
    c = log_checkpoint.c
    statement = select(c.size, c.root, c.at, c.note).order_by(c.size.desc()).limit(1)
    if cosigned:
        held = select(func.max(cosignature.c.size)).join(witness, witness.c.id == cosignature.c.witness_id)
        statement = statement.where(c.size == held.where(witness.c.removed_at.is_(None)).scalar_subquery())
    row = tx.execute(statement).one_or_none()
    return None if row is None else Stored(*row)


def of_size(tx: Connection, size: int) -> Stored | None:
    """Return the checkpoint of a size, None when none was made at that size."""
    c = log_checkpoint.c
    row = tx.execute(select(c.size, c.root, c.at, c.note).where(c.size == size)).one_or_none()
    return None if row is None else Stored(*row)


def every(tx: Connection) -> Iterator[Stored]:
    """Give every checkpoint, the smallest first."""
    c = log_checkpoint.c
    for row in tx.execute(select(c.size, c.root, c.at, c.note).order_by(c.size)):
        yield Stored(*row)


def add(tx: Connection, checkpoint: Stored) -> None:
    """Store a checkpoint of a size that has none."""
    c = checkpoint
    tx.execute(insert(log_checkpoint).values(size=c.size, root=c.root, at=c.at, note=c.note))


def cosignatures(tx: Connection, size: int) -> list[str]:
    """Return the lines of those who have cosigned a checkpoint and are still witnesses, by name."""
    c = cosignature.c
    statement = (
        select(c.line)
        .join(witness, witness.c.id == c.witness_id)
        .where(c.size == size, witness.c.removed_at.is_(None))
        .order_by(witness.c.name)
    )
    return list(tx.execute(statement).scalars())


def origin(tx: Connection) -> str | None:
    """Return the first line of every checkpoint; None before the first."""
    found: str | None = tx.execute(select(log_state.c.origin).where(log_state.c.id == _STATE)).scalar()
    return found


def set_origin(tx: Connection, value: str) -> None:
    """Settle the first line of every checkpoint; once there, it stays."""
    tx.execute(update(log_state).where(log_state.c.id == _STATE, log_state.c.origin.is_(None)).values(origin=value))


def standing(tx: Connection) -> Standing:
    """Return how far the checkpoints are behind the log."""
    size = tx.execute(select(log_state.c.size).where(log_state.c.id == _STATE)).scalar() or 0
    last = latest(tx)
    done = 0 if last is None else last.size
    waiting = tx.execute(select(log_leaf.c.at).where(log_leaf.c.idx == done)).scalar()
    return Standing(size, done, None if last is None else last.at, waiting)
