"""One run: recorded whatever becomes of it, alone in its folder, and its faults are its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from connectors.sdk import hub_side, limits, outcome, preview, run
from connectors.sdk.breaker import State
from connectors.sdk.config import Connector
from connectors.sdk.kind import ConnectorError, Kind
from connectors.sdk.state import Folder, Status
from hub.domain import limits as hub_limits
from hub.domain.report_bounds import FIELD_LENGTH, shortened
from hub.errors import ConfigError, Conflict
from tests.connectors.conftest import Clock
from tests.connectors.sdk.world import FakeHub, FakeTransport, NoSettings, Script, Shelf, connector, incoming, indicator


@pytest.fixture
def told_hub(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[tuple[Status, Any]]:
    """What the hub was told; the hub's side of every run is a `FakeHub`."""
    told: list[tuple[Status, Any]] = []
    monkeypatch.setattr(hub_side, "clock", clock)
    monkeypatch.setattr(hub_side, "connect", lambda made, folder, clock, notice: FakeHub(made, folder, clock))
    monkeypatch.setattr(run.reporting, "tell", lambda _t, _c, how, record: told.append((how, record)))
    monkeypatch.setattr(hub_side, "session", lambda *_: FakeTransport(None))
    return told


def of(tmp_path: Path, source: Any, **changes: Any) -> Connector:
    kind = Kind("toy", "For tests", NoSettings, lambda _s, _t: source, lambda _s, _t: source)
    return dataclasses.replace(connector(tmp_path, **changes), kind=kind)


def go(made: Connector) -> dict[str, Any]:
    return run.run(made, notice=lambda _: None)


@pytest.mark.usefixtures("told_hub")
def test_a_run_leaves_its_report_and_its_sums_in_a_folder_of_its_own(tmp_path: Path) -> None:
    made = of(tmp_path, Script([incoming(indicator(1), indicator(2))]))
    record = go(made)
    folder = Folder(made.folder)
    assert (record["outcome"], record["objects"], record["report"]["kept"]) == ("ok", 2, 2)
    assert folder.run() == record
    assert folder.run(record["run"][:8]) == record
    status = folder.status()
    assert (status.state, status.objects, status.failures, status.lag_seconds) == (State.OK, 2, 0, 0)
    assert {path.stat().st_mode & 0o777 for path in (made.folder, made.folder / "own")} == {0o700}


def test_the_hub_is_told_when_a_run_begins_and_what_it_did(tmp_path: Path, told_hub: list[tuple[Status, Any]]) -> None:
    record = go(of(tmp_path, Script([incoming(indicator(1))])))
    assert [(how.state, row) for how, row in told_hub] == [(State.RUNNING, None), (State.OK, record)]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (ConnectorError("no answer from misp.example; check the address"), "no answer from misp.example"),
        (ConfigError("it is missing", field="token_file"), "token_file: it is missing"),
        (KeyError("secret content"), "the connector has a fault: KeyError in world.py"),
        (SystemExit("secret content"), "the connector has a fault: SystemExit"),
    ],
    ids=["foreseen", "configuration", "a fault", "it wants to end the process"],
)
@pytest.mark.usefixtures("told_hub")
def test_whatever_a_connector_raises_is_a_failed_run_that_says_no_content(
    tmp_path: Path, clock: Clock, fault: BaseException, expected: str
) -> None:
    made = of(tmp_path, Script([], after=fault))
    record = go(made)
    status = Folder(made.folder).status()
    assert record["outcome"] == "failed"
    assert expected in record["error"]
    assert "secret" not in record["error"]
    assert (status.state, status.failures, status.last_error) == (State.FAILING, 1, record["error"])
    assert status.retry_at is not None
    assert status.retry_at > clock.now


