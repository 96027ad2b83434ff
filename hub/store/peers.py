"""Peers: the organisations the hub knows."""

from __future__ import annotations

from types import EllipsisType

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select
from sqlalchemy import update as update_rows

from hub.domain.membership import HUB_HANDLE, Peer, PeerKind, QuantumSafe
from hub.errors import NotFound
from hub.store.conflicts import refusing_duplicates
from hub.store.rows import peer_of
from hub.store.tables import peer


def add(
    tx: Connection,
    *,
    handle: str,
    name: str,
    kind: PeerKind | str,
    identity: str,
    country: str | None,
    itu_region: str | None,
    now: int,
    home_peer_id: int | None = None,
) -> Peer:
    """Return the new peer. Raises Conflict when the handle or the identity is another peer's."""
    values = {
        "handle": handle,
        "name": name,
        "kind": PeerKind(kind).value,
        "identity": identity,
        "country": country,
        "itu_region": itu_region,
        "created_at": now,
        "home_peer_id": home_peer_id,
    }
    with refusing_duplicates(tx, "a peer with this handle or identity exists already", field="handle"):
        return peer_of(tx.execute(insert(peer).values(values).returning(*peer.c)).one())


def by_id(tx: Connection, peer_id: int) -> Peer:
    """Return the peer with this id, which came out of the database. Raises NotFound."""
    found = _one(tx, peer.c.id == peer_id)
    if found is None:
        raise NotFound("there is no such peer")
    return found


def by_handle(tx: Connection, handle: str) -> Peer | None:
    """Return a peer by its handle."""
    return _one(tx, peer.c.handle == handle)


def by_identity(tx: Connection, identity: str) -> Peer | None:
    """Return a peer by the id of its STIX identity object."""
    return _one(tx, peer.c.identity == identity)


def all(tx: Connection) -> list[Peer]:  # noqa: A001 - read as peers.all(tx)
    """Return every peer, by handle."""
    return [peer_of(row) for row in tx.execute(select(peer).order_by(peer.c.handle))]


def identities(tx: Connection) -> dict[str, int]:
    """Return the peer id of every STIX identity that is a peer of this hub, suspended ones included."""
    return {row.identity: row.id for row in tx.execute(select(peer.c.identity, peer.c.id))}


def elsewhere(tx: Connection) -> frozenset[int]:
    """Return the ids of the peers that read nothing here: other hubs, and authors who are at home there."""
    other = and_(peer.c.kind == PeerKind.HUB.value, peer.c.handle != HUB_HANDLE)
    return frozenset(tx.execute(select(peer.c.id).where(or_(peer.c.home_peer_id.is_not(None), other))).scalars())


def update(
    tx: Connection,
    peer_id: int,
    *,
    name: str | EllipsisType = ...,
    kind: PeerKind | str | EllipsisType = ...,
    country: str | EllipsisType | None = ...,
    itu_region: str | EllipsisType | None = ...,
    quantum_safe: QuantumSafe | EllipsisType = ...,
    quota_objects: int | EllipsisType | None = ...,
    quota_octets: int | EllipsisType | None = ...,
) -> Peer:
    """Return the peer with what was given changed. Raises NotFound."""
    given = {
        "name": name,
        "kind": kind if isinstance(kind, EllipsisType) else PeerKind(kind).value,
        "country": country,
        "itu_region": itu_region,
        "quantum_safe": quantum_safe if isinstance(quantum_safe, EllipsisType) else quantum_safe.value,
        "quota_objects": quota_objects,
        "quota_octets": quota_octets,
    }
    return _change(tx, peer_id, {key: value for key, value in given.items() if value is not ...})


def suspend(tx: Connection, peer_id: int, now: int) -> Peer:
    """Return the peer, suspended since the first time this was called. Raises NotFound."""
    tx.execute(update_rows(peer).where(peer.c.id == peer_id, peer.c.suspended_at.is_(None)).values(suspended_at=now))
    return _change(tx, peer_id, {})


def restore(tx: Connection, peer_id: int) -> Peer:
    """Return the peer, suspended no longer. Raises NotFound."""
    return _change(tx, peer_id, {"suspended_at": None})


def come_home(tx: Connection, peer_id: int) -> Peer:
    """Return the peer, which is this hub's own to know from now on, and no longer as another hub introduced it."""
    return _change(tx, peer_id, {"home_peer_id": None})


def _change(tx: Connection, peer_id: int, values: dict[str, object]) -> Peer:
    if values:
        tx.execute(update_rows(peer).where(peer.c.id == peer_id).values(values))
    return by_id(tx, peer_id)


def _one(tx: Connection, condition: ColumnElement[bool]) -> Peer | None:
    row = tx.execute(select(peer).where(condition)).one_or_none()
    return None if row is None else peer_of(row)
