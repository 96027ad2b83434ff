"""Relay rights: who may make versions for an author who is another peer. Granted per group by the operator."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain import naming
from hub.domain.membership import Peer
from hub.errors import NotFound
from hub.services import audit
from hub.services.acquaintance import known_peers
from hub.services.actor import Actor, limited, member_of, moderated_group, operated_group, require_reader
from hub.services.context import Hub
from hub.store import members as member_store
from hub.store import relay_rights as store

NO_RELAY_RIGHT = "there is no such relay right"


@dataclass(frozen=True, slots=True)
class RelayRight:
    """A member may publish new versions of what this author made."""

    peer: Peer
    author_identity: str


def listed(hub: Hub, actor: Actor, slug: str) -> list[RelayRight]:
    """Return the relay rights of a group by handle and author; for those who manage its members. Raises NotFound."""
    require_reader(actor)
    with hub.db.read() as tx:
        trust_group, _ = moderated_group(tx, actor, slug)
        known = known_peers(tx, limited(actor), trust_group)
        rows = [
            RelayRight(peer, author)
            for peer, _ in member_store.of_group(tx, trust_group.id)
            if peer.id in known
            for author in store.held(tx, trust_group.id, peer.id)
        ]
    return sorted(rows, key=lambda row: (row.peer.handle, row.author_identity))


def grant(hub: Hub, actor: Actor, slug: str, handle: str, author_identity: str) -> tuple[RelayRight, bool]:
    """Let a member make versions for an author; granting again changes nothing.

    Returns the right and whether it is new. Raises NotFound, Forbidden.
    """
    require_reader(actor)
    naming.identity(author_identity, "author_identity")
    with hub.db.write() as tx:
        trust_group = operated_group(tx, actor, slug)
        peer, _ = member_of(tx, trust_group, handle)
        new = author_identity not in store.held(tx, trust_group.id, peer.id)
        if new:
            store.grant(tx, group_id=trust_group.id, peer_id=peer.id, author_identity=author_identity, now=hub.clock())
            audit.record(tx, hub, actor, "relay-right.grant", f"groups/{slug}/members/{handle}", author=author_identity)
    return RelayRight(peer, author_identity), new


def revoke(hub: Hub, actor: Actor, slug: str, handle: str, author_identity: str) -> None:
    """Take a relay right back; what was published under it stays. Raises NotFound, Forbidden."""
    require_reader(actor)
    with hub.db.write() as tx:
        trust_group = operated_group(tx, actor, slug)
        peer, _ = member_of(tx, trust_group, handle)
        if author_identity not in store.held(tx, trust_group.id, peer.id):
            raise NotFound(NO_RELAY_RIGHT)
        store.revoke(tx, group_id=trust_group.id, peer_id=peer.id, author_identity=author_identity)
        audit.record(tx, hub, actor, "relay-right.revoke", f"groups/{slug}/members/{handle}", author=author_identity)
