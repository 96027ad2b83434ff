"""Key statements as they were signed: every change of every key, for ever."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from hub.store.batches import batches
from hub.store.tables import key_statement


def add(tx: Connection, *, key_id: int, action: str, at: int, statement: bytes) -> None:
    """Keep a statement about a key in the transaction of the change it makes."""
    tx.execute(insert(key_statement).values(key_id=key_id, action=action, at=at, statement=statement))


def of_keys(tx: Connection, key_ids: Iterable[int]) -> dict[int, list[bytes]]:
    """Return the statements about each of these keys, the oldest first; a key nobody spoke of is left out."""
    found: dict[int, list[bytes]] = {}
    c = key_statement.c
    for some in batches(sorted(key_ids)):
        rows = tx.execute(select(c.key_id, c.statement).where(c.key_id.in_(some)).order_by(c.id))
        for key_id, statement in rows:
            found.setdefault(key_id, []).append(bytes(statement))
    return found