@pytest.mark.usefixtures("told_hub")
def test_an_interrupted_run_has_not_failed(tmp_path: Path) -> None:
    made = of(tmp_path, Script([], after=KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        go(made)
    status = Folder(made.folder).status()
    assert (status.state, status.failures) == (State.OK, 0)


@pytest.mark.usefixtures("told_hub")
def test_failures_open_the_circuit_and_a_success_closes_it(tmp_path: Path, clock: Clock) -> None:
    broken, well = of(tmp_path, Script([], after=ConnectorError("down"))), of(tmp_path, Script([]))
    go(well)
    clock.now += 3_000_000
    for _ in range(limits.PAUSED_AFTER):
        go(broken)
    status = Folder(broken.folder).status()
    assert (status.state, status.lag_seconds) == (State.PAUSED, 3)
    go(well)
    status = Folder(broken.folder).status()
    assert (status.state, status.failures, status.retry_at, status.last_error) == (State.OK, 0, None, None)


@pytest.mark.usefixtures("told_hub")
def test_two_runs_of_one_connector_are_never_at_the_same_time(tmp_path: Path) -> None:
    made = of(tmp_path, Script([]))
    folder = Folder(made.folder)
    folder.make()
    with folder.locked(), pytest.raises(Conflict):
        go(made)
    assert go(made)["outcome"] == "ok"


@pytest.mark.usefixtures("told_hub")
def test_the_other_direction_is_recorded_alike(tmp_path: Path) -> None:
    record = go(of(tmp_path, Shelf(), direction="out"))
    assert (record["outcome"], record["direction"], record["complete"]) == ("ok", "out", True)


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.usefixtures("told_hub")
def test_a_dry_run_leaves_nothing_behind(tmp_path: Path, direction: str) -> None:
    shelf = Shelf()
    source: Any = Script([incoming(indicator(1), {"type": "no object"})]) if direction == "in" else shelf
    record = preview.preview(of(tmp_path, source, direction=direction), notice=lambda _: None)
    assert (record["outcome"], record["complete"]) == ("ok", True)
    assert (record["objects"], record["refused"]) == ((1, 1) if direction == "in" else (0, 0))
    assert shelf.batches == []
    assert not (tmp_path / "connectors").exists()


@pytest.mark.usefixtures("told_hub")
def test_a_dry_run_knows_what_was_published(tmp_path: Path) -> None:
    made = of(tmp_path, Script([incoming(indicator(1))]))
    go(made)
    before = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    record = preview.preview(of(tmp_path, Script([incoming(indicator(1), indicator(2))])), notice=lambda _: None)
    assert (record["objects"], record["unchanged"]) == (1, 1)
    assert {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("told_hub")
def test_only_the_last_runs_are_kept(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RUNS_KEPT", 3)
    made = of(tmp_path, Script([]))
    runs = []
    for _ in range(5):
        clock.now += 1
        runs.append(go(made)["run"])
    assert [row["run"] for row in Folder(made.folder).runs()] == runs[2:]


@pytest.mark.usefixtures("told_hub")
def test_a_run_that_was_ended_from_outside_is_a_failure_once(tmp_path: Path, clock: Clock) -> None:
    folder = Folder(tmp_path)
    folder.make()
    begun = Status(state=State.RUNNING, started_at=clock.now)
    folder.save(begun)
    outcome.interrupted(folder, "killed", since=clock.now, now=clock.now, jitter=1.0)
    outcome.interrupted(folder, "killed", since=clock.now, now=clock.now, jitter=1.0)
    assert (folder.status().failures, folder.status().last_error) == (1, "killed")
    outcome.interrupted(folder, "exit code 1", since=clock.now + 1, now=clock.now + 2, jitter=1.0)
    assert (folder.status().failures, folder.status().last_error) == (2, "it could not start: exit code 1")


def test_a_status_that_cannot_be_read_is_that_of_a_new_connector(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{")
    assert Folder(tmp_path).status() == Status()


def test_what_goes_to_the_hub_is_cut_to_what_it_takes() -> None:
    line = {"fate": "kept", "field": "f" * 1000, "became": "b" * 1000, "reason": "r" * 1000, "count": 1}
    report = {"kept": 500, "merged": 0, "guessed": 0, "dropped": 0, "lines": [line] * 500}
    short = shortened(report, lines=hub_limits.CONNECTOR_REPORT_LINES)
    assert (len(short["lines"]), short["left_out"], short["kept"]) == (100, 400, 500)
    assert len(short["lines"][0]["field"]) == FIELD_LENGTH
