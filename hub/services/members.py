"""Members of a trust group and their rights.

The operator adds and removes members. A moderator suspends, restores and sets rights, but gives nobody more than he has
himself, touches nobody who has more, and never his own membership.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection

from hub.domain.membership import Member, Peer, Right, TrustGroup
from hub.errors import Forbidden, NotFound
from hub.services import audit, deliveries, quantum_safe
from hub.services.acquaintance import known_peers
from hub.services.actor import (
    NO_MEMBER,
    NO_PEER,
    Actor,
    active,
    is_operator,
    known_member,
    limited,
    member_of,
    moderated_group,
    require_operator,
    require_reader,
    require_second,
    visible_group,
)
from hub.services.context import Hub
from hub.services.peers import require_ours
from hub.store import members as store
from hub.store import peers as peer_store


def listed(hub: Hub, actor: Actor, slug: str) -> tuple[TrustGroup, list[tuple[Peer, Member]]]:
    """Return the members the actor may know of, by handle; suspended ones only for those who can restore them.

    Raises NotFound.
    """
    require_reader(actor)
    with hub.db.read() as tx:
        trust_group, mine = visible_group(tx, actor, slug)
        known = known_peers(tx, limited(actor), trust_group)
        everyone = sorted(store.of_group(tx, trust_group.id), key=lambda row: row[0].handle)
    whole = is_operator(actor) or (mine is not None and Right.MODERATE in mine.rights)
    return trust_group, [row for row in everyone if row[0].id in known and (whole or active(*row))]


def shown(hub: Hub, actor: Actor, slug: str, handle: str) -> tuple[Peer, Member]:
    """Return one member out of `listed`. Raises NotFound."""
    for peer, member in listed(hub, actor, slug)[1]:
        if peer.handle == handle:
            return peer, member
    raise NotFound(NO_MEMBER)


def put(hub: Hub, actor: Actor, slug: str, handle: str, rights: AbstractSet[Right]) -> tuple[Peer, Member, bool]:
    """Set a member's rights, the whole set; an operator adds the peer when it is no member yet.

    Returns the peer, the membership and whether it is new. Raises NotFound, Forbidden.
    """
    require_reader(actor)
    with hub.db.write() as tx:
        return put_in(tx, hub, actor, slug, handle, rights)


def put_in(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    slug: str,
    handle: str,
    rights: AbstractSet[Right],
    *,
    second: Mapping[str, object] | None = None,
) -> tuple[Peer, Member, bool]:
    """Do what `put` does in a transaction; ``second`` is what the log says of the other moderator, if any."""
    trust_group, mine = moderated_group(tx, actor, slug)
    peer = peer_store.by_handle(tx, handle)
    before = store.get(tx, trust_group.id, 0 if peer is None else peer.id)
    if mine is not None:
        if before is None or before.peer_id not in known_peers(tx, limited(actor), trust_group):
            raise NotFound(NO_MEMBER)
        _guard(mine, before, rights)
        require_second(trust_group, second)
    if peer is None:
        raise NotFound(NO_PEER)
    if before is None:
        require_ours(peer)
        quantum_safe.refuse_for_member(trust_group, peer)
    now = hub.clock()
    with deliveries.noting_loss(tx, peer.id, now=now):
        member = store.put(tx, group_id=trust_group.id, peer_id=peer.id, rights=frozenset(rights), now=now)
    if before is None or before.rights != member.rights:
        action = "member.add" if before is None else "member.rights"
        names = sorted(right.value for right in rights)
        audit.record(tx, hub, actor, action, f"groups/{slug}/members/{handle}", rights=names, **second or {})
    return peer, member, before is None


def suspend(hub: Hub, actor: Actor, slug: str, handle: str) -> tuple[Peer, Member]:
    """Take a member out of every read and write of the group, keeping his rights for later. Raises NotFound."""
    return _set_suspended(hub, actor, slug, handle, suspended=True)


def restore(hub: Hub, actor: Actor, slug: str, handle: str) -> tuple[Peer, Member]:
    """Let a suspended member back in with the rights he had. Raises NotFound."""
    return _set_suspended(hub, actor, slug, handle, suspended=False)


def _set_suspended(hub: Hub, actor: Actor, slug: str, handle: str, *, suspended: bool) -> tuple[Peer, Member]:
    require_reader(actor)
    with hub.db.write() as tx:
        return set_suspended_in(tx, hub, actor, slug, handle, suspended=suspended)


def set_suspended_in(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    slug: str,
    handle: str,
    *,
    suspended: bool,
    second: Mapping[str, object] | None = None,
) -> tuple[Peer, Member]:
    """Do what `suspend` and `restore` do in a transaction; ``second`` as in `put_in`, to restore only."""
    trust_group, mine = moderated_group(tx, actor, slug)
    peer, member = known_member(tx, actor, trust_group, handle)
    if mine is not None:
        _guard(mine, member, member.rights)
        if not suspended:
            require_second(trust_group, second)
    if suspended != (member.suspended_at is not None):
        if suspended:
            now = hub.clock()
            with deliveries.noting_loss(tx, peer.id, now=now):
                store.suspend(tx, trust_group.id, peer.id, now)
        else:
            store.restore(tx, trust_group.id, peer.id)
        action = "member.suspend" if suspended else "member.restore"
        audit.record(tx, hub, actor, action, f"groups/{slug}/members/{handle}", **second or {})
    return member_of(tx, trust_group, handle)


def remove(hub: Hub, actor: Actor, slug: str, handle: str) -> None:
    """End a membership; what the peer has published stays. Only an operator can. Raises NotFound, Forbidden."""
    require_reader(actor)
    with hub.db.write() as tx:
        trust_group, _ = moderated_group(tx, actor, slug)
        peer, _ = known_member(tx, actor, trust_group, handle)
        require_operator(actor)
        with deliveries.noting_loss(tx, peer.id, now=hub.clock()):
            store.remove(tx, trust_group.id, peer.id)
        audit.record(tx, hub, actor, "member.remove", f"groups/{slug}/members/{handle}")


def _guard(mine: Member, target: Member, resulting: AbstractSet[Right]) -> None:
    """Raise Forbidden when a moderator reaches above himself, or for himself."""
    if target.peer_id == mine.peer_id:
        raise Forbidden("your own membership is changed by the operator or by another moderator")
    if not target.rights <= mine.rights:
        raise Forbidden("this member has a right that you have not; ask the operator")
    if not resulting <= mine.rights:
        raise Forbidden("you cannot give a right that you have not", field="rights")
