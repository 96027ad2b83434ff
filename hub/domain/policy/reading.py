"""May this peer read this stored version: the same rules that the read path enforces, most of them in SQL, one by one.

``cybex explain`` prints them; the leak matrix test compares them with what every endpoint really serves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.domain.membership import Member, effective_rights
from hub.domain.policy.decision import Decision, all_of, allow, deny

if TYPE_CHECKING:
    from hub.domain.audience import Audience


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """All that decides whether a peer sees a version. Times are microseconds since the epoch.

    :param member: the peer's membership in the group of the collection, None when it has none.
    :param override: (can_read, can_write) of this member on this collection; None inherits the group's rights.
    :param audience: as stored with the version.
    :param submitter_peer_id: who published the version; he is always inside the audience.
    :param partner_hub: the peer is another hub.
    """

    peer_id: int
    peer_suspended: bool
    group_id: int
    member: Member | None
    override: tuple[bool | None, bool | None] | None
    audience: Audience
    submitter_peer_id: int
    expires_at: int | None
    now: int
    partner_hub: bool


ReadRule = Callable[[ReadFacts], Decision]


def one_door(facts: ReadFacts) -> Decision:
    """Refuse another hub: what may cross is decided object by object under its agreement, and handed to it."""
    name = "one-door"
    if facts.partner_hub:
        return deny(name, "a hub reads nothing as a member; it is handed what its agreement lets cross")
    return allow(name, "the peer is not another hub")


def membership(facts: ReadFacts) -> Decision:
    """Refuse a suspended peer, a non-member and a suspended member."""
    name, member = "membership", facts.member
    if facts.peer_suspended:
        return deny(name, "the peer is suspended")
    if member is None or (member.group_id, member.peer_id) != (facts.group_id, facts.peer_id):
        return deny(name, "the peer is not a member of the group")
    if member.suspended_at is not None:
        return deny(name, "the peer's membership in the group is suspended")
    return allow(name, "the peer is an active member of the group")


def collection_rights(facts: ReadFacts) -> Decision:
    """Refuse a member without the right to read in the collection."""
    name = "collection-rights"
    rights = effective_rights(facts.member, facts.override)
    if rights is None or not rights.can_read:
        return deny(name, "the peer has no right to read in the collection")
    return allow(name, "the peer may read in the collection")


def audience(facts: ReadFacts) -> Decision:
    """Refuse a peer outside the audience that was settled when the version was published."""
    name = "audience"
    if facts.peer_id == facts.submitter_peer_id:
        return allow(name, "the peer published it")
    if not facts.audience.admits(facts.peer_id):
        return deny(name, _OUTSIDE[facts.audience.kind])
    return allow(name, _INSIDE[facts.audience.kind])


def expiry(facts: ReadFacts) -> Decision:
    """Refuse everybody from the instant the author's permission ends."""
    name = "expiry"
    if facts.expires_at is not None and facts.expires_at <= facts.now:
        return deny(name, "the author's permission has expired")
    return allow(name, "the author's permission stands")


READ_RULES: Final[tuple[ReadRule, ...]] = (one_door, membership, collection_rights, audience, expiry)

_OUTSIDE: Final = {
    "group": "the version is for nobody",
    "named": "the peer is not among the recipients the author named",
    "except": "the author excluded the peer",
}
_INSIDE: Final = {
    "group": "the version is for every member of the group",
    "named": "the author named the peer",
    "except": "the author did not exclude the peer",
}


def may_read(facts: ReadFacts) -> Decision:
    """Return the first refusal, else the permission of the last rule."""
    return all_of(rule(facts) for rule in READ_RULES)


def explain_read(facts: ReadFacts) -> tuple[Decision, ...]:
    """Return what every rule says, in order, also after a refusal."""
    return tuple(rule(facts) for rule in READ_RULES)
