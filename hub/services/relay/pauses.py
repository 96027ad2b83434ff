"""A link that its operator has paused: nothing crosses it in either direction, whoever calls."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from hub.domain.membership import Peer
from hub.errors import Forbidden
from hub.store import links

PAUSED: Final = "the link between our hubs is paused by the operator; it goes on where it stopped"


def require_open(tx: Connection, peer: Peer) -> None:
    """Raise Forbidden while the link to a hub is paused; the other hub tries again later and loses nothing."""
    link = links.get(tx, peer.id)
    if link is not None and link.paused_at is not None:
        raise Forbidden(PAUSED)
