"""Two persons: what a moderator changes waits for a second one, who does it as if both did it then."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain import limits
from hub.domain.membership import Right, Role
from hub.errors import Conflict, Forbidden, NotFound
from hub.services import audit, collections, groups, members, peers, proposals
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.services.proposals import NamedProposal
from tests.services.cast import ALL, BOTH, SECOND, Cast, clock_of

READ, WRITE = Right.READ, Right.WRITE


@pytest.fixture
def two(cast: Cast) -> Cast:
    """alpha wants two persons; cc moderates it beside aa."""
    members.put(cast.hub, OPERATOR, "alpha", "cc", set(ALL))
    groups.update(cast.hub, OPERATOR, "alpha", two_person=True)
    return cast


def propose(cast: Cast, rights: frozenset[Right] = frozenset({READ}), part: str = "moderator") -> NamedProposal:
    made = proposals.put_member(cast.hub, cast.caller(part), "alpha", "bb", rights)
    assert isinstance(made, NamedProposal)
    return made


def rights_of(hub: Hub, handle: str = "bb") -> frozenset[Right]:
    return members.shown(hub, OPERATOR, "alpha", handle)[1].rights


def test_what_a_moderator_changes_waits_and_the_second_one_does_it(two: Cast) -> None:
    made = propose(two)
    assert (made.state, made.proposed_by, rights_of(two.hub)) == ("open", "aa", frozenset(BOTH))
    second = two.caller("foreign")
    assert [one.proposal.uuid for one in proposals.listed(two.hub, second, "alpha")] == [made.proposal.uuid]
    done = proposals.confirm(two.hub, second, "alpha", made.proposal.uuid)
    assert (done.state, done.decided_by, rights_of(two.hub)) == ("confirmed", "cc", frozenset({READ}))
    (line,) = audit.recent(two.hub, OPERATOR, limit=1)
    assert (line.line.action, line.handle) == ("member.rights", "cc")
    assert line.line.detail["proposed_by"] == peers.shown(two.hub, OPERATOR, "aa").identity
    with pytest.raises(Conflict):
        proposals.confirm(two.hub, second, "alpha", made.proposal.uuid)


def test_who_proposed_it_cannot_confirm_it_with_any_of_his_credentials(two: Cast) -> None:
    made = propose(two)
    two.issue("again", "aa", Role.ADMIN)
    for part in ("moderator", "again"):
        with pytest.raises(Forbidden, match="another moderator"):
            proposals.confirm(two.hub, two.caller(part), "alpha", made.proposal.uuid)
    assert rights_of(two.hub) == frozenset(BOTH)
    assert proposals.shown(two.hub, OPERATOR, "alpha", made.proposal.uuid).state == "open"


@pytest.mark.parametrize("part", ["admin", "analyst", "moderating-analyst", "suspended-member", "lonely"])
def test_nobody_else_sees_or_confirms(part: str, two: Cast) -> None:
    made = propose(two)
    for act in (proposals.confirm, proposals.reject, proposals.shown):
        with pytest.raises((Forbidden, NotFound)):
            act(two.hub, two.caller(part), "alpha", made.proposal.uuid)


def _loses_right(hub: Hub) -> None:
    members.put(hub, OPERATOR, "alpha", "aa", set(BOTH))


def _is_suspended(hub: Hub) -> None:
    members.suspend(hub, OPERATOR, "alpha", "aa")


def _peer_is_suspended(hub: Hub) -> None:
    peers.update(hub, OPERATOR, "aa", suspended=True)


def _member_rises(hub: Hub) -> None:
    members.put(hub, OPERATOR, "alpha", "aa", {READ, Right.MODERATE})


def _target_leaves(hub: Hub) -> None:
    members.remove(hub, OPERATOR, "alpha", "bb")


@pytest.mark.parametrize("happens", [_loses_right, _is_suspended, _peer_is_suspended, _member_rises, _target_leaves])
def test_it_is_void_when_its_maker_could_not_do_it_any_more(happens: Any, two: Cast) -> None:
    made = propose(two)
    happens(two.hub)
    with pytest.raises(Conflict):
        proposals.confirm(two.hub, two.caller("foreign"), "alpha", made.proposal.uuid)
    if happens is not _target_leaves:
        assert rights_of(two.hub) == frozenset(BOTH)


def test_who_confirms_must_be_able_to_do_it_himself(two: Cast) -> None:
    made = propose(two, frozenset({READ, WRITE, Right.MODERATE}))
    members.put(two.hub, OPERATOR, "alpha", "cc", {READ, Right.MODERATE})
    with pytest.raises(Forbidden):
        proposals.confirm(two.hub, two.caller("foreign"), "alpha", made.proposal.uuid)
    assert proposals.shown(two.hub, OPERATOR, "alpha", made.proposal.uuid).state == "open"


def test_it_expires(two: Cast) -> None:
    made = propose(two)
    clock_of(two.hub).now += limits.PROPOSAL_LIFETIME_SECONDS * SECOND
    assert proposals.shown(two.hub, OPERATOR, "alpha", made.proposal.uuid).state == "expired"
    with pytest.raises(Conflict, match="expired"):
        proposals.confirm(two.hub, two.caller("foreign"), "alpha", made.proposal.uuid)


def test_a_rejected_one_stays_rejected_and_its_maker_may_reject_it(two: Cast) -> None:
    made = propose(two)
    assert proposals.reject(two.hub, two.caller("moderator"), "alpha", made.proposal.uuid).state == "rejected"
    with pytest.raises(Conflict):
        proposals.confirm(two.hub, two.caller("foreign"), "alpha", made.proposal.uuid)


def test_nothing_is_proposed_that_one_could_not_do(two: Cast) -> None:
    moderator = two.caller("moderator")
    for handle, error in (("aa", Forbidden), ("ff", NotFound)):
        with pytest.raises(error):
            proposals.put_member(two.hub, moderator, "alpha", handle, {READ})
    assert proposals.listed(two.hub, OPERATOR, "alpha") == []


def test_the_same_again_is_the_same_proposal_and_they_are_bounded(two: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert propose(two).proposal.uuid == propose(two).proposal.uuid
    monkeypatch.setattr(limits, "PROPOSALS_PER_GROUP", 1)
    with pytest.raises(Conflict):
        propose(two, frozenset())


def test_suspending_acts_at_once_and_restoring_takes_two(two: Cast) -> None:
    moderator = two.caller("moderator")
    assert members.suspend(two.hub, moderator, "alpha", "bb")[1].suspended_at is not None
    made = proposals.restore_member(two.hub, moderator, "alpha", "bb")
    assert isinstance(made, NamedProposal)
    proposals.confirm(two.hub, two.caller("foreign"), "alpha", made.proposal.uuid)
    assert members.shown(two.hub, OPERATOR, "alpha", "bb")[1].suspended_at is None


def test_rights_in_a_collection_take_two(two: Cast) -> None:
    made = proposals.set_rights(two.hub, two.caller("moderator"), "alpha", "incidents", "bb", (None, False))
    assert isinstance(made, NamedProposal)

    def override() -> Any:
        return {row.peer.handle: row.override for row in collections.rights(two.hub, OPERATOR, "alpha", "incidents")}[
            "bb"
        ]

    assert override() == (None, None)
    proposals.confirm(two.hub, two.caller("foreign"), "alpha", made.proposal.uuid)
    assert override() == (None, False)


def test_there_is_no_way_around(two: Cast) -> None:
    moderator = two.caller("moderator")
    members.suspend(two.hub, moderator, "alpha", "bb")
    acts: list[Any] = [
        lambda: members.put(two.hub, moderator, "alpha", "bb", {READ}),
        lambda: members.restore(two.hub, moderator, "alpha", "bb"),
        lambda: collections.set_rights(two.hub, moderator, "alpha", "incidents", "bb", (None, False)),
    ]
    for act in acts:
        with pytest.raises(Forbidden, match="two moderators"):
            act()


def test_an_operator_acts_alone_and_other_groups_are_as_before(two: Cast) -> None:
    operator = two.caller("operator")
    assert not isinstance(proposals.put_member(two.hub, operator, "alpha", "bb", {READ}), NamedProposal)
    groups.update(two.hub, OPERATOR, "alpha", two_person=False)
    assert not isinstance(
        proposals.put_member(two.hub, two.caller("moderator"), "alpha", "bb", set(BOTH)), NamedProposal
    )


def test_a_proposal_of_another_group_does_not_exist_here(two: Cast) -> None:
    made = propose(two)
    with pytest.raises(NotFound):
        proposals.confirm(two.hub, two.caller("foreign"), "bravo", made.proposal.uuid)


def test_a_trial_leaves_nothing_behind(two: Cast) -> None:
    before = len(audit.recent(two.hub, OPERATOR, limit=1000))
    propose(two)
    lines = audit.recent(two.hub, OPERATOR, limit=1000)
    assert [line.line.action for line in lines[: len(lines) - before]] == ["proposal.add"]
