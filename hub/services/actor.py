"""Who is acting, and what follows from that: the caller of a request, or the operator at the hub's own machine.

Identity and role come from the credential only. Everything here asks about the object that is changed, found by its id;
what the actor may not know of is `NotFound` with one text per kind of thing, whether or not it exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from hub.domain.membership import HUB_HANDLE as HUB_HANDLE
from hub.domain.membership import Caller, Member, Peer, Right, Role, TrustGroup
from hub.errors import Forbidden, NotFound
from hub.services.acquaintance import known_peers, reader_id
from hub.store import groups as group_store
from hub.store import members as member_store
from hub.store import peers as peer_store

NO_PEER: Final = "there is no such peer"
NO_GROUP: Final = "there is no such group"
NO_MEMBER: Final = "there is no such member"


@dataclass(frozen=True, slots=True)
class LocalOperator:
    """Whoever can open the hub's database on its own machine; he needs no credential."""


Actor = Caller | LocalOperator

LOCAL_OPERATOR: Final = LocalOperator()


def is_operator(actor: Actor) -> bool:
    """Say whether the actor manages the hub. The role alone is not enough: the peer must be the hub's own."""
    if isinstance(actor, LocalOperator):
        return True
    return actor.role is Role.OPERATOR and actor.peer.handle == HUB_HANDLE


def limited(actor: Actor) -> Caller | None:
    """Return the caller whose sight is limited to his own groups, None for an operator, who sees everything."""
    return None if isinstance(actor, LocalOperator) or is_operator(actor) else actor


def require_operator(actor: Actor) -> None:
    """Raise Forbidden unless the actor manages the hub."""
    if not is_operator(actor):
        raise Forbidden("only an operator of the hub may do this")


def require_reader(actor: Actor) -> None:
    """Raise Forbidden for a feed: it has TAXII, the key directory and who-am-I, nothing else; and for another hub."""
    if isinstance(actor, Caller) and actor.peer.partner_hub:
        raise Forbidden("a hub exchanges through /api/v1/relay and reads nothing else here")
    if isinstance(actor, Caller) and actor.role is Role.FEED:
        raise Forbidden("a credential with the role feed is for TAXII and the key directory; use one of an analyst")


def _may_administer(actor: Actor) -> bool:
    return is_operator(actor) or (isinstance(actor, Caller) and actor.role is Role.ADMIN)


def require_administrator(actor: Actor) -> None:
    """Raise Forbidden unless the actor's role changes anything at all; asked before anything is looked up."""
    if not _may_administer(actor):
        raise Forbidden("this needs a credential with the role admin")


def visible_peers(tx: Connection, actor: Actor) -> list[Peer]:
    """Return the peers the actor may know of, by handle: himself, and whom his groups let him know of those active."""
    caller = limited(actor)
    if caller is None:
        return sorted(peer_store.all(tx), key=lambda peer: peer.handle)
    seen = {caller.peer.id: caller.peer}
    for trust_group in group_store.of_peer(tx, reader_id(caller.peer)):
        known = known_peers(tx, caller, trust_group)
        rows = member_store.of_group(tx, trust_group.id)
        seen.update((peer.id, peer) for peer, member in rows if peer.id in known and active(peer, member))
    return sorted(seen.values(), key=lambda peer: peer.handle)


def active(peer: Peer, member: Member) -> bool:
    """Say whether a member takes part: neither the membership nor the peer itself is suspended."""
    return peer.suspended_at is None and member.suspended_at is None


def visible_peer(tx: Connection, actor: Actor, handle: str) -> Peer:
    """Return a peer the actor may know of. Raises NotFound."""
    found = peer_store.by_handle(tx, handle)
    if limited(actor) is None:
        if found is None:
            raise NotFound(NO_PEER)
        return found
    # The same questions are asked of the database whether or not the handle exists.
    visible = {peer.id: peer for peer in visible_peers(tx, actor)}
    if found is None or found.id not in visible:
        raise NotFound(NO_PEER)
    return visible[found.id]


def managed_peer(tx: Connection, actor: Actor, handle: str) -> Peer:
    """Return a peer whose credentials and keys the actor manages: any for an operator, his own for an administrator.

    Raises NotFound for a peer he may not know of, Forbidden for one he merely sees.
    """
    require_administrator(actor)
    peer = visible_peer(tx, actor, handle)
    caller = limited(actor)
    if caller is not None and peer.id != caller.peer.id:
        raise Forbidden("these belong to another peer; only its own administrators and the operator manage them")
    return peer


def visible_groups(tx: Connection, actor: Actor) -> list[TrustGroup]:
    """Return the groups the actor may know of, by slug: all for an operator, else those he is active in."""
    caller = limited(actor)
    found = group_store.all(tx) if caller is None else group_store.of_peer(tx, reader_id(caller.peer))
    return sorted(found, key=lambda trust_group: trust_group.slug)


def visible_group(tx: Connection, actor: Actor, slug: str) -> tuple[TrustGroup, Member | None]:
    """Return a group the actor may know of and his membership, which only an operator may lack. Raises NotFound."""
    found = group_store.by_slug(tx, slug)
    mine = None
    if isinstance(actor, Caller):
        # id 0 is nobody's: the same query runs for a group that does not exist.
        mine = member_store.get(tx, 0 if found is None else found.id, reader_id(actor.peer))
    if found is None or not (is_operator(actor) or (mine is not None and mine.suspended_at is None)):
        raise NotFound(NO_GROUP)
    return found, mine


def moderated_group(tx: Connection, actor: Actor, slug: str) -> tuple[TrustGroup, Member | None]:
    """Return a group whose members the actor manages, and his membership (None for an operator).

    A moderator is an administrator of a peer that has the right to moderate.
    Raises NotFound when he may not know of the group, Forbidden when he does not moderate it.
    """
    require_administrator(actor)
    trust_group, mine = visible_group(tx, actor, slug)
    if is_operator(actor):
        return trust_group, None
    if mine is None or Right.MODERATE not in mine.rights:
        raise Forbidden("only a moderator of this group or the operator may do this")
    return trust_group, mine


def require_second(trust_group: TrustGroup, second: object) -> None:
    """Raise Forbidden for a moderator alone where the group wants two; ``second`` is None when there is no other."""
    if trust_group.two_person and second is None:
        raise Forbidden("this group wants two moderators for this; propose it over the API")


def operated_group(tx: Connection, actor: Actor, slug: str) -> TrustGroup:
    """Return a group whose settings the actor changes. Raises NotFound, or Forbidden for a member of it."""
    trust_group, _ = visible_group(tx, actor, slug)
    require_operator(actor)
    return trust_group


def known_member(tx: Connection, actor: Actor, trust_group: TrustGroup, handle: str) -> tuple[Peer, Member]:
    """Return a member of a group, suspended or not, of whom the actor may know. Raises NotFound for any other peer."""
    known = known_peers(tx, limited(actor), trust_group)
    peer, member = member_of(tx, trust_group, handle)
    if peer.id not in known:
        raise NotFound(NO_MEMBER)
    return peer, member


def member_of(tx: Connection, trust_group: TrustGroup, handle: str) -> tuple[Peer, Member]:
    """Return a member of a group, suspended or not. Raises NotFound for any other peer."""
    peer = peer_store.by_handle(tx, handle)
    member = member_store.get(tx, trust_group.id, 0 if peer is None else peer.id)
    if peer is None or member is None:
        raise NotFound(NO_MEMBER)
    return peer, member
