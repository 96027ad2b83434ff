"""The packs of a hub, for its operator: what was made and taken, and which receipts lack."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain import limits
from hub.domain.membership import Peer
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.services.relay import carried
from hub.store import packs
from hub.store import peers as peer_store
from hub.store.packs import StoredPack


@dataclass(frozen=True, slots=True)
class Listed:
    """One pack, and the hub that it went to or came from."""

    peer: Peer
    pack: StoredPack
    batches: int


def listed(hub: Hub, actor: Actor, handle: str | None = None) -> list[Listed]:
    """Return the newest packs to and from one hub, or all, the newest first. Operators only. Raises NotFound."""
    require_operator(actor)
    with hub.db.read() as tx:
        only = None if handle is None else carried.partner(tx, handle).id
        peers = {peer.id: peer for peer in peer_store.all(tx)}
        rows = packs.of_peer(tx, only, limit=limits.API_PAGE_MAX)
    return [Listed(peers[row.peer_id], row, len(carried.read_contents(row.positions).batches)) for row in rows]
