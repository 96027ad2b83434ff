"""The worker's loop: one piece after the other, a pause when there is none, and an end at once when told."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from hub import worker
from hub.services import work
from hub.services.context import Hub
from hub.store.database import Database
from tests.services.cast import make_hub


@pytest.fixture
def hub(sqlite_url: str) -> Hub:
    return make_hub(Database.open(sqlite_url))


def run(hub: Hub, answers: list[bool | Exception]) -> list[str]:
    """Run the loop until the answers are used up; return what it did."""
    stop, done = threading.Event(), list[str]()

    def run_once(_hub: Hub) -> bool:
        answer = answers.pop(0)
        done.append(type(answer).__name__ if isinstance(answer, Exception) else "work" if answer else "nothing")
        if not answers:
            stop.set()
            hub.wakeup.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    worker.run(hub, stop, lambda: done.append("beat"), run_once)
    return done


def test_it_works_until_there_is_nothing_and_beats_before_each_piece(hub: Hub) -> None:
    assert run(hub, [True, True, False]) == ["beat", "work", "beat", "work", "beat", "nothing"]


def test_a_piece_that_fails_does_not_end_the_others(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LONGEST_WAIT", 0.0)
    assert [each for each in run(hub, [RuntimeError("x"), True, False]) if each != "beat"] == [
        "RuntimeError",
        "work",
        "nothing",
    ]


def test_a_failure_is_logged_without_its_text(hub: Hub) -> None:
    with capture_logs() as lines:
        run(hub, [RuntimeError("indicator--secret")])
    assert [line["event"] for line in lines] == ["worker.failed"]


def test_it_waits_longer_each_time_there_is_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(type(hub.wakeup), "wait", lambda _self, seconds: pauses.append(seconds))
    run(hub, [False] * 7 + [True, False])
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 0.1]


def test_it_removes_old_statuses_when_idle(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    purged: list[Hub] = []
    monkeypatch.setattr(work, "purge", purged.append)
    monkeypatch.setattr(type(hub.wakeup), "wait", lambda _self, _seconds: None)
    run(hub, [True, False, False, False])
    assert purged == [hub]


def test_nothing_is_done_after_it_was_told_to_stop(hub: Hub) -> None:
    stop = threading.Event()
    stop.set()
    worker.run(hub, stop, lambda: None, lambda _hub: pytest.fail("it worked on"))
