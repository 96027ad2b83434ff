"""Witnesses of the log: who may cosign its checkpoints, under which key, and the cosignatures they handed in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from hub.store.leave import insert_or_leave
from hub.store.tables import cosignature, witness


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness. Times are microseconds since the epoch; a removed one is kept, so that its name is never another's."""

    id: int
    name: str
    verifier_key: str
    peer_id: int | None
    created_at: int
    removed_at: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A witness with the largest checkpoint it has cosigned, and when; None while it has cosigned none."""

    witness: Witness
    size: int | None
    at: int | None


def every(tx: Connection) -> list[Witness]:
    """Return every witness by name, removed ones too."""
    c = witness.c
    statement = select(c.id, c.name, c.verifier_key, c.peer_id, c.created_at, c.removed_at).order_by(c.name)
    return [Witness(*row) for row in tx.execute(statement)]


def active(tx: Connection) -> list[Seen]:
    """Return every witness that is not removed, by name, with the largest checkpoint it has cosigned."""
    c = cosignature.c
    largest = tx.execute(select(c.witness_id, func.max(c.size)).group_by(c.witness_id))
    sizes: dict[int, int] = dict(largest.all())
    found = []
    for one in every(tx):
        if one.removed_at is not None:
            continue
        size = sizes.get(one.id)
        at = tx.execute(select(c.at).where(c.witness_id == one.id, c.size == size)).scalar()
        found.append(Seen(one, size, at))
    return found


def add(tx: Connection, *, name: str, verifier_key: str, peer_id: int | None, now: int) -> bool:
    """Add a witness; say whether nobody has or had that name."""
    row = {"name": name, "verifier_key": verifier_key, "peer_id": peer_id, "created_at": now}
    return tx.execute(insert_or_leave(tx, witness).values(row).returning(witness.c.id)).scalar() is not None


def reinstate(tx: Connection, witness_id: int) -> None:
    """Make a removed witness one again."""
    tx.execute(update(witness).where(witness.c.id == witness_id).values(removed_at=None))


def remove(tx: Connection, witness_id: int, *, now: int) -> None:
    """Let a witness count no more; its cosignatures stay on record and are not shown."""
    tx.execute(update(witness).where(witness.c.id == witness_id).values(removed_at=now))


def cosign(tx: Connection, *, size: int, witness_id: int, at: int, line: str) -> bool:
    """Keep a cosignature of a checkpoint; say whether it is newer than the one there was.

    :param at: its own time, in microseconds since the epoch.
    """
    c = cosignature.c
    row = {"size": size, "witness_id": witness_id, "at": at, "line": line}
    if tx.execute(insert_or_leave(tx, cosignature).values(row).returning(c.size)).scalar() is not None:
        return True
    later = update(cosignature).where(c.size == size, c.witness_id == witness_id, c.at < at).values(at=at, line=line)
    return tx.execute(later).rowcount == 1
