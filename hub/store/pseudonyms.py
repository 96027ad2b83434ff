"""Pseudonyms, and whose they are: asked by the hub for its own decisions, never for an answer to a member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, insert, select

from hub.domain.pseudonym import Pseudonym
from hub.store.conflicts import refusing_duplicates
from hub.store.prepared import Prepared
from hub.store.tables import peer, pseudonym

_COLUMNS = (
    pseudonym.c.id,
    pseudonym.c.group_id,
    pseudonym.c.peer_id,
    pseudonym.c.identity,
    pseudonym.c.name,
    pseudonym.c.created_at,
)


def add(tx: Connection, *, group_id: int, peer_id: int, identity: str, name: str, now: int) -> Pseudonym:
    """Return the new pseudonym. Raises Conflict when the peer has one in the group."""
    values = {"group_id": group_id, "peer_id": peer_id, "identity": identity, "name": name, "created_at": now}
    with refusing_duplicates(tx, "you have a pseudonym in this group already", field="group"):
        row = tx.execute(insert(pseudonym).values(values).returning(*_COLUMNS)).one()
    return Pseudonym(*row)


def of_peer(tx: Connection, group_id: int, peer_id: int) -> Pseudonym | None:
    """Return the pseudonym of a peer in a group: it stays the same for ever, also while the peer is no member."""
    condition = (pseudonym.c.group_id == group_id, pseudonym.c.peer_id == peer_id)
    row = tx.execute(select(*_COLUMNS).where(*condition)).one_or_none()
    return None if row is None else Pseudonym(*row)


def by_identity(tx: Connection, identity: str) -> Pseudonym | None:
    """Return the pseudonym with this identity, in whatever group."""
    row = tx.execute(select(*_COLUMNS).where(pseudonym.c.identity == identity)).one_or_none()
    return None if row is None else Pseudonym(*row)


def of_identities(tx: Connection, identities: Sequence[str]) -> list[Pseudonym]:
    """Return those of these identities, at most some hundred, that are pseudonyms."""
    return [Pseudonym(*row) for row in tx.execute(select(*_COLUMNS).where(pseudonym.c.identity.in_(identities)))]


_ALL: Final = Prepared(select(*_COLUMNS).order_by(pseudonym.c.id))


def all(tx: Connection) -> list[Pseudonym]:  # noqa: A001 - read as pseudonyms.all(tx)
    """Return every pseudonym of the hub, the oldest first."""
    return [Pseudonym(*row) for row in _ALL.rows(tx)]


def owners(tx: Connection, group_id: int) -> dict[str, int]:
    """Return the peer id of every identity that may be an author in a group: the peers' own, and its pseudonyms."""
    found = {row.identity: row.id for row in tx.execute(select(peer.c.identity, peer.c.id))}
    rows = tx.execute(select(pseudonym.c.identity, pseudonym.c.peer_id).where(pseudonym.c.group_id == group_id))
    return found | {row.identity: row.peer_id for row in rows}


def identities_of(tx: Connection, peer_id: int) -> list[str]:
    """Return every identity under which a peer publishes, its own first."""
    own = tx.execute(select(peer.c.identity).where(peer.c.id == peer_id)).scalars().all()
    names = select(pseudonym.c.identity).where(pseudonym.c.peer_id == peer_id).order_by(pseudonym.c.id)
    return [*own, *tx.execute(names).scalars()]
