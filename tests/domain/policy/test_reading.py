"""Who may read a stored version, and why: the case table that SQL must agree with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.audience import Audience
from hub.domain.membership import Member, Right
from hub.domain.policy.onward import FARTHEST, Reach, may_relay
from hub.domain.policy.reading import READ_RULES, ReadFacts, explain_read, may_read
from hub.domain.tlp import LEVELS

READER = Member(group_id=1, peer_id=2, rights=frozenset({Right.READ}))
WRITER = replace(READER, rights=frozenset({Right.WRITE, Right.MODERATE}))
FACTS = ReadFacts(
    peer_id=2,
    peer_suspended=False,
    group_id=1,
    member=READER,
    override=None,
    audience=Audience("group"),
    submitter_peer_id=1,
    expires_at=None,
    now=1000,
    partner_hub=False,
)


def only(*peers: int) -> Audience:
    return Audience("named", frozenset(peers))


@pytest.mark.parametrize(
    ("changes", "refused_by"),
    [
        pytest.param({}, None, id="a member with read, the whole group"),
        pytest.param({"partner_hub": True}, "one-door", id="another hub, whatever its rights"),
        pytest.param({"partner_hub": True, "audience": only(2)}, "one-door", id="another hub, be it named"),
        pytest.param({"partner_hub": True, "submitter_peer_id": 2}, "one-door", id="another hub that brought it"),
        pytest.param({"member": None}, "membership", id="no member"),
        pytest.param({"peer_suspended": True}, "membership", id="a suspended peer"),
        pytest.param({"member": replace(READER, suspended_at=1)}, "membership", id="a suspended member"),
        pytest.param({"member": replace(READER, group_id=2)}, "membership", id="a member of another group"),
        pytest.param({"member": replace(READER, peer_id=3)}, "membership", id="another peer's membership"),
        pytest.param({"member": WRITER}, "collection-rights", id="write and moderate do not include read"),
        pytest.param({"override": (False, None)}, "collection-rights", id="read taken away in this collection"),
        pytest.param({"member": WRITER, "override": (True, None)}, None, id="read given in this collection"),
        pytest.param({"override": (None, False)}, None, id="write taken away changes nothing"),
        pytest.param({"audience": only(2)}, None, id="named"),
        pytest.param({"audience": only(3)}, "audience", id="others named"),
        pytest.param({"audience": only()}, "audience", id="nobody named"),
        pytest.param({"audience": Audience("except", frozenset({2}))}, "audience", id="excluded"),
        pytest.param({"audience": Audience("except", frozenset({3}))}, None, id="somebody else excluded"),
        pytest.param({"audience": only(3), "submitter_peer_id": 2}, None, id="its submitter is always inside"),
        pytest.param(
            {"audience": only(3), "submitter_peer_id": 2, "member": None}, "membership", id="but only as a member"
        ),
        pytest.param({"expires_at": 1001}, None, id="before it expires"),
        pytest.param({"expires_at": 1000}, "expiry", id="at the instant it expires"),
        pytest.param({"expires_at": 0}, "expiry", id="long expired"),
        pytest.param({"expires_at": 1, "submitter_peer_id": 2}, "expiry", id="expired for its submitter too"),
    ],
)
def test_reading(changes: dict[str, Any], refused_by: str | None) -> None:
    facts = replace(FACTS, **changes)
    decision = may_read(facts)
    assert decision.allowed is (refused_by is None)
    if refused_by is not None:
        assert decision.rule == refused_by


def test_an_explanation_gives_every_rule_its_say() -> None:
    said = explain_read(replace(FACTS, audience=only(3), expires_at=1))
    assert [(one.rule, one.allowed) for one in said] == [
        ("one-door", True),
        ("membership", True),
        ("collection-rights", True),
        ("audience", False),
        ("expiry", False),
    ]
    assert len(said) == len(READ_RULES)


@pytest.mark.parametrize(
    ("level", "farthest"),
    [("clear", 3), ("green", 2), ("amber", 1), ("amber+strict", 0), ("red", 0), ("unclear", 0), ("", 0)],
)
def test_onward_relay_goes_as_far_as_the_level_allows(level: str, farthest: int) -> None:
    assert [may_relay(level, reach, onward_relay=True).allowed for reach in Reach] == [
        reach <= farthest for reach in Reach
    ]


def test_without_the_authors_leave_nothing_is_relayed() -> None:
    assert not any(may_relay(level, reach, onward_relay=False) for level in LEVELS for reach in Reach)


def test_every_level_has_its_reach() -> None:
    assert tuple(FARTHEST) == LEVELS
