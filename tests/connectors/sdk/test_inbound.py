"""From a system to the hub: signed once, answered for, remembered; and no object that is refused stops another."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.sdk import limits
from connectors.sdk.inbound import Inbound
from connectors.sdk.kind import ConnectorError
from connectors.sdk.ledger import Ledger
from connectors.sdk.result import Result
from hub.client.traffic import Traffic
from hub.domain import retraction
from hub.domain.signature_profile import SIGNATURE_TYPE
from tests.connectors.conftest import IDENTITY, Clock
from tests.connectors.sdk.world import STRANGER, FakeHub, Script, connector, incoming, indicator, refused_by_hub


class Killed(BaseException):
    """A power failure."""


@pytest.fixture
def hub(tmp_path: Path, clock: Clock) -> FakeHub:
    return FakeHub(connector(tmp_path), tmp_path, clock)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def bring(hub: FakeHub, ledger: Ledger, source: Script, max_bytes: int | None = None) -> Result:
    result = Result()
    hub.transport.traffic = Traffic()  # a run has a session of its own
    Inbound(hub, ledger, result, max_bytes=max_bytes, notice=lambda _: None).run(source)
    return result


def test_our_own_are_signed_inline_and_others_are_vouched_for_untouched(hub: FakeHub, ledger: Ledger) -> None:
    own, theirs = indicator(1), indicator(2, STRANGER)
    result = bring(hub, ledger, Script([incoming(own, theirs)]))
    (posted,) = hub.posts
    by_id = {one["id"]: one for one in posted}
    assert by_id[own["id"]]["signatures"][0]["signee"] == IDENTITY
    assert by_id[theirs["id"]] == theirs
    (beside,) = [one for one in posted if one["type"] == SIGNATURE_TYPE]
    assert (beside["related_to"], beside["created_by_ref"]) == (theirs["id"], IDENTITY)
    assert (result.objects, result.signed, result.vouched, result.complete) == (2, 1, 1, True)
    assert ledger.bookmark == "1"


def test_what_was_published_is_not_posted_again_until_it_changes(hub: FakeHub, ledger: Ledger) -> None:
    source = Script([incoming(indicator(1))])
    bring(hub, ledger, source)
    assert bring(hub, ledger, source).unchanged == 1
    assert len(hub.posts) == 1
    changed = indicator(1, name="renamed", modified="2026-03-02T10:00:00.000Z")
    assert bring(hub, ledger, Script([incoming(changed)])).objects == 1
    assert source.asked == [None, "1"]


def test_another_content_under_the_same_version_is_refused_here(hub: FakeHub, ledger: Ledger) -> None:
    bring(hub, ledger, Script([incoming(indicator(1))]))
    result = bring(hub, ledger, Script([incoming(indicator(1, name="renamed"), indicator(2))]))
    assert [one.rule for one in result.refusals] == ["version"]
    assert (result.objects, result.refused) == (1, 1)


@pytest.mark.parametrize(
    ("method", "posts"), [("fill", 0), ("answered", 1), ("settle", 1)], ids=["before", "after the post", "at the end"]
)
def test_killed_at_any_step_the_next_run_sends_the_same_octets(
    hub: FakeHub, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, method: str, posts: int
) -> None:
    source = Script([incoming(indicator(1), indicator(2, STRANGER))])
    with monkeypatch.context() as patch:

        def die(*_: object) -> None:
            raise Killed

        first = Ledger(tmp_path)
        if method != "settle":
            patch.setattr(Ledger, method, die)
        else:
            settle = Ledger.settle
            patch.setattr(Ledger, "settle", lambda self: die() if hub.posts else settle(self))
        with pytest.raises(Killed):
            bring(hub, first, source)
        first.close()
    assert len(hub.posts) == posts
    clock.now += 60_000_000  # a signature made again would have another time
    result = bring(hub, Ledger(tmp_path), source)
    assert (result.refused, result.complete, Ledger(tmp_path).bookmark) == (0, True, "1")
    assert all(post == hub.posts[0] for post in hub.posts)
    assert len(hub.taken) == 3


def test_what_the_hub_refuses_is_kept_with_rule_and_reason_and_stops_nothing(hub: FakeHub, ledger: Ledger) -> None:
    hub.rule = lambda one: "ownership: not yours" if one.get("created_by_ref") == STRANGER else None
    source = Script([incoming(indicator(1, STRANGER), indicator(2)), incoming(indicator(3), bookmark="2")])
    result = bring(hub, ledger, source)
    assert (result.objects, result.refused, ledger.bookmark) == (2, 1, "2")
    (kept,) = ledger.refusals()
    assert (kept.stix_id, kept.rule, kept.reason) == (indicator(1)["id"], "ownership", "not yours")
    again = bring(hub, ledger, source)
    assert (again.known_refusals, again.refused) == (1, 0)


def test_what_was_refused_can_be_tried_again(hub: FakeHub, ledger: Ledger) -> None:
    hub.rule = lambda _: "ownership: not yours"
    bring(hub, ledger, Script([incoming(indicator(1, STRANGER))]))
    hub.rule = lambda _: None
    result = Result()
    Inbound(hub, ledger, result, max_bytes=None, notice=lambda _: None).retry()
    assert (result.objects, ledger.refusals(), ledger.bookmark) == (1, [], "1")


def test_an_object_that_is_none_is_refused_and_the_rest_goes_on(hub: FakeHub, ledger: Ledger) -> None:
    strange = [{"type": "indicator"}, {"id": "no id", "type": "x"}, indicator(1, score=float("nan"))]
    result = bring(hub, ledger, Script([incoming(*strange, indicator(2))]))
    assert (result.objects, result.refused) == (1, 3)
    assert {one.rule for one in result.refusals} == {"unreadable"}
    assert all("no id" not in one.stix_id for one in result.refusals)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_envelope_that_is_refused_as_a_whole_is_cut_until_the_bad_object_is_found(
    hub: FakeHub, ledger: Ledger, status: int
) -> None:
    bad = indicator(3)["id"]
    taken = hub.post

    def post(objects):  # type: ignore[no-untyped-def] # stands in for a method of the same form
        if any(one["id"] == bad for one in objects):
            raise refused_by_hub(status)
        return taken(objects)

    hub.post = post  # type: ignore[method-assign] # the hub of this test
    result = bring(hub, ledger, Script([incoming(*(indicator(number) for number in range(8)))]))
    assert (result.objects, result.refused, ledger.bookmark) == (7, 1, "1")
    assert [one.stix_id for one in ledger.refusals()] == [bad]


def test_a_hub_that_does_not_let_us_in_ends_the_run_and_nothing_is_lost(hub: FakeHub, ledger: Ledger) -> None:
    hub.fails = [refused_by_hub(403)]
    with pytest.raises(Exception, match="it said no"):
        bring(hub, ledger, Script([incoming(indicator(1))]))
    assert (ledger.bookmark, ledger.backlog) == (None, 1)
    assert bring(hub, ledger, Script([incoming(indicator(1))])).unchanged == 1
    assert len(hub.taken) == 1


def test_a_source_that_fails_half_way_keeps_what_was_answered(hub: FakeHub, ledger: Ledger) -> None:
    source = Script([incoming(indicator(1)), incoming(indicator(2), bookmark="2")], after=ConnectorError("gone"))
    with pytest.raises(ConnectorError):
        bring(hub, ledger, source)
    assert (ledger.bookmark, len(hub.taken)) == ("2", 2)


def test_what_the_system_withdraws_is_retracted_as_far_as_it_was_published_here(hub: FakeHub, ledger: Ledger) -> None:
    bring(hub, ledger, Script([incoming(indicator(1), indicator(2))]))
    gone = [indicator(1)["id"], indicator(9)["id"]]
    result = bring(hub, ledger, Script([incoming(bookmark="2", withdrawn=gone)]))
    note = hub.posts[-1][0]
    said = retraction.read(note)
    assert [target.stix_id for target in said.targets] == [indicator(1)["id"]]
    assert (said.kind, note["created_by_ref"], "signatures" in note) == ("retracted", IDENTITY, True)
    assert (result.withdrawn, ledger.has(indicator(1)["id"]), ledger.has(indicator(2)["id"])) == (1, False, True)


def test_one_target_that_is_not_there_any_more_does_not_save_the_others(hub: FakeHub, ledger: Ledger) -> None:
    objects = [indicator(number) for number in range(12)]
    bring(hub, ledger, Script([incoming(*objects)]))
    missing = objects[4]["id"]
    hub.rule = lambda one: "retraction: a target is not here" if missing in one.get("object_refs", ()) else None
    ids = [one["id"] for one in objects]
    result = bring(hub, ledger, Script([incoming(bookmark="2", withdrawn=ids)]))
    assert (result.withdrawn, result.refused, ledger.backlog, ledger.bookmark) == (11, 1, 0, "2")
    assert not any(ledger.has(one) for one in ids)


def test_what_was_withdrawn_may_come_back(hub: FakeHub, ledger: Ledger) -> None:
    bring(hub, ledger, Script([incoming(indicator(1))]))
    bring(hub, ledger, Script([incoming(bookmark="2", withdrawn=[indicator(1)["id"]])]))
    hub.taken.clear()
    assert bring(hub, ledger, Script([incoming(indicator(1), bookmark="3")])).objects == 1


def test_a_budget_of_octets_ends_the_run_and_the_next_goes_on_indicators_first(hub: FakeHub, ledger: Ledger) -> None:
    notes = [indicator(number, type="note", id=f"note--00000000-0000-4000-8000-{number:012d}") for number in range(4)]
    source = Script([incoming(*notes, indicator(9))])
    result = bring(hub, ledger, source, max_bytes=1024)
    assert (result.complete, ledger.bookmark) == (False, None)
    assert hub.posts[0][0]["type"] == "indicator"
    runs = 0
    while not result.complete:
        result = bring(hub, ledger, source, max_bytes=1024)
        runs += 1
        assert runs < 10
    assert (len(hub.taken), ledger.bookmark) == (5, "1")
    assert runs > 2


def test_a_batch_without_bounds_is_refused(hub: FakeHub, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INCOMING_OBJECTS", 1)
    with pytest.raises(ConnectorError):
        bring(hub, ledger, Script([incoming(indicator(1), indicator(2))]))
    assert hub.posts == []


def test_old_refusals_go_when_there_are_too_many(hub: FakeHub, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REFUSED_KEPT", 3)
    hub.rule = lambda _: "tlp: above the ceiling"
    bring(hub, ledger, Script([incoming(*(indicator(number) for number in range(6)))]))
    assert [one.stix_id for one in ledger.refusals()] == [indicator(number)["id"] for number in (3, 4, 5)]


@pytest.mark.parametrize(
    "extensions", [None, {}, {"extension-definition--1": {"extension_type": "property-extension"}}]
)
def test_a_folder_that_was_lost_costs_no_refusal(
    hub: FakeHub, ledger: Ledger, clock: Clock, extensions: dict[str, object] | None
) -> None:
    more = {} if extensions is None else {"extensions": extensions}
    source = Script([incoming(indicator(1, **more), indicator(2))])
    bring(hub, ledger, source)
    clock.now += 60_000_000  # signed again, it has another signature
    fresh = Ledger(None)
    result = bring(hub, fresh, source)
    assert (result.objects, result.unchanged, result.refused, fresh.bookmark) == (0, 2, 0, "1")
    changed = Script([incoming(indicator(2, name="renamed"))])
    assert bring(hub, Ledger(None), changed).refused == 1
