"""Why somebody may or may not see an object: to whom that is told, and what."""

from __future__ import annotations

import pytest

from hub.domain.membership import Role
from hub.errors import Forbidden, NotFound
from hub.services import members, relay_rights, work
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.explain import explain
from tests.services.desk import Desk, later, marked


@pytest.fixture
def for_bb(desk: Desk) -> dict[str, object]:
    """AA's incident, for BB alone."""
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    obj = marked(desk.incident(), only_bb)
    desk.share("aa", only_bb, obj)
    return obj


def test_an_operator_is_told_about_everybody(desk: Desk, for_bb: dict[str, str]) -> None:
    (about_bb,) = explain(desk.hub, OPERATOR, for_bb["id"], "bb")
    assert about_bb.decision
    assert (about_bb.group.slug, about_bb.collection.alias) == ("alpha", "incidents")
    assert about_bb.stored is not None
    assert (about_bb.stored.tlp, about_bb.stored.carrier) == ("amber", "inline")
    assert about_bb.stored.kid == desk.keys["aa"].public.kid
    assert about_bb.stored.rule == "releasability"
    for handle, rule, reason in (
        ("ee", "audience", "not among the recipients the author named"),
        ("cc", "membership", "not a member of the group"),
        ("dd", "membership", "suspended"),
    ):
        (refused,) = explain(desk.hub, desk.cast.caller("operator"), for_bb["id"], handle)
        assert not refused.decision
        assert refused.decision.rule == rule
        assert reason in refused.decision.reason
        assert [one.rule for one in refused.rules] == [
            "one-door",
            "membership",
            "collection-rights",
            "audience",
            "expiry",
        ]


def test_the_author_is_told_about_every_peer_he_may_know_of(desk: Desk, for_bb: dict[str, str]) -> None:
    assert explain(desk.hub, desk.callers["aa"], for_bb["id"], "bb")[0].decision
    assert not explain(desk.hub, desk.callers["aa"], for_bb["id"], "ee")[0].decision
    with pytest.raises(NotFound):
        explain(desk.hub, desk.callers["aa"], for_bb["id"], "cc")


def test_a_reader_is_told_about_himself_only(desk: Desk, for_bb: dict[str, str]) -> None:
    assert explain(desk.hub, desk.callers["bb"], for_bb["id"], "bb")[0].decision
    for handle in ("aa", "ee"):
        with pytest.raises(NotFound):
            explain(desk.hub, desk.callers["bb"], for_bb["id"], handle)


def test_for_a_stranger_there_is_no_such_object_and_no_difference_to_none(desk: Desk, for_bb: dict[str, str]) -> None:
    texts = set()
    for handle in ("ee", "cc"):
        for stix_id in (for_bb["id"], desk.incident()["id"]):
            with pytest.raises(NotFound) as refused:
                explain(desk.hub, desk.callers[handle], stix_id, handle)
            texts.add(str(refused.value))
    assert len(texts) == 1


def test_a_feed_is_told_nothing(desk: Desk, for_bb: dict[str, str]) -> None:
    desk.cast.issue("bb-feed", "bb", Role.FEED)
    with pytest.raises(Forbidden):
        explain(desk.hub, desk.cast.caller("bb-feed"), for_bb["id"], "bb")


def test_what_is_held_is_explained_to_its_sender_and_the_operator_alone(desk: Desk) -> None:
    until = desk.releasability("aa", embargo_until=desk.stamp(60))
    obj = marked(desk.incident(), until)
    desk.share("aa", until, obj)
    for actor in (OPERATOR, desk.callers["aa"]):
        (held,) = explain(desk.hub, actor, obj["id"], "bb")
        assert (held.version, held.stored, held.decision.rule) == ("held", None, "embargo")
    with pytest.raises(NotFound):
        explain(desk.hub, desk.callers["bb"], obj["id"], "bb")
    desk.wait(60)
    work.run_once(desk.hub)
    assert explain(desk.hub, desk.callers["bb"], obj["id"], "bb")[0].decision


def test_every_version_has_its_own_explanation(desk: Desk, for_bb: dict[str, str]) -> None:
    wider = {name: value for name, value in later(for_bb).items() if name != "object_marking_refs"}
    desk.share("aa", wider)
    found = explain(desk.hub, OPERATOR, for_bb["id"], "ee")
    assert [bool(one.decision) for one in found] == [False, True]
    (own,) = explain(desk.hub, desk.callers["ee"], for_bb["id"], "ee")
    assert own.version == wider["modified"]


def test_expiry_and_suspension_are_named(desk: Desk) -> None:
    until = desk.releasability("aa", permission_expires=desk.stamp(60))
    obj = marked(desk.incident(), until)
    desk.share("aa", until, obj)
    members.suspend(desk.hub, OPERATOR, "alpha", "ee")
    assert "membership in the group is suspended" in explain(desk.hub, OPERATOR, obj["id"], "ee")[0].decision.reason
    desk.wait(60)
    assert explain(desk.hub, OPERATOR, obj["id"], "bb")[0].decision.rule == "expiry"


def test_whoever_relayed_an_object_is_told_as_its_publisher(desk: Desk) -> None:
    relay_rights.grant(desk.hub, OPERATOR, "alpha", "bb", desk.identity["aa"])
    obj = desk.incident("aa")
    desk.share("bb", obj)
    assert explain(desk.hub, desk.callers["bb"], obj["id"], "ee")[0].decision
