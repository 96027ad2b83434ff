"""The rules together: every one must say yes, nothing means no, and more markings never mean more readers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.audience import Audience
from hub.domain.policy.decision import allow, deny
from hub.domain.policy.publish import RULES, Publication, Verdict, decide
from hub.domain.stix import facts, instant_us
from hub.domain.tlp import LEVELS, stricter
from tests.domain.policy.world import (
    AA,
    BB,
    BEFORE,
    CC,
    DD,
    GROUP,
    LATER,
    PEERS,
    SOON,
    STRANGER,
    TLP1_IDS,
    TLP_IDS,
    VENDOR,
    definition,
    incident,
    peer,
    publication,
    releasable,
    statement,
    uid,
)


def test_a_plain_object_goes_to_the_whole_group_under_its_default() -> None:
    verdict = decide(publication(incident()))
    assert verdict == Verdict(
        allow("releasability", "for every member of the group"), Audience("group"), "amber", onward_relay=True
    )


def test_the_terms_of_the_author_are_in_the_verdict() -> None:
    marking = releasable(
        1, recipient_refs=[BB.identity], embargo_until=SOON, permission_expires=LATER, onward_relay=False
    )
    verdict = decide(publication(incident(marking["id"], TLP_IDS["red"]), marking))
    assert verdict.decision
    assert verdict.audience == Audience("named", frozenset({AA.id, BB.id}))
    assert (verdict.tlp, verdict.embargo_until, verdict.expires_at, verdict.onward_relay) == (
        "red",
        instant_us(SOON),
        instant_us(LATER),
        False,
    )


def test_no_rules_say_no() -> None:
    assert decide(publication(incident()), rules=()) == Verdict(deny("nothing", "no rule was asked"))


@pytest.mark.parametrize("position", range(len(RULES)))
def test_each_rule_alone_can_say_no(position: int) -> None:
    rules = list(RULES)
    rules[position] = lambda publication: deny("test", publication.group.slug)
    verdict = decide(publication(incident()), rules=tuple(rules))
    assert (verdict.decision, verdict.audience) == (deny("test", "alpha"), None)


REFUSALS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "membership": ("membership", incident(), {"rights": None}),
    "signature": ("signature", incident(), {"group": replace(GROUP, signature_required=True)}),
    "ownership": ("ownership", incident(author=BB.identity), {}),
    "tlp": ("tlp", incident(TLP_IDS["red"]), {}),
    "unknown marking": ("tlp", incident(f"marking-definition--{uid(5)}"), {}),
}


@pytest.mark.parametrize(("rule", "body", "changes"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_names_its_rule_and_nothing_of_the_object(
    rule: str, body: dict[str, Any], changes: dict[str, Any]
) -> None:
    verdict = decide(publication(body, **changes))
    assert (verdict.decision.allowed, verdict.decision.rule) == (False, rule)
    assert (verdict.audience, verdict.tlp, verdict.onward_relay) == (None, None, False)
    assert "secret-content" not in verdict.decision.reason
    assert body["id"] not in verdict.decision.reason


# --- properties -------------------------------------------------------------------------------------------------------

_IDENTITIES = st.lists(
    st.sampled_from([one.identity for one in PEERS] + [STRANGER]), min_size=1, max_size=4, unique=True
)
_TERMS = st.fixed_dictionaries(
    {"onward_relay": st.booleans()},
    optional={"embargo_until": st.sampled_from([BEFORE, SOON]), "permission_expires": st.sampled_from([SOON, LATER])},
)
_LISTS = st.one_of(
    st.just({}),
    _IDENTITIES.map(lambda refs: {"recipient_refs": refs}),
    _IDENTITIES.map(lambda refs: {"excluded_refs": refs}),
)


@st.composite
def _markings(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to five markings; releasability markings by AA, the vendor or BB, statements, and TLP as stand-ins."""
    made: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from(["tlp", "tlp", "terms", "terms", "statement", "nested", "unknown"]))
        if kind == "tlp":
            made.append({"id": draw(st.sampled_from([*TLP_IDS.values(), *TLP1_IDS.values()]))})
        elif kind == "terms":
            author = draw(st.sampled_from([AA.identity, AA.identity, VENDOR, BB.identity]))
            made.append(releasable(number, author=author, **draw(_TERMS), **draw(_LISTS)))
        elif kind == "statement":
            made.append(statement(number))
        elif kind == "nested":
            made.append(statement(number, draw(st.sampled_from(list(TLP_IDS.values())))))
        else:
            made.append(definition(number))
    return made


