"""The case tables of the rules on markings: tlp and releasability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.audience import Audience
from hub.domain.policy import releasability, tlp
from hub.domain.policy.decision import Decision
from hub.domain.policy.releasability import Terms
from hub.domain.stix import instant_us
from tests.domain.policy.world import (
    AA,
    BB,
    BEFORE,
    CC,
    DD,
    GROUP,
    LATER,
    NOW,
    SOON,
    STRANGER,
    TLP1_IDS,
    TLP_IDS,
    VENDOR,
    definition,
    incident,
    marked,
    publication,
    releasable,
    uid,
)

FOR_BB = releasable(1, recipient_refs=[BB.identity])
NOT_BB = releasable(2, excluded_refs=[BB.identity])


@pytest.mark.parametrize(
    ("refs", "markings", "ceiling", "default", "allowed", "word"),
    [
        pytest.param([], [], "amber", "amber", True, "TLP:AMBER", id="unmarked, default within the ceiling"),
        pytest.param([], [], "green", "amber", False, "ceiling", id="unmarked, default above the ceiling"),
        pytest.param([TLP_IDS["clear"]], [], "clear", "amber", True, "TLP:CLEAR", id="a marking goes before default"),
        pytest.param([TLP_IDS["green"]], [], "green", "clear", True, "TLP:GREEN", id="at the ceiling"),
        pytest.param([TLP_IDS["amber"]], [], "green", "clear", False, "ceiling", id="above the ceiling"),
        pytest.param([TLP1_IDS["white"]], [], "clear", "amber", True, "TLP:CLEAR", id="WHITE is CLEAR"),
        pytest.param([TLP1_IDS["amber"]], [], "amber", "clear", True, "TLP:AMBER", id="TLP 1.0 AMBER is AMBER"),
        pytest.param(
            [TLP_IDS["amber+strict"]], [], "amber", "clear", False, "AMBER+STRICT", id="AMBER+STRICT is not AMBER"
        ),
        pytest.param(
            [TLP_IDS["amber"], TLP_IDS["amber+strict"]], [], "amber", "clear", False, "AMBER+STRICT", id="strictest"
        ),
        pytest.param([TLP_IDS["red"]], [], "red", "amber", False, "recipient_refs", id="RED for nobody by name"),
        pytest.param([TLP1_IDS["red"]], [], "red", "amber", False, "recipient_refs", id="TLP 1.0 RED too"),
        pytest.param([TLP_IDS["red"]], [NOT_BB], "red", "amber", False, "recipient_refs", id="RED with exclusions"),
        pytest.param([TLP_IDS["red"]], [FOR_BB], "red", "amber", True, "TLP:RED", id="RED with named recipients"),
        pytest.param([TLP_IDS["red"]], [FOR_BB], "amber", "amber", False, "ceiling", id="RED above the ceiling"),
        pytest.param([], [], "amber", "red", False, "ceiling", id="a default of RED above the ceiling"),
        pytest.param([f"marking-definition--{uid(9)}"], [], "red", "clear", False, "include", id="unresolvable"),
        pytest.param([], [definition(9)], "red", "clear", False, "nothing", id="a marking without meaning"),
        pytest.param([], [], "amber", "purple", False, "settings", id="a default that is no level"),
        pytest.param([], [], "", "amber", False, "settings", id="a ceiling that is no level"),
    ],
)
def test_tlp(
    refs: list[str], markings: list[dict[str, Any]], ceiling: str, default: str, allowed: bool, word: str
) -> None:
    group = replace(GROUP, tlp_ceiling=ceiling, default_tlp=default)
    body = incident(*refs, *(one["id"] for one in markings))
    decision = tlp.check(publication(body, *markings, group=group))
    assert (decision.allowed, decision.rule) == (allowed, "tlp")
    assert word in decision.reason


def test_no_tlp_marking_of_ones_own_may_be_published() -> None:
    body = definition(1, definition_type="tlp", definition={"tlp": "white"})
    assert not tlp.check(publication(body))


def terms(*markings: dict[str, Any], **changes: Any) -> Terms:
    agreed = releasability.terms(marked(*markings, **changes))
    assert isinstance(agreed, Terms), agreed
    return agreed


def named(*peers: Any) -> Audience:
    return Audience("named", frozenset(one.id for one in peers))


def all_but(*peers: Any) -> Audience:
    return Audience("except", frozenset(one.id for one in peers))


@pytest.mark.parametrize(
    ("markings", "audience"),
    [
        pytest.param([], Audience("group"), id="no marking: the group"),
        pytest.param([releasable(1)], Audience("group"), id="a marking without lists: the group"),
        pytest.param([FOR_BB], named(AA, BB), id="named, and the submitter"),
        pytest.param([NOT_BB], all_but(BB), id="excluded"),
        pytest.param([releasable(1, recipient_refs=[BB.identity, STRANGER])], named(AA, BB), id="strangers ignored"),
        pytest.param([releasable(1, recipient_refs=[AA.identity])], named(AA), id="for oneself alone"),
        pytest.param([releasable(1, excluded_refs=[AA.identity])], Audience("group"), id="oneself cannot be excluded"),
        pytest.param(
            [releasable(1, recipient_refs=[BB.identity, CC.identity]), releasable(2, recipient_refs=[CC.identity])],
            named(AA, CC),
            id="the intersection of recipients",
        ),
        pytest.param([NOT_BB, releasable(3, excluded_refs=[CC.identity])], all_but(BB, CC), id="union of exclusions"),
        pytest.param(
            [releasable(1, recipient_refs=[BB.identity, CC.identity]), NOT_BB], named(AA, CC), id="recipients less"
        ),
    ],
)
def test_the_audience_of_releasability_markings(markings: list[dict[str, Any]], audience: Audience) -> None:
    assert terms(*markings).audience == audience
    assert terms(*reversed(markings)).audience == audience


REFUSED = {
    "recipients nobody answers to": [releasable(1, recipient_refs=[STRANGER])],
    "recipients who have nobody in common": [FOR_BB, releasable(3, recipient_refs=[CC.identity])],
    "the only recipient is excluded": [FOR_BB, NOT_BB],
    "an exclusion nobody answers to": [releasable(1, excluded_refs=[BB.identity, STRANGER])],
    "a malformed marking": [releasable(1, recipient_refs=[])],
    "a malformed marking beside a good one": [FOR_BB, releasable(3, onward_relay="no")],
    "a third peer's marking": [releasable(1, author=BB.identity)],
    "a stranger's marking": [releasable(1, author=STRANGER)],
    "a marking without author": [releasable(1, author=None)],
    "a permission that has run out": [releasable(1, permission_expires=BEFORE)],
    "a permission that ends before the other's embargo": [
        releasable(1, embargo_until=LATER),
        releasable(2, permission_expires=SOON),
    ],
}


@pytest.mark.parametrize("markings", REFUSED.values(), ids=REFUSED)
def test_releasability_refuses(markings: list[dict[str, Any]]) -> None:
    decision = releasability.check(marked(*markings))
    assert (decision.allowed, decision.rule) == (False, "releasability")
    assert not any(one in decision.reason for one in (STRANGER, BB.identity, "BB", BEFORE))


def test_the_latest_embargo_the_earliest_expiry_and_relay_only_by_all() -> None:
    first = releasable(1, embargo_until=SOON, permission_expires=LATER, onward_relay=True)
    second = releasable(2, embargo_until="2027-02-01T00:00:00Z", permission_expires="2027-12-01T00:00:00Z")
    agreed = terms(first, second)
    assert agreed.embargo_until == instant_us("2027-02-01T00:00:00Z")
    assert agreed.expires_at == instant_us("2027-12-01T00:00:00Z")
    assert agreed.onward_relay is False
    assert terms(first).onward_relay is True
    assert terms().onward_relay is True


def test_an_embargo_is_over_at_its_instant_and_a_permission_at_its_own() -> None:
    instant = instant_us(SOON)
    embargoed, expiring = releasable(1, embargo_until=SOON), releasable(2, permission_expires=SOON)
    assert terms(embargoed, now=instant - 1).embargo_until == instant
    assert terms(embargoed, now=instant).embargo_until is None
    assert terms(expiring, now=instant - 1).expires_at == instant
    assert isinstance(releasability.terms(marked(expiring, now=instant)), Decision)
    assert terms(now=NOW).embargo_until is None


def test_the_authors_peer_and_the_submitter_are_inside_what_is_relayed() -> None:
    marking = releasable(1, author=BB.identity, recipient_refs=[CC.identity])
    body = incident(marking["id"], author=BB.identity)
    agreed = releasability.terms(publication(body, marking, relay_right=True))
    assert isinstance(agreed, Terms)
    assert agreed.audience == named(AA, BB, CC)
    excluded = releasable(1, author=BB.identity, excluded_refs=[AA.identity, BB.identity, DD.identity])
    agreed = releasability.terms(publication(body, excluded, relay_right=True))
    assert isinstance(agreed, Terms)
    assert agreed.audience == all_but(DD)


@pytest.mark.parametrize("author", [AA.identity, VENDOR])
def test_the_author_and_the_submitter_may_set_the_terms(author: str) -> None:
    marking = releasable(1, author=author, recipient_refs=[BB.identity])
    agreed = releasability.terms(publication(incident(marking["id"], author=VENDOR), marking))
    assert isinstance(agreed, Terms)
    assert agreed.audience == named(AA, BB)


def test_a_releasability_marking_is_itself_for_those_it_names() -> None:
    agreed = releasability.terms(publication(FOR_BB | {"object_marking_refs": [TLP_IDS["amber"]]}))
    assert isinstance(agreed, Terms)
    assert agreed.audience == named(AA, BB)
    assert not releasability.check(publication(releasable(1, recipient_refs=[STRANGER])))
    assert not releasability.check(publication(releasable(1, author=None)))


def test_a_marking_on_the_marking_counts_too() -> None:
    inner = releasable(2, recipient_refs=[BB.identity])
    outer = definition(1, definition_type="statement", definition={"statement": "x"}, object_marking_refs=[inner["id"]])
    agreed = releasability.terms(publication(incident(outer["id"]), outer, inner))
    assert isinstance(agreed, Terms)
    assert agreed.audience == named(AA, BB)
