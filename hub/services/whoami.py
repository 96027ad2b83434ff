"""What a caller may know about himself, whatever his role."""

from __future__ import annotations

from hub.domain.membership import Caller, Member, TrustGroup
from hub.services import access
from hub.services.context import Hub
from hub.store import members as member_store


def memberships(hub: Hub, caller: Caller) -> list[tuple[TrustGroup, Member]]:
    """Return the groups the caller's peer is active in and its membership in each, by slug."""
    with hub.db.read() as tx:
        found = [
            (trust_group, member_store.get(tx, trust_group.id, caller.peer.id))
            for trust_group in access.groups(tx, caller)
        ]
    rows = [(trust_group, member) for trust_group, member in found if member is not None]
    return sorted(rows, key=lambda row: row[0].slug)
