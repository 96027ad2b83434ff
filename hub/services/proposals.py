"""The two-person rule: what a moderator changes in members and rights waits until a second one confirms it.

A group may ask for it (`TrustGroup.two_person`). To suspend a member and an operator's own acts take effect at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.membership import Caller, Member, Peer, Right, Role, TrustGroup
from hub.errors import Conflict, CybexError, Forbidden, NotFound
from hub.services import audit, collections, members
from hub.services.acquaintance import known_peers, knows_members
from hub.services.actor import Actor, limited, moderated_group, require_reader
from hub.services.collections import MemberRights
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.store import peers as peer_store
from hub.store import proposals as store
from hub.store.collections import Override
from hub.store.proposals import CONFIRMED, OPEN, REJECTED, Proposal

NO_PROPOSAL: Final = "there is no such proposal"
EXPIRED: Final = "expired"
RIGHTS: Final = "member.rights"
RESTORE: Final = "member.restore"
COLLECTION: Final = "collection.rights"


@dataclass(frozen=True, slots=True)
class NamedProposal:
    """A proposal with the handles of who made and who decided it; None for one the reader may not know, and for nobody.

    :param state: open, confirmed, rejected, or expired.
    """

    proposal: Proposal
    proposed_by: str | None
    decided_by: str | None
    state: str


def put_member(
    hub: Hub, actor: Actor, slug: str, handle: str, rights: AbstractSet[Right]
) -> tuple[Peer, Member, bool] | NamedProposal:
    """Set a member's rights, or propose to; see `hub.services.members.put`."""
    detail = {"handle": handle, "rights": sorted(right.value for right in rights)}
    proposed = _proposed(hub, actor, slug, RIGHTS, f"groups/{slug}/members/{handle}", detail)
    return proposed or members.put(hub, actor, slug, handle, rights)


def restore_member(hub: Hub, actor: Actor, slug: str, handle: str) -> tuple[Peer, Member] | NamedProposal:
    """Let a suspended member back in, or propose to; see `hub.services.members.restore`."""
    proposed = _proposed(hub, actor, slug, RESTORE, f"groups/{slug}/members/{handle}", {"handle": handle})
    return proposed or members.restore(hub, actor, slug, handle)


def set_rights(
    hub: Hub, actor: Actor, slug: str, ref: str, handle: str, override: Override
) -> MemberRights | NamedProposal:
    """Change a member's rights in a collection, or propose to; see `hub.services.collections.set_rights`."""
    detail = {"collection": ref, "handle": handle, "can_read": override[0], "can_write": override[1]}
    subject = f"groups/{slug}/collections/{ref}/rights/{handle}"
    proposed = _proposed(hub, actor, slug, COLLECTION, subject, detail)
    return proposed or collections.set_rights(hub, actor, slug, ref, handle, override)


def listed(hub: Hub, actor: Actor, slug: str) -> list[NamedProposal]:
    """Return the proposals of a group, decided ones too, the oldest first; for those who may confirm them."""
    require_reader(actor)
    with hub.db.read() as tx:
        trust_group, mine = moderated_group(tx, actor, slug)
        return _visible(tx, hub, actor, trust_group, mine)


def shown(hub: Hub, actor: Actor, slug: str, uuid: str) -> NamedProposal:
    """Return one proposal out of `listed`. Raises NotFound."""
    for one in listed(hub, actor, slug):
        if one.proposal.uuid == uuid:
            return one
    raise NotFound(NO_PROPOSAL)


def confirm(hub: Hub, actor: Caller, slug: str, uuid: str) -> NamedProposal:
    """Carry out what another moderator proposed, as if both did it at this moment.

    1. It is open, and not expired. 2. Who confirms is not who proposed. 3. Who proposed may still do it.
    4. Who confirms may do it: he does it, and the log names both.

    Raises NotFound, Forbidden, Conflict; nothing has changed then.
    """
    require_reader(actor)
    with hub.db.write() as tx:
        trust_group, mine = moderated_group(tx, actor, slug)
        proposal = _open(tx, hub, actor, trust_group, mine, uuid)
        if actor.peer.id == proposal.proposed_by:  # 2
            raise Forbidden("you proposed this yourself; another moderator has to confirm it")
        if not store.decide(tx, proposal.id, CONFIRMED, by=actor.peer.id, now=hub.clock()):  # 1
            raise Conflict("it was decided at this moment by somebody else")
        proposer = peer_store.by_id(tx, proposal.proposed_by)
        try:  # 3
            if proposer.suspended_at is not None:
                raise Forbidden("suspended")
            _tried(tx, hub, replace(actor, peer=proposer, role=Role.ADMIN), slug, proposal.action, proposal.detail)
        except CybexError:
            raise Conflict("whoever proposed it may not do it any more, or it is without object; reject it") from None
        beside = {"proposal": uuid, "proposed_by": proposer.identity}
        _done(tx, hub, actor, slug, proposal.action, proposal.detail, beside)  # 4
    return shown(hub, actor, slug, uuid)


