"""IntelMQ events become STIX the hub takes, and what is kept comes back; a victim is never an indicator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.intelmq.mapping import read
from connectors.intelmq.vocabulary import BEYOND_RSIT, SPELLED, THREATS, kind_of
from connectors.intelmq.writing import write
from connectors.sdk.report import Report
from hub.domain import rsit, tlp
from hub.domain.taxii_time import format_timestamp
from tests.connectors.conftest import IDENTITY
from tests.connectors.feed_world import assert_valid, check_golden, indicator

HERE = Path(__file__).parent
EVENTS: list[dict[str, Any]] = [
    json.loads(line) for line in (HERE / "data" / "events.jsonl").read_text(encoding="utf-8").splitlines()
]
# The types of the data format's documentation.
_TYPES = """application-compromise blacklist brute-force burglary c2-server copyright data-leak data-loss ddos
ddos-amplifier dga-domain dos exploit harmful-speech ids-alert infected-system information-disclosure malware
malware-configuration malware-distribution masquerade misconfiguration other outage phishing
potentially-unwanted-accessible privileged-account-compromise proxy sabotage scanner sniffing social-engineering spam
system-compromise test tor unauthorised-information-access unauthorised-information-modification
unauthorized-use-of-resources undetermined unprivileged-account-compromise violence vulnerable-system
weak-crypto"""
TYPES = _TYPES.split()


def make(events: list[dict[str, Any]], report: Report | None = None, **given: Any) -> list[dict[str, Any]]:
    return read(events, IDENTITY, report or Report(), **{"unmarked": "amber"} | given)


def events_of(objs: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    made = write(list(objs), feed="cybex", unmarked="amber", report=Report())
    events = [event for some in made.values() if isinstance(some, list) for event in some]
    return events, {one: text for one, text in made.items() if isinstance(text, str)}


def test_events_become_what_the_golden_file_says() -> None:
    report = Report()
    objs = make(EVENTS, report)
    assert_valid(objs)
    check_golden(HERE / "golden" / "events.json", {"objects": objs, "report": report.to_json()})


def test_the_published_example_comes_back_as_it_was() -> None:
    (event,), refused = events_of(make(EVENTS[:1], unmarked="clear"))
    assert refused == {}
    assert event == EVENTS[0] | {"tlp": "WHITE"}


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_one_of_the_rsit_and_comes_back(name: str) -> None:
    kind = kind_of(name)
    assert kind in rsit.CLASS_OF
    assert (kind == name) is (name not in BEYOND_RSIT and name not in SPELLED)
    objs = make([EVENTS[2] | {"classification.type": name}])
    (event,), _ = events_of(objs)
    assert event["classification.type"] == name
    assert event["classification.taxonomy"] == rsit.CLASS_OF[kind]
    assert ("indicator" in {one["type"] for one in objs}) is (name in THREATS)


def test_the_rsit_has_no_type_that_intelmq_lacks() -> None:
    assert {kind_of(name) for name in TYPES} == set(rsit.CLASS_OF)


def test_which_types_are_threats_can_be_said() -> None:
    kinds = {one["type"] for one in make([EVENTS[2] | {"classification.type": "spam"}], threats=["spam"])}
    assert "indicator" in kinds


def test_nested_events_are_the_same_as_flat_ones() -> None:
    flat = {
        "source.ip": "192.0.2.1",
        "classification.type": "scanner",
        "time.source": "2026-11-20T08:00:00+00:00",
        "extra.a": 1,
    }
    nested = {
        "source": {"ip": "192.0.2.1"},
        "classification": {"type": "scanner"},
        "time": {"source": "2026-11-20T08:00:00+00:00"},
        "extra": {"a": 1},
    }
    assert make([flat]) == make([nested])


def test_two_events_that_differ_in_anything_that_happened_are_two() -> None:
    one, other = EVENTS[0], EVENTS[0] | {"source.ip": "82.212.115.189"}
    again = EVENTS[0] | {"time.observation": "2023-02-17T09:55:12+00:00", "raw": "YQ=="}

    def observation(event: dict[str, Any]) -> dict[str, Any]:
        return next(obj for obj in make([event]) if obj["type"] == "observed-data")

    assert observation(one)["id"] != observation(other)["id"]
    assert observation(one)["id"] == observation(again)["id"]
    assert observation(one)["modified"] < observation(again)["modified"]


@pytest.mark.parametrize(
    ("word", "level"),
    [("WHITE", "clear"), ("tlp:green", "green"), ("AMBER", "amber"), ("RED", "red"), ("CLEAR", "clear"),
     ("AMBER+STRICT", "amber+strict"), ("PURPLE", "red"), (17, "red"), (None, "green")],
)  # fmt: skip
def test_a_level_is_never_read_as_a_wider_one(word: Any, level: tlp.Level) -> None:
    event = EVENTS[0] | ({} if word is None else {"tlp": word})
    assert {tuple(one["object_marking_refs"]) for one in make([event], unmarked="green")} == {(tlp.IDS[level],)}


@pytest.mark.parametrize(("level", "word"), [("clear", "WHITE"), ("green", "GREEN"), ("amber", "AMBER"),
                                             ("amber+strict", "RED"), ("red", "RED")])  # fmt: skip
def test_a_level_is_never_written_as_a_wider_one(level: str, word: str) -> None:
    (event,), _ = events_of([indicator(level=level)])
    assert event["tlp"] == word


def test_an_indicator_of_somebody_else_is_an_event() -> None:
    pattern = "[url:value IN ('http://a.example/x', 'http://b.example/')]"
    given = indicator(labels=['rsit:fraud="phishing"'], confidence=80, pattern=pattern)
    events, refused = events_of([given])
    assert refused == {}
    assert [one["source.url"] for one in events] == ["http://a.example/x", "http://b.example/"]
    assert events[0] | {"source.url": ""} == {
        "feed.name": "cybex",
        "classification.taxonomy": "fraud",
        "classification.type": "phishing",
        "time.source": "2026-01-02T03:04:05.678000+00:00",
        "time.observation": "2026-01-03T03:04:05.678000+00:00",
        "tlp": "GREEN",
        "feed.accuracy": 80,
        "source.url": "",
        "extra.stix_id": given["id"],
        "event_description.text": "Secret name 1",
    }


def test_a_network_has_a_field_of_its_own() -> None:
    (event,), _ = events_of([indicator(pattern="[ipv4-addr:value = '192.0.2.0/24']")])
    assert event["source.network"] == "192.0.2.0/24"
    assert "source.ip" not in event


@pytest.mark.parametrize(
    "given",
    [
        indicator(pattern="[ipv4-addr:value = '192.0.2.1' AND url:value = 'http://a.example/']"),
        indicator(pattern="rule", pattern_type="sigma"),
        indicator(pattern="[mac-addr:value = '00:11:22:aa:bb:cc']"),
    ],
)
def test_what_has_no_field_is_refused(given: dict[str, Any]) -> None:
    events, refused = events_of([given])
    assert (events, list(refused)) == ([], [given["id"]])


_NAME = st.from_regex(r"[a-z]{1,10}\.example", fullmatch=True)
_WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
_TIME = st.integers(0, 2_000_000_000_000).map(lambda ms: _stamp(ms * 1_000))


def _stamp(us: int) -> str:
    text = format_timestamp(us)[:-1]
    return (text[:19] if us % 1_000_000 == 0 else text) + "+00:00"


@st.composite
def _events(draw: st.DrawFn) -> dict[str, Any]:
    def maybe(name: str, some: st.SearchStrategy[Any]) -> dict[str, Any]:
        return {name: draw(some)} if draw(st.booleans()) else {}

    time, later = sorted(draw(st.tuples(_TIME, _TIME)))
    kind = draw(st.sampled_from(TYPES))
    event = {
        "time.source": time,
        "time.observation": later,
        "classification.type": kind,
        "classification.taxonomy": rsit.CLASS_OF[kind_of(kind) or ""],
        "feed.name": draw(_WORD),
        "tlp": draw(st.sampled_from(["WHITE", "GREEN", "AMBER", "RED"])),
        **maybe("source.ip", st.ip_addresses().filter(lambda ip: getattr(ip, "ipv4_mapped", None) is None).map(str)),
        **maybe("source.fqdn", _NAME.map(lambda name: f"s-{name}")),
        **maybe("source.url", _NAME.map(lambda name: f"http://{name}/x")),
        **maybe("source.account", _NAME.map(lambda name: f"a@{name}") | st.just("alice")),
        **maybe("destination.ip", st.just("192.0.2.254")),
        **maybe("destination.fqdn", _NAME.map(lambda name: f"d-{name}")),
        **maybe("destination.url", _NAME.map(lambda name: f"http://{name}/y")),
        **maybe("malware.hash.md5", st.from_regex(r"[0-9a-f]{32}", fullmatch=True)),
        **maybe("malware.name", _WORD),
        **maybe("feed.accuracy", st.integers(0, 100)),
        **maybe("source.asn", st.integers(1, 2**32 - 1)),
        **maybe("source.geolocation.latitude", st.floats(-90, 90)),
        **maybe("source.tor_node", st.booleans()),
        **maybe("comment", _WORD),
        **maybe("extra.anything", _WORD),
    }
    if {"source.ip", "source.fqdn", "destination.ip", "destination.fqdn"} & set(event):
        event |= maybe("source.port", st.integers(0, 65_535)) | maybe("destination.port", st.integers(0, 65_535))
        event |= maybe("protocol.transport", st.sampled_from(["tcp", "udp"])) | maybe(
            "protocol.application", st.sampled_from(["http", "ssh"])
        )
    return event


@settings(max_examples=50, deadline=None)
@given(_events())
def test_what_is_kept_comes_back(event: dict[str, Any]) -> None:
    report = Report()
    objs = make([event], report)
    if not objs:
        return
    assert not [line for line in report.lines if line.fate.value in ("dropped", "guessed")]
    events, refused = events_of(objs)
    assert refused == {}
    assert events == [event]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | _WORD,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(_WORD, some, max_size=3),
    max_leaves=4,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from([*EVENTS[0], *EVENTS[1], *EVENTS[2], "x"]) | _WORD, _JSON))
def test_no_event_breaks_the_reader(event: dict[str, Any]) -> None:
    assert_valid(make([event, EVENTS[0] | event]))
