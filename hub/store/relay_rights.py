"""Relay rights: who may make versions in a group in the name of an author who is another peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from hub.store.prepared import Prepared
from hub.store.tables import relay_right


@dataclass(frozen=True, slots=True)
class RelayRight:
    """One peer's right to publish for one author in one group."""

    group_id: int
    peer_id: int
    author_identity: str
    granted_at: int


def grant(tx: Connection, *, group_id: int, peer_id: int, author_identity: str, now: int) -> bool:
    """Say whether the right is new."""
    if author_identity in held(tx, group_id, peer_id):
        return False
    tx.execute(
        insert(relay_right).values(group_id=group_id, peer_id=peer_id, author_identity=author_identity, granted_at=now)
    )
    return True


def revoke(tx: Connection, *, group_id: int, peer_id: int, author_identity: str) -> bool:
    """Say whether the right was held and is no longer."""
    c = relay_right.c
    statement = delete(relay_right).where(
        c.group_id == group_id, c.peer_id == peer_id, c.author_identity == author_identity
    )
    return tx.execute(statement).rowcount == 1


_HELD: Final = Prepared(
    select(relay_right.c.author_identity).where(
        relay_right.c.group_id == bindparam("group_id"), relay_right.c.peer_id == bindparam("peer_id")
    )
)


def held(tx: Connection, group_id: int, peer_id: int) -> frozenset[str]:
    """Return the identities of the authors for whom the peer may make versions in the group."""
    return frozenset(author for (author,) in _HELD.rows(tx, group_id=group_id, peer_id=peer_id))


def of_group(tx: Connection, group_id: int) -> list[RelayRight]:
    """Return the relay rights of a group, by peer and author."""
    c = relay_right.c
    statement = select(c.group_id, c.peer_id, c.author_identity, c.granted_at).where(c.group_id == group_id)
    return [RelayRight(*row) for row in tx.execute(statement.order_by(c.peer_id, c.author_identity))]
