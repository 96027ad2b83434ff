"""The schedule: when a connector is due, and that one that dies, hangs or cannot start is nobody else's trouble."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.sdk import limits, supervisor
from connectors.sdk.breaker import SECOND, State
from connectors.sdk.config import Connector
from connectors.sdk.state import Folder, Status
from connectors.sdk.supervisor import Supervisor, due_at
from hub.errors import ConfigError
from tests.connectors.conftest import START, Clock
from tests.connectors.sdk.world import connector, kind_of

EVERY = 60 * SECOND
DAY = 24 * 3600 * SECOND
HANGS = "import time\ntime.sleep(60)"


def named(tmp_path: Path, name: str, **changes: Any) -> Connector:
    given = {"kind": "toy", "direction": "out", "url": "https://hub.example/alpha/", "every": "60s", **changes}
    return supervisor.config.read(name, given, tmp_path, kind_of=kind_of)


def supervised(
    clock: Clock, told: list[str], scripts: dict[str, str], *connectors: Connector
) -> tuple[Supervisor, Callable[[], None]]:
    """Return a supervisor whose runs are these scripts, and how to let every run that can end do so."""
    made = Supervisor(
        connectors,
        lambda name: [sys.executable, "-c", scripts[name]],
        clock=clock,
        notice=lambda name, how: told.append(f"{name}: {how}"),
    )

    def settle() -> None:
        for one in list(made._running.values()):
            one.process.wait(30)
        made.tick()

    return made, settle


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status(state=State.OK, started_at=START - EVERY // 2), START + EVERY // 2),
        (Status(state=State.FAILING, started_at=START, failures=1, retry_at=START + 7), START + 7),
        (Status(state=State.FAILING, started_at=START, failures=1, retry_at=START - 7), START),
    ],
    ids=["an interval after its last start", "when the circuit allows it", "at once when that is over"],
)
def test_a_connector_is_due(tmp_path: Path, status: Status, expected: int) -> None:
    assert due_at(status, named(tmp_path, "a"), START) == expected


@pytest.mark.parametrize("status", [Status(), Status(started_at=START - DAY)], ids=["never run", "long ago"])
def test_one_that_is_long_due_starts_soon_and_not_together_with_all_others(tmp_path: Path, status: Status) -> None:
    due = [due_at(status, named(tmp_path, f"feed-{number}"), START) for number in range(9)]
    assert all(START < one <= START + EVERY + supervisor.FIRST_SECONDS * SECOND for one in due)
    assert len({one // SECOND for one in due}) > 4


def test_each_runs_in_a_process_of_its_own_and_one_that_dies_stops_no_other(
    tmp_path: Path, clock: Clock, told: list[str]
) -> None:
    well, ill = named(tmp_path, "well"), named(tmp_path, "ill")
    scripts = {"well": f"open({str(tmp_path / 'done')!r}, 'a').write('x')", "ill": "import os\nos.abort()"}
    made, settle = supervised(clock, told, scripts, ill, well)
    clock.now += EVERY + DAY
    made.tick()
    assert made.running == ["ill", "well"]
    settle()
    assert (tmp_path / "done").read_text() == "x"
    assert "signal 6" in str(Folder(ill.folder).status().last_error)
    assert Folder(ill.folder).status().state is State.FAILING


def test_a_run_that_cannot_start_is_not_started_again_at_once(tmp_path: Path, clock: Clock, told: list[str]) -> None:
    ill = named(tmp_path, "ill")
    made, settle = supervised(clock, told, {"ill": "raise SystemExit(2)"}, ill)
    clock.now += 2 * EVERY
    made.tick()
    settle()
    assert made.running == []
    assert "could not start" in str(Folder(ill.folder).status().last_error)
    clock.now += SECOND
    made.tick()
    assert made.running == []
    clock.now += limits.BACKOFF_SECONDS * SECOND
    made.tick()
    assert made.running == ["ill"]
    settle()
    assert Folder(ill.folder).status().failures == 2


def test_a_run_that_does_not_end_is_killed(tmp_path: Path, clock: Clock, told: list[str]) -> None:
    ill = named(tmp_path, "ill", max_seconds=5)
    made, _ = supervised(clock, told, {"ill": HANGS}, ill)
    clock.now += 2 * EVERY
    made.tick()
    clock.now += (5 + supervisor.GRACE_SECONDS) * SECOND
    made.tick()
    assert made.running == ["ill"]
    clock.now += 1
    made.tick()
    assert made.running == []
    assert "was killed" in told[-1]


def test_no_more_run_at_once_than_the_bound(
    tmp_path: Path, clock: Clock, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PARALLEL_RUNS", 2)
    many = [named(tmp_path, f"feed-{number}") for number in range(4)]
    made, _ = supervised(clock, told, {one.name: HANGS for one in many}, *many)
    clock.now += 2 * EVERY
    made.tick()
    assert len(made.running) == 2
    made.stop(0.0)
    assert made.running == []


def test_a_run_that_ends_with_the_worker_has_not_failed(tmp_path: Path, clock: Clock, told: list[str]) -> None:
    one = named(tmp_path, "one")
    made, _ = supervised(clock, told, {"one": HANGS}, one)
    clock.now += 2 * EVERY
    made.tick()
    Folder(one.folder).save(Status(state=State.RUNNING, started_at=clock.now))
    made.stop(5.0)
    assert (Folder(one.folder).status().state, Folder(one.folder).status().failures) == (State.OK, 0)


def test_what_has_no_schedule_or_is_disabled_is_left_alone(tmp_path: Path, clock: Clock, told: list[str]) -> None:
    by_hand = connector(tmp_path)
    off = named(tmp_path, "off", enabled=False)
    made, _ = supervised(clock, told, {}, by_hand, off)
    clock.now += DAY
    made.tick()
    assert (made.names, made.running) == ([], [])


def test_a_table_that_is_not_right_is_reported_and_the_others_are_found(tmp_path: Path) -> None:
    problems: dict[str, ConfigError] = {}
    tables = {"wrong": {"kind": "no-such-kind"}, "Bad Name": {}}
    found = supervisor.configured(tables, tmp_path / "hub.toml", problems.__setitem__)
    assert found == []
    assert problems.keys() == {"wrong", "Bad Name"}