def carrying(markings: list[dict[str, Any]], author: str, **changes: Any) -> Publication:
    known = [one for one in markings if "type" in one]
    return publication(incident(*(one["id"] for one in markings), author=author), *known, **changes)


_AUTHORS = st.sampled_from([AA.identity, VENDOR])
_GROUPS = st.builds(
    lambda default, ceiling: replace(GROUP, default_tlp=default, tlp_ceiling=ceiling),
    st.sampled_from(LEVELS),
    st.sampled_from(LEVELS),
)


@given(_markings(), _AUTHORS, _GROUPS)
def test_the_order_of_markings_changes_nothing(markings: list[dict[str, Any]], author: str, group: Any) -> None:
    assert decide(carrying(markings, author, group=group)) == decide(carrying(markings[::-1], author, group=group))


@given(_markings(), _markings(), _AUTHORS, _GROUPS)
def test_adding_a_marking_never_widens(
    some: list[dict[str, Any]], more: list[dict[str, Any]], author: str, group: Any
) -> None:
    for one in more:  # other ids, so that none of the first ones is replaced
        if "type" in one:
            one["id"] = f"{one['id'][:-12]}1{one['id'][-11:]}"
    before, after = (carrying(all_of, author, group=group) for all_of in (some, some + more))
    then, now = decide(before), decide(after)
    if not (then.decision and now.decision):
        return
    assert then.audience is not None
    assert now.audience is not None
    assert then.audience.covers(now.audience)
    assert all(then.audience.admits(one) or not now.audience.admits(one) for one in range(1, 10))
    assert (now.embargo_until or 0) >= (then.embargo_until or 0)
    assert then.expires_at is None or (now.expires_at is not None and now.expires_at <= then.expires_at)
    assert then.onward_relay or not now.onward_relay
    tlp_before = [one for one in some if "type" not in one or "object_marking_refs" in one]
    if tlp_before:
        assert then.tlp is not None
        assert now.tlp is not None
        assert not stricter(then.tlp, than=now.tlp)


@given(_markings(), st.sampled_from([definition(77), {"id": f"marking-definition--{uid(78)}"}]), _AUTHORS)
def test_an_unknown_marking_always_denies(markings: list[dict[str, Any]], unknown: dict[str, Any], author: str) -> None:
    verdict = decide(carrying([*markings, unknown], author))
    assert (verdict.decision.allowed, verdict.decision.rule, verdict.audience) == (False, "tlp", None)


@given(_markings(), _AUTHORS, _GROUPS)
def test_the_submitter_is_always_inside_and_red_always_has_names(
    markings: list[dict[str, Any]], author: str, group: Any
) -> None:
    verdict = decide(carrying(markings, author, group=group))
    if verdict.decision:
        assert verdict.audience is not None
        assert verdict.audience.admits(AA.id)
        assert verdict.tlp != "red" or verdict.audience.kind == "named"
        assert not verdict.audience.admits(peer(50).id) or verdict.audience.kind != "named"


_TEXT = st.text(max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=10,
)
_REFS = st.sampled_from([*TLP_IDS.values(), *(f"marking-definition--{uid(n)}" for n in range(4))])
_AWKWARD = st.fixed_dictionaries(
    {"type": st.sampled_from(["incident", "identity", "jss-signature", "marking-definition", "ipv4-addr", "x-a"])},
    optional={
        "object_marking_refs": st.lists(_REFS, min_size=1, max_size=4),
        "granular_markings": st.lists(st.fixed_dictionaries({"marking_ref": _REFS}), max_size=2),
        "created_by_ref": st.sampled_from([AA.identity, BB.identity, VENDOR]),
        "definition_type": _VALUES,
        "definition": _VALUES,
        "extensions": st.dictionaries(
            st.sampled_from(["extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d", "x"])
            | st.just(next(iter(releasable(1)["extensions"]))),
            _VALUES,
            max_size=3,
        ),
    },
)


# On a busy machine the deepest of these take a second to be made; what counts is that nothing of them fails.
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(_AWKWARD, min_size=1, max_size=4))
def test_decide_never_fails_whatever_an_object_carries(bodies: list[dict[str, Any]]) -> None:
    for number, body in enumerate(bodies):
        body |= {"id": f"{body['type']}--{uid(number)}", "created": BEFORE, "spec_version": "2.1"}
    known = [one for one in bodies if one["type"] == "marking-definition"]
    for body in bodies:
        verdict = decide(publication(body, *known, identities={CC.identity: CC.id, DD.identity: DD.id}))
        assert (verdict.audience is not None) is verdict.decision.allowed
        assert facts(body).id not in verdict.decision.reason
