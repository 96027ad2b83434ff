"""Events are read on where they were left; out, the file is whole and the collector gets each event once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from connectors.intelmq.connector import KIND, IntelmqSettings, IntelmqSource, IntelmqTarget
from connectors.sdk.exchange import Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from tests.connectors.conftest import Answer, Sessions
from tests.connectors.feed_world import indicator

LINES = (Path(__file__).parent / "data" / "events.jsonl").read_bytes().splitlines(keepends=True)
PUSH = "https://intelmq.example/intelmq/push"


def make(**given: Any) -> IntelmqSettings:
    return msgspec.convert({"file": "events.jsonl"} | given, IntelmqSettings)


def test_a_file_that_intelmq_appends_to_is_read_on(tools: Tools) -> None:
    path, source = tools.base / "events.jsonl", IntelmqSource(make(), tools)
    path.write_bytes(LINES[0])
    first = list(source.batches(None))
    assert sum(one["type"] == "indicator" for batch in first for one in batch.objects) == 1
    assert list(source.batches(first[-1].bookmark)) == []
    path.write_bytes(LINES[0] + LINES[1] + LINES[2][:50])
    second = list(source.batches(first[-1].bookmark))
    assert [one["type"] for batch in second for one in batch.objects if one["type"] == "observed-data"] == [
        "observed-data"
    ]
    path.write_bytes(b"".join(LINES[:3]))
    third = list(source.batches(second[-1].bookmark))
    assert sum(one["type"] == "indicator" for batch in third for one in batch.objects) == 1


def test_an_address_is_fetched_with_its_token(tools: Tools, sessions: Sessions) -> None:
    (tools.base / "token").write_text("word\n")
    sessions.answer("https://intelmq.example/events", b"".join(LINES))
    source = IntelmqSource(make(file=None, address="https://intelmq.example/events", token_file="token"), tools)
    found = list(source.batches(None))
    assert found[0].objects
    assert sessions.requests[0].headers["Authorization"] == "word"
    assert list(source.batches(found[-1].bookmark)) == []


class Collector:
    """IntelMQ's API collector: takes one event a request."""

    def __init__(self, sessions: Sessions, *statuses: int) -> None:
        self.statuses, self.events = list(statuses), list[dict[str, Any]]()
        sessions.handle(PUSH, self, method="POST")

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.events.append(json.loads(request.body or b""))
        return status, b"", {}

    @property
    def addresses(self) -> list[str]:
        return [one["source.ip"] for one in self.events]


def test_the_collector_gets_each_event_once_in_spite_of_faults(tools: Tools, sessions: Sessions) -> None:
    collector = Collector(sessions, 200, 500)
    batch = Outgoing([indicator(1), indicator(2), indicator(3)])
    settings = make(file=None, address=PUSH)
    with pytest.raises(ConnectorError, match="500"):
        IntelmqTarget(settings, tools).deliver(batch)
    IntelmqTarget(settings, tools).deliver(batch)
    IntelmqTarget(settings, tools).deliver(batch)
    assert collector.addresses == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


def test_a_withdrawal_cannot_be_told_to_the_collector_and_that_is_reported(tools: Tools, sessions: Sessions) -> None:
    collector = Collector(sessions)
    target = IntelmqTarget(make(file=None, address=PUSH), tools)
    target.deliver(Outgoing([indicator(1)]))
    said = target.deliver(Outgoing([], withdrawn=[indicator(1)["id"], indicator(2)["id"]]))
    assert [(line.fate.value, line.count) for line in said.report.lines if line.field == "retraction"] == [
        ("dropped", 1),
        ("kept", 1),
    ]
    assert len(collector.events) == 1


def test_the_file_out_holds_what_is_not_withdrawn(tools: Tools) -> None:
    IntelmqTarget(make(), tools).deliver(Outgoing([indicator(1), indicator(2)]))
    IntelmqTarget(make(), tools).deliver(Outgoing([], withdrawn=[indicator(1)["id"]]))
    lines = (tools.base / "events.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["source.ip"] for line in lines] == ["192.0.2.2"]


@pytest.mark.parametrize("given", [{"address": PUSH}, {"file": None}, {"address": "ftp://x", "file": None}, {"x": 1}])
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        make(**given)


def test_the_kind_has_both_directions() -> None:
    assert (KIND.name, KIND.source, KIND.target) == ("intelmq", IntelmqSource, IntelmqTarget)