def reject(hub: Hub, actor: Actor, slug: str, uuid: str) -> NamedProposal:
    """Let a proposal fall; its maker may do that too. Raises NotFound, Forbidden, Conflict."""
    require_reader(actor)
    with hub.db.write() as tx:
        trust_group, mine = moderated_group(tx, actor, slug)
        proposal = _open(tx, hub, actor, trust_group, mine, uuid)
        if not store.decide(tx, proposal.id, REJECTED, by=_peer_id(actor), now=hub.clock()):
            raise Conflict("it was decided at this moment by somebody else")
        proposer = peer_store.by_id(tx, proposal.proposed_by)
        subject = f"groups/{slug}/proposals/{uuid}"
        audit.record(tx, hub, actor, "proposal.reject", subject, proposer.id, proposed_by=proposer.identity)
    return shown(hub, actor, slug, uuid)


def _proposed(
    hub: Hub, actor: Actor, slug: str, action: str, subject: str, detail: Mapping[str, Any]
) -> NamedProposal | None:
    """Return the proposal that the group's rule makes of a change; None where the actor may do it alone.

    It is tried and undone first, so that nothing is proposed that its maker could not do.
    """
    require_reader(actor)
    with hub.db.write() as tx:
        trust_group, mine = moderated_group(tx, actor, slug)
        if mine is None or not trust_group.two_person:
            return None
        _tried(tx, hub, actor, slug, action, detail)
        now = hub.clock()
        for one in store.of_group(tx, trust_group.id):
            same = (one.action, one.subject, one.detail, one.proposed_by) == (action, subject, detail, mine.peer_id)
            if same and one.state == OPEN and one.expires_at > now:
                return _named(tx, hub, actor, trust_group, one)
        if store.count_open(tx, trust_group.id, now) >= limits.PROPOSALS_PER_GROUP:
            raise Conflict("too many proposals wait in this group; confirm or reject some first")
        made = store.add(
            tx,
            uuid=uuid4(hub.token_bytes),
            group_id=trust_group.id,
            action=action,
            subject=subject,
            detail=detail,
            proposed_by=mine.peer_id,
            now=now,
            expires_at=now + limits.PROPOSAL_LIFETIME_SECONDS * 1_000_000,
        )
        audit.record(
            tx, hub, actor, "proposal.add", f"groups/{slug}/proposals/{made.uuid}", None, change=action, of=subject
        )
        return _named(tx, hub, actor, trust_group, made)


def _tried(tx: Connection, hub: Hub, actor: Actor, slug: str, action: str, detail: Mapping[str, Any]) -> None:
    """Make sure that the actor may do it, by doing it and taking it back."""
    with tx.begin_nested() as trial:
        _done(tx, hub, actor, slug, action, detail, {})
        trial.rollback()


def _done(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    slug: str,
    action: str,
    detail: Mapping[str, Any],
    beside: Mapping[str, object],
) -> None:
    if action == RIGHTS:
        rights = frozenset(Right(name) for name in detail["rights"])
        members.put_in(tx, hub, actor, slug, detail["handle"], rights, second=beside)
    elif action == RESTORE:
        members.set_suspended_in(tx, hub, actor, slug, detail["handle"], suspended=False, second=beside)
    elif action == COLLECTION:
        override = (detail["can_read"], detail["can_write"])
        collections.set_rights_in(tx, hub, actor, slug, detail["collection"], detail["handle"], override, second=beside)
    else:
        raise AssertionError("an action that nobody proposes")


def _visible(
    tx: Connection, hub: Hub, actor: Actor, trust_group: TrustGroup, mine: Member | None
) -> list[NamedProposal]:
    """Return the proposals about members whom the actor may know of, and his own."""
    found = store.of_group(tx, trust_group.id)
    if limited(actor) is not None and not knows_members(trust_group, mine):
        known, own = known_peers(tx, limited(actor), trust_group), _peer_id(actor)
        handles = {peer.handle for peer in peer_store.all(tx) if peer.id in known}
        found = [one for one in found if one.proposed_by == own or one.detail["handle"] in handles]
    return [_named(tx, hub, actor, trust_group, one) for one in found]


def _open(tx: Connection, hub: Hub, actor: Actor, trust_group: TrustGroup, mine: Member | None, uuid: str) -> Proposal:
    for one in _visible(tx, hub, actor, trust_group, mine):
        if one.proposal.uuid == uuid:
            if one.state != OPEN:
                raise Conflict(f"this proposal is {one.state}; propose it again")
            return one.proposal
    raise NotFound(NO_PROPOSAL)


def _named(tx: Connection, hub: Hub, actor: Actor, trust_group: TrustGroup, one: Proposal) -> NamedProposal:
    known = known_peers(tx, limited(actor), trust_group)

    def handle(peer_id: int | None) -> str | None:
        return peer_store.by_id(tx, peer_id).handle if peer_id is not None and peer_id in known else None

    state = EXPIRED if one.state == OPEN and one.expires_at <= hub.clock() else one.state
    return NamedProposal(one, handle(one.proposed_by), handle(one.decided_by), state)


def _peer_id(actor: Actor) -> int | None:
    return actor.peer.id if isinstance(actor, Caller) else None
