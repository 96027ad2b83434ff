"""n6 events become STIX the hub takes: threats are indicators, victims are not; and what is kept comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.n6.mapping import read
from connectors.n6.vocabulary import BACK, CATEGORIES, CONFIDENCES, RESTRICTIONS
from connectors.n6.writing import write
from connectors.sdk.report import Report
from connectors.sdk.security_event import stix_id
from hub.domain import rsit, tlp
from hub.domain.taxii_time import format_timestamp
from tests.connectors.conftest import IDENTITY
from tests.connectors.feed_world import assert_valid, check_golden, indicator

HERE = Path(__file__).parent
EVENTS: list[dict[str, Any]] = json.loads((HERE / "data" / "events.json").read_bytes())


def events_of(objs: Any, **given: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    made = write(list(objs), **{"source": "cybex.hub", "unmarked": "amber", "report": Report()} | given)
    events = [event for some in made.values() if isinstance(some, list) for event in some]
    return events, {one: text for one, text in made.items() if isinstance(text, str)}


def test_events_become_what_the_golden_file_says() -> None:
    report = Report()
    found = read(EVENTS, IDENTITY, report)
    assert_valid(found.objects)
    check_golden(
        HERE / "golden" / "events.json",
        {"objects": found.objects, "withdrawn": found.withdrawn, "report": report.to_json()},
    )


def test_the_same_events_give_the_same_objects() -> None:
    assert read(EVENTS, IDENTITY, Report()) == read(list(EVENTS), IDENTITY, Report())


def test_the_published_examples_come_back_as_they_were() -> None:
    found = read(EVENTS[:2], IDENTITY, Report())
    events, refused = events_of(found.objects)
    expected = [dict(one) for one in EVENTS[:2]]
    del expected[1]["status"]  # what is in the file is active
    assert (events, refused) == (expected, {})


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_a_victim_never_becomes_an_indicator(category: str) -> None:
    event = EVENTS[0] | {"category": category}
    objs = read([event], IDENTITY, Report()).objects
    kinds = {one["type"] for one in objs}
    assert "observed-data" in kinds
    assert ("indicator" in kinds) is CATEGORIES[category].threat
    assert (category in {"bots", "vulnerable", "amplifier", "leak", "backdoor", "dos-victim", "deface"}) <= (
        "indicator" not in kinds
    )


def test_every_category_has_a_type_of_the_rsit() -> None:
    assert len(CATEGORIES) == 26
    assert all(one.kind in rsit.CLASS_OF for one in CATEGORIES.values())
    assert all(kind in rsit.CLASS_OF and category in CATEGORIES for kind, category in BACK.items())


def test_the_most_specific_thing_is_the_indicator() -> None:
    objs = read([EVENTS[1]], IDENTITY, Report()).objects
    (found,) = [one for one in objs if one["type"] == "indicator"]
    assert found["pattern"] == "[url:value = 'http://1234567890qwerty.example.com/click.me']"
    (link,) = [one for one in objs if one["type"] == "relationship"]
    assert (link["source_ref"], link["relationship_type"]) == (found["id"], "based-on")


def test_observations_can_be_left_out() -> None:
    objs = read(EVENTS[:2], IDENTITY, Report(), observations=False).objects
    kinds = [one["type"] for one in objs]
    assert kinds.count("indicator") == 1
    assert kinds.count("relationship") == 0


@pytest.mark.parametrize(
    ("event", "withdrawn"),
    [
        ({"id": "a", "type": "bl-delist"}, ["a"]),
        ({"id": "a", "status": "delisted"}, ["a"]),
        ({"id": "a", "status": "replaced"}, ["a"]),
        (EVENTS[1] | {"id": "b", "type": "bl-change", "replaces": "a"}, ["a"]),
        (EVENTS[1] | {"type": "bl-expire"}, []),
        (EVENTS[1] | {"type": "bl-update"}, []),
    ],
)
def test_what_leaves_the_list_is_withdrawn(event: dict[str, Any], withdrawn: list[str]) -> None:
    found = read([event], IDENTITY, Report())
    assert found.withdrawn == [stix_id("indicator", IDENTITY, "n6", key) for key in withdrawn]


def test_an_update_is_a_later_version_of_the_same_indicator() -> None:
    old, new = (
        next(one for one in read([event], IDENTITY, Report()).objects if one["type"] == "indicator")
        for event in (
            EVENTS[1],
            EVENTS[1] | {"modified": "2024-05-05T00:00:00Z", "expires": "2024-05-07T01:57:26Z"},
        )
    )
    assert (old["id"], old["created"]) == (new["id"], new["created"])
    assert old["modified"] < new["modified"]
    assert old["valid_until"] < new["valid_until"]


def test_updates_of_the_stream_are_later_versions_though_they_do_not_say_when() -> None:
    stream = {name: value for name, value in EVENTS[1].items() if name not in ("modified", "status")}
    versions = [
        next(one for one in read([event], IDENTITY, Report()).objects if one["type"] == "indicator")["modified"]
        for event in (
            stream | {"type": "bl-new"},
            stream | {"type": "bl-update", "expires": "2024-05-06T01:57:26Z"},
            stream | {"type": "bl-update", "expires": "2024-05-07T01:57:26Z"},
        )
    ]
    assert versions == ["2024-05-03T01:57:26.000Z", "2024-05-04T01:57:26.000Z", "2024-05-05T01:57:26.000Z"]


@pytest.mark.parametrize(("word", "level"), [*RESTRICTIONS.items(), ("secret", "red"), (None, "red")])
def test_a_restriction_is_never_read_as_a_wider_one(word: str | None, level: tlp.Level) -> None:
    objs = read([EVENTS[0] | {"restriction": word}], IDENTITY, Report()).objects
    assert {tuple(one["object_marking_refs"]) for one in objs} == {(tlp.IDS[level],)}


@pytest.mark.parametrize(("level", "word"), [("clear", "public"), ("green", "need-to-know"), ("amber", "need-to-know"),
                                             ("amber+strict", "internal"), ("red", "internal")])  # fmt: skip
def test_a_level_is_never_written_as_a_wider_one(level: str, word: str) -> None:
    (event,), _ = events_of([indicator(level=level)])
    assert event["restriction"] == word


def test_an_indicator_of_somebody_else_is_an_event() -> None:
    given = indicator(labels=['rsit:malicious-code="c2-server"'], confidence=80, valid_until="2026-12-01T00:00:00Z")
    (event,), refused = events_of([given])
    assert refused == {}
    assert len(event["id"]) == 32
    assert {name: event[name] for name in ("source", "category", "confidence", "address", "expires", "name")} == {
        "source": "cybex.hub",
        "category": "cnc",
        "confidence": "high",
        "address": [{"ip": "192.0.2.1"}],
        "expires": "2026-12-01T00:00:00Z",
        "name": "Secret name 1",
    }


@pytest.mark.parametrize(
    "given",
    [
        indicator(pattern="[ipv6-addr:value = '2001:db8::1']"),
        indicator(pattern="[ipv4-addr:value = '192.0.2.0/24']"),
        indicator(pattern="[ipv4-addr:value = '192.0.2.1' AND url:value = 'http://a.example/']"),
        indicator(pattern="rule", pattern_type="yara"),
        indicator(pattern="[mac-addr:value = '00:11:22:aa:bb:cc']"),
    ],
)
def test_what_n6_has_no_attribute_for_is_refused(given: dict[str, Any]) -> None:
    events, refused = events_of([given])
    assert events == []
    assert list(refused) == [given["id"]]


def test_an_observation_whose_observables_are_elsewhere_is_refused() -> None:
    objs = [one for one in read([EVENTS[0]], IDENTITY, Report()).objects if one["type"] != "ipv4-addr"]
    assert len(events_of(objs)[1]) == 1


_IP = st.ip_addresses(v=4).map(str)
_WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_NAME = st.from_regex(r"[a-z]{1,10}\.example", fullmatch=True)
_TIME = st.integers(0, 2_000_000_000).map(lambda second: format_timestamp(second * 1_000_000)[:19] + "Z")


@st.composite
def _events(draw: st.DrawFn) -> dict[str, Any]:
    def maybe(name: str, some: st.SearchStrategy[Any]) -> dict[str, Any]:
        return {name: draw(some)} if draw(st.booleans()) else {}

    ips = draw(st.lists(_IP, max_size=3, unique=True))
    address = [
        {"ip": ip} | maybe("cc", st.sampled_from(["PL", "LU"])) | maybe("asn", st.integers(1, 2**32 - 1)) for ip in ips
    ]
    time, other = sorted(draw(st.tuples(_TIME, _TIME)))
    category = draw(st.sampled_from(sorted(CATEGORIES)))
    event = {
        "id": draw(st.from_regex(r"[0-9a-f]{32}", fullmatch=True)),
        "source": "hidden.1",
        "restriction": draw(st.sampled_from(sorted(RESTRICTIONS))),
        "confidence": draw(st.sampled_from(sorted(CONFIDENCES))),
        "category": category,
        "time": time,
        "modified": other,
        **({"address": address} if address else {}),
        **maybe("fqdn", _NAME),
        **maybe("url", _NAME.map(lambda name: f"http://{name}/x")),
        **maybe("email", _NAME.map(lambda name: f"a@{name}")),
        **maybe("dip", _IP.filter(lambda ip: ip not in ips)),
        **maybe("md5", st.from_regex(r"[0-9a-f]{32}", fullmatch=True)),
        **maybe("sha256", st.from_regex(r"[0-9a-f]{64}", fullmatch=True)),
        **maybe("name", _WORD),
        **maybe("origin", st.sampled_from(["c2", "sinkhole"])),
        **maybe("target", _WORD),
        **maybe("block", st.booleans()),
    }
    if address or "fqdn" in event or "dip" in event:
        event |= maybe("sport", st.integers(0, 65_535)) | maybe("dport", st.integers(0, 65_535))
        event |= maybe("proto", st.sampled_from(["tcp", "udp", "icmp"]))
    pointed_at = {"url", "md5", "sha256"} & set(event) or address or ("fqdn" in event and category != "scanning")
    if CATEGORIES[category].threat and pointed_at:  # an expiry is an indicator's
        event |= maybe("expires", st.just("2040-01-01T00:00:00Z"))
    return event


@settings(max_examples=50, deadline=None)
@given(_events())
def test_what_is_kept_comes_back(event: dict[str, Any]) -> None:
    report = Report()
    objs = read([event], IDENTITY, report).objects
    if not objs:
        assert not {"address", "fqdn", "url", "email", "dip", "md5", "sha256"} & set(event)
        return
    assert not [line for line in report.lines if line.fate.value in ("dropped", "guessed")]
    events, refused = events_of(objs)
    assert refused == {}
    assert events == [event]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _WORD,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(_WORD, some, max_size=3),
    max_leaves=4,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from([*EVENTS[0], *EVENTS[1], "replaces", "type", "x"]), _JSON))
def test_no_event_breaks_the_reader(event: dict[str, Any]) -> None:
    report = Report()
    found = read([event, EVENTS[0] | event], IDENTITY, report)
    assert_valid(found.objects)
