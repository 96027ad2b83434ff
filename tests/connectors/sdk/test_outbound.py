"""From the hub to a system: verified, in order, withdrawn when it is withdrawn, and once more after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.sdk.kind import ConnectorError
from connectors.sdk.ledger import Ledger
from connectors.sdk.outbound import Outbound
from connectors.sdk.result import Result
from hub.client.traffic import Traffic
from tests.connectors.conftest import Clock
from tests.connectors.sdk.world import STRANGER, FakeHub, Shelf, connector, indicator


@pytest.fixture
def hub(tmp_path: Path, clock: Clock) -> FakeHub:
    return FakeHub(connector(tmp_path, direction="out", page=2), tmp_path, clock)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def hand_over(hub: FakeHub, ledger: Ledger, shelf: Shelf, max_bytes: int | None = None) -> Result:
    result = Result()
    hub.transport.traffic = Traffic()  # a run has a session of its own
    Outbound(hub, ledger, result, max_bytes=max_bytes, notice=lambda _: None).run(shelf)
    return result


def test_everything_is_handed_over_in_the_hubs_order_and_only_once(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(*(indicator(number) for number in (3, 1, 2)))
    shelf = Shelf()
    assert (hand_over(hub, ledger, shelf).objects, hand_over(hub, ledger, shelf).objects) == (3, 0)
    assert shelf.ids == [indicator(number)["id"] for number in (3, 1, 2)]
    hub.serve(indicator(9))
    hand_over(hub, ledger, shelf)
    assert shelf.ids[3:] == [indicator(9)["id"]]


def test_a_system_that_fails_gets_the_same_page_again(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(indicator(1), indicator(2), indicator(3))
    with pytest.raises(ConnectorError):
        hand_over(hub, ledger, Shelf(raises=ConnectorError("full")))
    assert ledger.bookmark is None
    shelf = Shelf()
    assert hand_over(hub, ledger, shelf).objects == 3


def test_what_the_system_refuses_is_kept_with_its_reason_and_can_be_tried_again(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(indicator(1), indicator(2))
    bad = indicator(1)["id"]
    result = hand_over(hub, ledger, Shelf(refuses=frozenset({bad})))
    assert (result.objects, result.refused, result.complete) == (1, 1, True)
    assert [(one.stix_id, one.rule, one.reason) for one in ledger.refusals()] == [(bad, "system", "no place for it")]
    shelf = Shelf()
    Outbound(hub, ledger, Result(), max_bytes=None, notice=lambda _: None).retry(shelf)
    assert (shelf.ids, ledger.refusals()) == ([bad], [])


def test_an_object_whose_signature_does_not_hold_is_not_handed_over(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(indicator(1), indicator(2))
    hub.feed[0][1]["name"] = "changed on the way"
    shelf = Shelf()
    result = hand_over(hub, ledger, shelf)
    assert shelf.ids == [indicator(2)["id"]]
    assert [one.rule for one in result.refusals] == ["signature"]


@pytest.mark.parametrize(("required", "expected"), [(False, 2), (True, 1)], ids=["optional", "required"])
def test_what_is_not_signed_is_handed_over_unless_signatures_are_required(
    tmp_path: Path, clock: Clock, ledger: Ledger, required: bool, expected: int
) -> None:
    hub = FakeHub(connector(tmp_path, direction="out", require_signatures=required), tmp_path, clock)
    hub.serve(indicator(1))
    hub.serve(indicator(2), signed=False)
    assert hand_over(hub, ledger, Shelf()).objects == expected


def test_a_retraction_withdraws_what_the_hub_no_longer_serves(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(indicator(1), indicator(2))
    shelf = Shelf()
    hand_over(hub, ledger, shelf)
    note = hub.retraction([indicator(1)["id"], indicator(2)["id"]])
    hub.remove(indicator(1)["id"])
    hub.serve(note, signed=False)
    result = hand_over(hub, ledger, shelf)
    assert list(shelf.batches[-1].withdrawn) == [indicator(1)["id"]]
    assert shelf.ids[2:] == [note["id"], indicator(2)["id"]]  # what is left of the other is handed over again
    assert result.withdrawn == 1


def test_what_says_revoked_is_withdrawn(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(indicator(1, revoked=True, modified="2026-03-02T10:00:00.000Z"))
    shelf = Shelf()
    hand_over(hub, ledger, shelf)
    assert list(shelf.batches[0].withdrawn) == [indicator(1)["id"]]


def test_only_the_wanted_types_are_handed_over_with_their_signatures_and_every_retraction(
    tmp_path: Path, clock: Clock, ledger: Ledger
) -> None:
    hub = FakeHub(connector(tmp_path, direction="out", types=["indicator"]), tmp_path, clock)
    plain = indicator(5, type="note", id=indicator(5)["id"].replace("indicator", "note"))
    hub.serve(indicator(1, STRANGER), plain)
    hub.serve(hub.retraction([indicator(7)["id"]]), signed=False)
    shelf = Shelf()
    hand_over(hub, ledger, shelf)
    assert [one["type"] for batch in shelf.batches for one in batch.objects] == ["indicator", "jss-signature", "note"]
    assert hub.asked[0]["match[type]"] == "indicator,jss-signature,note"
    assert list(shelf.batches[0].withdrawn) == [indicator(7)["id"]]


def test_a_budget_of_octets_ends_the_run_and_the_next_goes_on(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(*(indicator(number) for number in range(6)))
    shelf = Shelf()
    first = hand_over(hub, ledger, shelf, max_bytes=1024)
    assert (first.complete, len(shelf.ids)) == (False, 2)
    while not hand_over(hub, ledger, shelf, max_bytes=1024).complete:
        assert len(shelf.ids) <= 6
    assert shelf.ids == [indicator(number)["id"] for number in range(6)]


def test_a_preview_hands_over_nothing(hub: FakeHub, ledger: Ledger) -> None:
    hub.serve(indicator(1), indicator(2), indicator(3))
    result = Result()
    Outbound(hub, ledger.copied(), result, max_bytes=None, notice=lambda _: None).preview()
    assert (result.objects, result.complete, ledger.bookmark) == (3, True, None)
