"""A MISP event through the runner: signed or vouched for, posted, and retracted when MISP deletes it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from connectors.misp.connector import KIND
from connectors.misp.settings import MispSettings
from connectors.sdk import hub_side, run
from tests.connectors.conftest import Clock, Sessions
from tests.connectors.misp.conftest import THEN, attribute, event, named
from tests.connectors.misp.fake_misp import KEY, FakeMisp
from tests.connectors.sdk.world import FakeHub, FakeTransport, connector


def test_an_event_is_published_once_and_retracted_when_it_is_gone(
    tmp_path: Path, misp: FakeMisp, clock: Clock, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_side, "clock", clock)
    monkeypatch.setattr(hub_side, "connect", lambda made, folder, clock, notice: FakeHub(made, folder, clock))
    monkeypatch.setattr(run.reporting, "tell", lambda *_: None)
    monkeypatch.setattr(hub_side, "session", lambda *_: FakeTransport(None))
    tools_of = run.tools_of
    monkeypatch.setattr(run, "tools_of", lambda *a: dataclasses.replace(tools_of(*a), session=sessions))
    (tmp_path / "misp.key").write_text(KEY)
    given = MispSettings(url=misp.url, key_file="misp.key")
    made = dataclasses.replace(connector(tmp_path), kind=KIND, settings=given)
    misp.hold(event("one"))
    misp.hold(event("two", attribute("two.example"), publish_timestamp=str(THEN + 1)))

    def go() -> dict[str, Any]:
        clock.now += 60_000_000
        record = run.run(made, notice=lambda _: None)
        assert record["outcome"] == "ok"
        return record

    first = go()
    assert first["objects"] > 10
    assert first["refused"] == 0
    assert go()["objects"] == 0
    del misp.events[named("event two")]
    third = go()
    assert third["withdrawn"] > 3
    assert third["refused"] == 0
    assert go()["withdrawn"] == 0
