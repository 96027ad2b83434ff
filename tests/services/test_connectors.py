"""What peers' connectors report: each peer sees its own, the operator all, and nobody learns of anybody else's."""

from __future__ import annotations

import dataclasses
import uuid

import pytest

from hub.domain import limits
from hub.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hub.services import connectors
from hub.services.actor import LOCAL_OPERATOR
from hub.services.connectors import Reported
from hub.store.connectors import Run
from tests.services.cast import SECOND, START, Cast, clock_of

SAID = Reported(
    kind="misp",
    direction="in",
    target="alpha/incidents",
    every_seconds=900,
    state="ok",
    started_at=START,
    finished_at=START + SECOND,
    last_success_at=START + SECOND,
    last_error=None,
    failures=0,
    retry_at=None,
    lag_seconds=0,
)


def a_run(number: int = 1, **changes: object) -> Run:
    made = Run(
        uuid=str(uuid.UUID(int=number << 80, version=4)),
        started_at=START,
        finished_at=START + SECOND,
        outcome="ok",
        objects=10,
        withdrawn=1,
        refused=2,
        error=None,
        report=b'{"kept":1}',
    )
    return dataclasses.replace(made, **changes)


def test_a_peer_sees_its_own_connectors_and_the_operator_all(cast: Cast) -> None:
    for part in ("feed", "foreign"):
        _, new = connectors.report(cast.hub, cast.caller(part), "misp-in", SAID)
        assert new
    assert [row.peer for row in connectors.listed(cast.hub, cast.caller("analyst"))] == ["bb"]
    assert [row.peer for row in connectors.listed(cast.hub, cast.caller("operator"))] == ["bb", "cc"]
    assert connectors.shown(cast.hub, LOCAL_OPERATOR, "misp-in", "cc").peer == "cc"
    assert [row.peer for row in connectors.listed(cast.hub, cast.caller("feed"))] == ["bb"]


@pytest.mark.parametrize("handle", ["cc", "nobody"])
def test_another_peers_connector_is_like_one_that_does_not_exist(cast: Cast, handle: str) -> None:
    connectors.report(cast.hub, cast.caller("foreign"), "misp-in", SAID)
    analyst = cast.caller("analyst")
    for ask in (
        lambda: connectors.shown(cast.hub, analyst, "misp-in", handle),
        lambda: connectors.runs(cast.hub, analyst, "misp-in", handle),
        lambda: connectors.forget(cast.hub, cast.caller("admin"), "misp-in", handle),
    ):
        with pytest.raises(NotFound) as told:
            ask()
        assert told.value.detail == connectors.NO_CONNECTOR


def test_a_later_report_replaces_the_one_before_and_keeps_the_sums(cast: Cast) -> None:
    analyst = cast.caller("analyst")
    connectors.report(cast.hub, analyst, "misp-in", SAID)
    connectors.add_run(cast.hub, analyst, "misp-in", a_run())
    changed = dataclasses.replace(SAID, state="failing", failures=3, last_error="no answer")
    row, new = connectors.report(cast.hub, analyst, "misp-in", changed)
    assert (new, row.state, row.failures, row.last_error) == (False, "failing", 3, "no answer")
    assert (row.objects, row.withdrawn, row.refused) == (10, 1, 2)


def test_a_run_counts_once_however_often_it_is_reported(cast: Cast) -> None:
    analyst = cast.caller("analyst")
    with pytest.raises(NotFound):
        connectors.add_run(cast.hub, analyst, "misp-in", a_run())
    connectors.report(cast.hub, analyst, "misp-in", SAID)
    assert connectors.add_run(cast.hub, analyst, "misp-in", a_run())[1] is True
    again, new = connectors.add_run(cast.hub, analyst, "misp-in", a_run(objects=99))
    assert (new, again.objects) == (False, 10)
    assert connectors.shown(cast.hub, analyst, "misp-in", None).objects == 10
    connectors.report(cast.hub, analyst, "other", SAID)
    with pytest.raises(Conflict):
        connectors.add_run(cast.hub, analyst, "other", a_run())


def test_only_the_last_runs_are_kept_and_only_of_this_connector(cast: Cast) -> None:
    analyst = cast.caller("analyst")
    for name in ("misp-in", "other"):
        connectors.report(cast.hub, analyst, name, SAID)
    connectors.add_run(cast.hub, analyst, "other", a_run(1))
    for number in range(2, limits.CONNECTOR_RUNS_KEPT + 5):
        connectors.add_run(cast.hub, analyst, "misp-in", a_run(number))
    kept = connectors.runs(cast.hub, analyst, "misp-in", None)
    assert len(kept) == limits.CONNECTOR_RUNS_KEPT
    assert kept[0].uuid == a_run(limits.CONNECTOR_RUNS_KEPT + 4).uuid
    assert len(connectors.runs(cast.hub, analyst, "other", None)) == 1
    one = connectors.run(cast.hub, analyst, "misp-in", None, kept[0].uuid)
    assert one.report == b'{"kept":1}'
    with pytest.raises(NotFound):
        connectors.run(cast.hub, analyst, "misp-in", None, a_run(1).uuid)


def test_a_peer_cannot_fill_the_table(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTORS_PER_PEER", 2)
    analyst = cast.caller("analyst")
    for name in ("one", "two"):
        connectors.report(cast.hub, analyst, name, SAID)
    with pytest.raises(Conflict):
        connectors.report(cast.hub, analyst, "three", SAID)
    assert connectors.report(cast.hub, analyst, "two", SAID)[1] is False
    connectors.forget(cast.hub, cast.caller("admin"), "one", None)
    assert connectors.report(cast.hub, analyst, "three", SAID)[1] is True


def test_a_connector_with_runs_can_be_forgotten(cast: Cast) -> None:
    admin = cast.caller("admin")
    connectors.report(cast.hub, admin, "misp-in", SAID)
    connectors.add_run(cast.hub, admin, "misp-in", a_run())
    with pytest.raises(Forbidden):
        connectors.forget(cast.hub, cast.caller("analyst"), "misp-in", None)
    connectors.forget(cast.hub, admin, "misp-in", None)
    assert connectors.listed(cast.hub, LOCAL_OPERATOR) == []


def test_what_is_no_line_is_refused(cast: Cast) -> None:
    analyst = cast.caller("analyst")
    with pytest.raises(InvalidRequest):
        connectors.report(cast.hub, analyst, "misp-in", dataclasses.replace(SAID, last_error="two\nlines"))
    connectors.report(cast.hub, analyst, "misp-in", SAID)
    with pytest.raises(InvalidRequest):
        connectors.add_run(cast.hub, analyst, "misp-in", a_run(finished_at=START - 1))


@pytest.mark.parametrize(
    ("every", "seconds", "expected"),
    [(900, 2000, False), (900, 2702, True), (None, 10**9, False)],
    ids=["within three intervals", "beyond them", "started by hand"],
)
def test_a_connector_that_is_silent_for_long_is_overdue(
    cast: Cast, every: int | None, seconds: int, expected: bool
) -> None:
    said = dataclasses.replace(SAID, every_seconds=every)
    row, _ = connectors.report(cast.hub, cast.caller("analyst"), "misp-in", said)
    clock_of(cast.hub).now = START + seconds * SECOND
    assert connectors.overdue(row, cast.hub.clock()) is expected
