"""In whose name the hub signs: its own peer, which `cybex init` makes."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.errors import ConfigError
from hub.services.actor import HUB_HANDLE
from hub.store import peers as peer_store


def hub_identity(tx: Connection) -> str:
    """Return the STIX identity of the hub's own peer. Raises ConfigError on a hub that was never initialised."""
    own = peer_store.by_handle(tx, HUB_HANDLE)
    if own is None:
        raise ConfigError("the hub has no peer of its own to sign for; run: cybex init")
    return own.identity
