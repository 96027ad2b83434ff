"""Statements about keys as a peer of the cast signs them."""

from __future__ import annotations

from typing import Any

from hub.client import key_statements
from hub.domain.key_material import PrivateKey
from hub.services import peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub


def names(hub: Hub, handle: str) -> dict[str, Any]:
    """Return what every statement of a peer of this hub says: who, for which hub, and when."""
    return {
        "peer": peers.shown(hub, OPERATOR, handle).identity,
        "hub": peers.shown(hub, OPERATOR, "hub").identity,
        "at": hub.clock(),
    }


def enrolment(at_hub: Hub, handle: str, key: PrivateKey, **more: Any) -> dict[str, Any]:
    """Return the proof of possession of a key."""
    return key_statements.enrolment(key, **names(at_hub, handle) | more)


def rotation(at_hub: Hub, handle: str, old: PrivateKey, new: PrivateKey, **more: Any) -> dict[str, Any]:
    """Return the statement of both keys that one replaces the other."""
    return key_statements.rotation(old, new, **names(at_hub, handle) | more)


def withdrawal(at_hub: Hub, handle: str, key: PrivateKey, kid: str, reason: str, **more: Any) -> dict[str, Any]:
    """Return the statement that a key counts no more, signed by one that stands."""
    return key_statements.withdrawal(key, kid, reason=reason, **names(at_hub, handle) | more)
