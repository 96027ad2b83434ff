"""Events are read once, from a file that grows or an API that is asked by time; the file out is always whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
import requests

from connectors.n6.connector import KIND, N6Settings, N6Source, N6Target
from connectors.sdk.exchange import Incoming, Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from hub.client.remote import RemoteError
from hub.errors import ConfigError
from tests.connectors.conftest import Answer, Clock, Sessions
from tests.connectors.feed_world import indicator

EVENTS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "events.json").read_bytes())
LINES = b"".join(json.dumps(one).encode() + b"\n" for one in EVENTS[:2])
API = "https://n6api.example/"


def make(**given: Any) -> N6Settings:
    return msgspec.convert({"file": "events.json"} | given, N6Settings)


def api(tools: Tools, **given: Any) -> N6Source:
    (tools.base / "key").write_text("secret\n")
    return N6Source(make(**{"file": None, "api": API, "token_file": "key", "first_days": 2} | given), tools)


def count(found: list[Incoming]) -> int:
    return sum(obj["type"] in ("observed-data", "indicator") for one in found for obj in one.objects)


@pytest.mark.parametrize("data", [json.dumps(EVENTS[:2]).encode(), LINES, b"\xef\xbb\xbf" + LINES])
def test_a_file_is_read_once(tools: Tools, data: bytes) -> None:
    (tools.base / "events.json").write_bytes(data)
    source = N6Source(make(), tools)
    first = list(source.batches(None))
    assert count(first) == 3
    assert list(source.batches(first[-1].bookmark)) == []


def test_a_file_that_grows_is_read_on_from_its_last_whole_line(tools: Tools) -> None:
    path, source = tools.base / "events.json", N6Source(make(), tools)
    path.write_bytes(LINES[:-10])
    first = list(source.batches(None))
    assert count(first) == 1
    path.write_bytes(LINES)
    second = list(source.batches(first[-1].bookmark))
    assert count(second) == 2
    path.write_bytes(json.dumps(EVENTS[1]).encode() + b"\n")  # rotated
    assert count(list(source.batches(second[-1].bookmark))) == 2


def test_a_bad_line_is_counted_and_the_next_one_read(tools: Tools) -> None:
    (tools.base / "events.json").write_bytes(b'nonsense\n{"a":NaN}\n[1]\n3\n"x"\n' + b"{" * 100 + b"\n" + LINES)
    found = list(N6Source(make(), tools).batches(None))
    assert count(found) == 3
    assert any(line.fate.value == "dropped" for line in found[-1].report.lines)


class Api:
    """Answers with the events that were modified in the window that is asked for."""

    def __init__(self, sessions: Sessions, events: list[dict[str, Any]], longest: int = 10**9) -> None:
        self.events, self.longest = events, longest
        self.windows: list[tuple[str, str]] = []
        self.queries: list[dict[str, str]] = []
        sessions.handle(f"{API}report/threats.sjson", self)

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        self.queries.append(query)
        assert request.headers["Authorization"] == "Bearer secret"
        start, end = query["modified.min"], query["modified.until"]
        self.windows.append((start, end))
        found = [one for one in self.events if start <= one["modified"] < end]
        body = b"".join(json.dumps(one).encode() + b"\n" for one in found)
        if len(found) > self.longest:
            raise RemoteError("the answer is longer than 1000 octets; ask for less at a time")
        return 200, body, {}


def _event(minute: int) -> dict[str, Any]:
    return EVENTS[1] | {
        "id": f"{minute:032x}",
        "modified": f"2026-11-22T{minute // 60:02}:{minute % 60:02}:00Z",
        "expires": "2027-01-01T00:00:00Z",
    }


def test_the_api_is_asked_window_by_window_and_every_event_comes_once(
    tools: Tools, sessions: Sessions, clock: Clock
) -> None:
    server = Api(sessions, [_event(minute) for minute in range(0, 13 * 60, 7)])
    found = list(api(tools).batches(None))
    assert [start for start, _ in server.windows[1:]] == [end for _, end in server.windows[:-1]]
    assert server.windows[0][0] == "2026-11-20T12:00:00Z"
    assert server.windows[-1][1] == "2026-11-22T11:59:00Z"
    assert server.queries[0]["time.min"] < server.queries[0]["modified.min"]
    first = {obj["id"] for one in found for obj in one.objects if obj["type"] == "indicator"}
    clock.now += 3600 * 1_000_000
    later = list(api(tools).batches(found[-1].bookmark))
    second = {obj["id"] for one in later for obj in one.objects if obj["type"] == "indicator"}
    assert len(first | second) == len([one for one in server.events if one["modified"] < "2026-11-22T12:59"])
    assert first.isdisjoint(second)


def test_an_answer_that_is_too_long_is_asked_for_in_halves(tools: Tools, sessions: Sessions) -> None:
    server = Api(sessions, [_event(minute) for minute in range(0, 700, 7)], longest=40)
    found = list(api(tools).batches(None))
    assert sum(obj["type"] == "indicator" for one in found for obj in one.objects) == 100
    assert len(server.windows) > 3


def test_an_interrupted_run_goes_on_behind_the_last_window(tools: Tools, sessions: Sessions) -> None:
    server = Api(sessions, [])
    batches = api(tools).batches(None)
    first = next(batches)
    asked = len(server.windows)
    list(api(tools).batches(first.bookmark))
    assert server.windows[asked][0] == server.windows[0][1]


@pytest.mark.parametrize("status", [302, 400, 401, 403, 500])
def test_an_answer_that_is_none_moves_nothing(tools: Tools, sessions: Sessions, status: int) -> None:
    sessions.answer(f"{API}report/threats.sjson", b"", status=status)
    with pytest.raises(ConnectorError, match=str(status)):
        list(api(tools).batches(None))


def test_a_bookmark_of_another_kind_is_said(tools: Tools) -> None:
    with pytest.raises(ConnectorError, match="bookmark"):
        list(api(tools).batches("nonsense"))


@pytest.mark.parametrize(
    "given", [{"api": API}, {"file": None}, {"file": None, "api": API}, {"resource": "x"}, {"source": "a"}, {"x": 1}]
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        make(**given)


def test_the_file_out_is_the_list_of_what_holds(tools: Tools) -> None:
    def events() -> list[dict[str, Any]]:
        return [json.loads(line) for line in (tools.base / "events.json").read_bytes().splitlines()]

    for _ in range(2):
        N6Target(make(), tools).deliver(Outgoing([indicator(1), indicator(2)]))
        assert [one["address"][0]["ip"] for one in events()] == ["192.0.2.1", "192.0.2.2"]
    said = N6Target(make(), tools).deliver(
        Outgoing([indicator(2, pattern="[ipv6-addr:value = '2001:db8::1']")], withdrawn=[indicator(1)["id"]])
    )
    assert events() == []
    assert [one.stix_id for one in said.refused] == [indicator(2)["id"]]


def test_there_is_no_api_to_write_to(tools: Tools) -> None:
    (tools.base / "key").write_text("secret")
    with pytest.raises(ConfigError, match="file is missing"):
        N6Target(make(file=None, api=API, token_file="key"), tools)
    assert (KIND.name, KIND.source, KIND.target) == ("n6", N6Source, N6Target)
