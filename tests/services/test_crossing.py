"""Preview, delivered and explain say of another hub what its agreement lets cross, and what became of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.domain.agreement import GroupMapping
from hub.domain.tlp import IDS
from hub.errors import NotFound
from hub.services import agreements, crossing, groups, links
from hub.services import delivered as delivery_service
from hub.services import explain as explain_service
from hub.services import preview as preview_service
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.identifier import uuid4
from hub.store import dead_letters
from hub.store import links as link_store
from tests.services.desk import Desk, Stix
from tests.services.pair import Pair, make_pair
from tests.services.test_hub_holders import hand_over

GREEN, AMBER = ({"object_marking_refs": [IDS[level]]} for level in ("green", "amber"))


@pytest.fixture
def pair(desk: Desk, sqlite_template: Path, tmp_path: Path) -> Iterator[Pair]:
    with make_pair(desk, sqlite_template, tmp_path) as made:
        yield made


def previewed(pair: Pair, obj: Stix, handle: str = "aa") -> list[str]:
    """Return what the preview says of each hub."""
    desk = pair.desk
    found = preview_service.preview(
        pair.here, desk.callers[handle], "alpha", "incidents", {"objects": desk.sign(handle, obj)}
    )
    return [crossing.words(one) for one in found.objects[-1].hubs]


def reasons(pair: Pair, obj: Stix) -> list[tuple[str, bool]]:
    """Return the rules that explain why hub-b has an object, or has it not."""
    (found,) = explain_service.explain(pair.here, OPERATOR, obj["id"], "hub-b")
    return [(one.rule, one.allowed) for one in found.rules]


def said(pair: Pair, obj: Stix) -> str:
    (found,) = explain_service.explain(pair.here, OPERATOR, obj["id"], "hub-b")
    return found.decision.reason


def test_a_preview_says_under_which_agreement_an_object_crosses_and_how_far(pair: Pair) -> None:
    agreement = pair.agree(hops=3)
    said = previewed(pair, pair.desk.incident("aa", **GREEN))
    assert said == [f"crosses to hub-b under agreement {agreement.id} (may pass 3 hubs)"]


@pytest.mark.parametrize(
    ("mapping", "marking", "reason"),
    [
        pytest.param(
            GroupMapping(("alpha", "regional"), "both", "amber"),
            AMBER,
            "TLP:AMBER is not relayed beyond the group",
            id="another group",
        ),
        pytest.param(
            GroupMapping(("alpha", "regional"), "both", "clear"),
            GREEN,
            "the agreement lets nothing stricter than TLP:CLEAR cross",
            id="above the ceiling",
        ),
        pytest.param(
            GroupMapping(("alpha", "regional"), "both", "green", frozenset({"indicator"})),
            GREEN,
            "the agreement does not name this type",
            id="another type",
        ),
        pytest.param(
            GroupMapping(("alpha", "regional"), "back", "green"),
            GREEN,
            "the agreement lets nothing of this group go to that hub",
            id="the other direction",
        ),
    ],
)
def test_a_preview_says_why_an_object_stays(pair: Pair, mapping: GroupMapping, marking: Stix, reason: str) -> None:
    pair.agree(mapping)
    obj = pair.desk.incident("aa", **marking)
    assert previewed(pair, obj) == [f"stays here: {reason}"]
    pair.desk.share("aa", obj)
    assert said(pair, obj) == reason


def test_between_halves_of_one_trust_group_amber_crosses(pair: Pair) -> None:
    pair.agree(GroupMapping(("alpha", "regional"), "both", "amber", same_group=True))
    assert previewed(pair, pair.desk.incident("aa", **AMBER))[0].startswith("crosses to hub-b")


def test_without_an_agreement_everything_stays(pair: Pair) -> None:
    assert previewed(pair, pair.desk.incident("aa", **GREEN)) == ["stays here: no agreement with that hub is in force"]
    pair.agree()
    agreements.end(pair.here, OPERATOR, "hub-b")
    assert previewed(pair, pair.desk.incident("aa", **GREEN)) == ["stays here: no agreement with that hub is in force"]


def test_who_may_not_know_of_the_members_is_told_a_number(pair: Pair) -> None:
    pair.agree()
    groups.update(pair.here, OPERATOR, "alpha", member_visibility="hidden")
    desk = pair.desk
    found = preview_service.preview(
        pair.here, desk.callers["aa"], "alpha", "incidents", {"objects": desk.sign("aa", desk.incident("aa", **GREEN))}
    )
    assert (found.objects[-1].hubs, found.objects[-1].others_cross) == ((), 1)


def test_what_was_handed_over_is_told_to_its_author_and_the_operator(pair: Pair) -> None:
    pair.agree()
    obj = pair.desk.incident("aa", **GREEN)
    pair.desk.share("aa", obj)
    for actor in (OPERATOR, pair.desk.callers["aa"]):
        (version,) = delivery_service.delivered(pair.here, actor, obj["id"])
        assert [(one.peer.handle, one.handed) for one in version.hubs] == [("hub-b", None)]
        assert "hub-b" not in {one.peer.handle for one in version.peers}
    hand_over(pair.desk, "hub-b", obj)
    (version,) = delivery_service.delivered(pair.here, pair.desk.callers["aa"], obj["id"])
    (hub,) = version.hubs
    assert hub.handed is not None
    assert (hub.handed.outcome, hub.handed.receipted) == ("accepted", False)


class TestExplain:
    def test_it_waits_then_it_is_there(self, pair: Pair) -> None:
        pair.agree()
        obj = pair.desk.incident("aa", **GREEN)
        pair.desk.share("aa", obj)
        assert reasons(pair, obj) == [("agreement", True), ("relay", True), ("handed-over", False)]
        assert said(pair, obj) == "it waits for the link"
        hand_over(pair.desk, "hub-b", obj)
        assert reasons(pair, obj) == [("agreement", True), ("relay", True), ("handed-over", True)]

    def test_a_link_that_fails_is_why_and_only_the_operator_reads_how(self, pair: Pair) -> None:
        pair.agree()
        obj = pair.desk.incident("aa", **GREEN)
        pair.desk.share("aa", obj)
        links.add(pair.here, OPERATOR, "hub-b", url="https://hub-b.example/", push=True, pull=False)
        with pair.here.db.write() as tx:
            link_store.failed(tx, pair.peer.id, pair.desk.now(), "no answer", pair.desk.now() + 1)
        assert "no answer" in said(pair, obj)
        (found,) = explain_service.explain(pair.here, pair.desk.callers["aa"], obj["id"], "hub-b")
        assert found.decision.reason == "it waits for the link"
        links.update(pair.here, OPERATOR, "hub-b", paused=True)
        assert said(pair, obj) == "it waits: the link is paused"

    def test_a_refusal_there_is_told_with_its_rule_and_reason(self, pair: Pair) -> None:
        pair.agree()
        obj = pair.desk.incident("aa", **GREEN)
        pair.desk.share("aa", obj)
        hand_over(pair.desk, "hub-b", obj, "refused")
        with pair.here.db.write() as tx:
            dead_letters.add(
                tx,
                uuid=uuid4(pair.here.token_bytes),
                peer_id=pair.peer.id,
                collection_id=pair.desk.opened("aa").collection.id,
                direction="out",
                stix_id=obj["id"],
                version=obj["modified"],
                sha256=None,
                rule="tlp",
                reason="the group takes nothing stricter",
                now=pair.desk.now(),
            )
        assert said(pair, obj) == "refused there by rule tlp: the group takes nothing stricter"

    def test_whoever_did_not_publish_it_may_not_ask_about_a_hub(self, pair: Pair) -> None:
        pair.agree()
        obj = pair.desk.incident("aa", **GREEN)
        pair.desk.share("aa", obj)
        with pytest.raises(NotFound):
            explain_service.explain(pair.here, pair.desk.callers["bb"], obj["id"], "hub-b")
