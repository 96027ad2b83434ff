"""Rows become entries, entries become STIX that the hub takes; what is kept comes back out of a list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csv.listing import COLUMNS, listed
from connectors.csv.mapping import Entry, entries, key_of, objects
from connectors.csv.rows import rows, written
from connectors.csv.versions import plan
from connectors.sdk.exchange import Refused
from connectors.sdk.report import Report
from hub.domain import tlp
from hub.domain.observable_text import Observable, ObservableType, detect
from tests.connectors.conftest import IDENTITY, START
from tests.connectors.csv.test_rows import make
from tests.connectors.feed_world import assert_valid, check_golden, indicator

DATA, GOLDEN = Path(__file__).parent / "data", Path(__file__).parent / "golden"
T = ObservableType
ALL = {
    "value": "value",
    "type": "type",
    "description": "description",
    "confidence": "confidence",
    "first_seen": "first_seen",
    "last_seen": "last_seen",
    "tlp": "tlp",
    "tags": "tags",
    "expires": "expires",
}


def read(data: bytes, **given: Any) -> tuple[list[Entry], Report]:
    report, made = Report(), make(**given)
    return list(entries(rows(data, made, report), made, report).values()), report


def one(fields: dict[str, str], **given: Any) -> tuple[Entry | None, list[tuple[str, str, str]]]:
    header, values = ",".join(fields), ",".join(f'"{value}"' for value in fields.values())
    columns = {name: name for name in fields}
    found, report = read(f"{header}\n{values}\n".encode(), columns=columns, **given)
    return (found[0] if found else None), [(line.fate.value, line.field, line.reason) for line in report.lines]


def test_a_feed_becomes_what_the_golden_file_says() -> None:
    made = make(columns=ALL, types={"ip": "ipv4-addr", "domain": "domain-name"}, confidence_words={"sure": 90},
                expires_after_days=30, publish="both", labels=["feed:test"])  # fmt: skip
    report = Report()
    found = entries(rows((DATA / "feed.csv").read_bytes(), made, report), made, report)
    objs: list[dict[str, Any]] = []
    for entry in found.values():
        planned = plan(entry, None, made, START)
        if planned is not None:
            times = {name: getattr(planned.record, name) for name in ("created", "modified", "valid_until")}
            objs += objects(entry, made, IDENTITY, **times)
    assert_valid(objs)
    assert len({obj["id"] for obj in objs}) == len(objs)
    check_golden(GOLDEN / "feed.json", {"objects": objs, "report": report.to_json()})


@pytest.mark.parametrize(
    ("fields", "given", "kind", "value"),
    [
        ({"value": "192[.]0[.]2[.]1"}, {}, T.IPV4, "192.0.2.1"),
        ({"value": "evil.zip", "type": "domain-name"}, {}, T.DOMAIN, "evil.zip"),
        ({"value": "evil.zip", "type": "host"}, {"types": {"host": "domain-name"}}, T.DOMAIN, "evil.zip"),
        ({"value": "evil.zip"}, {"type": "domain-name"}, T.DOMAIN, "evil.zip"),
        ({"value": "evil.zip", "type": "?"}, {"type": "domain-name"}, T.DOMAIN, "evil.zip"),
        ({"value": "0" * 64, "type": "SHA-256"}, {}, T.SHA256, "0" * 64),
        ({"value": "0" * 64, "type": "sha-256"}, {}, T.SHA256, "0" * 64),
        ({"value": "64500", "type": "autonomous-system"}, {}, T.AS, "AS64500"),
    ],
)
def test_the_type_is_the_stated_one_or_told_by_the_form(
    fields: dict[str, str], given: dict[str, Any], kind: ObservableType, value: str
) -> None:
    entry, _ = one(fields, **given)
    assert entry is not None
    assert (entry.observable.type, entry.observable.value) == (kind, value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": "nonsense"}, ("dropped", "row", "its value is no observable")),
        ({"value": "192.0.2.1", "type": "url"}, ("dropped", "row", "its value has not the form of its type")),
        ({"value": "192.0.2.1", "type": "?"}, ("dropped", "row", "its type is not known: add it to `types`")),
        ({"value": "192.0.2.1:80"}, ("dropped", "value.port", "an address or a name has no port in STIX")),
        ({"value": "a.example/x"}, ("guessed", "value", "it has no scheme: http is assumed")),
        ({"value": "192.0.2.1"}, ("guessed", "type", "told by the form of the value")),
        ({"value": "192.0.2.1", "tlp": "pink"},
         ("guessed", "tlp", "the level is not known, so the strictest is taken: TLP:RED")),
        ({"value": "192.0.2.1", "confidence": "high"},
         ("dropped", "confidence", "it is no number of the scale, and no word of `confidence_words`")),
        ({"value": "192.0.2.1", "confidence": "101"},
         ("dropped", "confidence", "it is no number of the scale, and no word of `confidence_words`")),
        ({"value": "192.0.2.1", "confidence": "nan"},
         ("dropped", "confidence", "it is no number of the scale, and no word of `confidence_words`")),
        ({"value": "192.0.2.1", "expires": "soon"}, ("dropped", "expires", "it is no time in the format of `times`")),
    ],
)  # fmt: skip
def test_what_does_not_arrive_is_reported(fields: dict[str, str], said: tuple[str, str, str]) -> None:
    assert said in one(fields)[1]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("TLP:AMBER", "amber"),
        ("white", "clear"),
        ("tlp:Amber+Strict", "amber+strict"),
        ("TLP: RED", "red"),
        ("x", "red"),
    ],
)
def test_a_level_is_never_read_as_a_wider_one(text: str, level: str) -> None:
    entry, _ = one({"value": "192.0.2.1", "tlp": text}, tlp="clear")
    assert entry is not None
    assert entry.level == level


@pytest.mark.parametrize(
    ("text", "form", "us"),
    [
        ("2026-11-22", "iso", 1_795_305_600_000_000),
        ("2026-11-22 12:00:00", "iso", START),
        ("2026-11-22T12:00:00Z", "iso", START),
        ("2026-11-22T13:00:00+01:00", "iso", START),
        ("1795348800", "epoch", START),
        ("1795348800000", "epoch_ms", START),
        ("22.11.2026 12:00", "%d.%m.%Y %H:%M", START),
        ("0001-01-01", "iso", None),
        ("1e300", "epoch", None),
        ("inf", "epoch", None),
        ("22.11.2026", "iso", None),
    ],
)
def test_times_are_read_in_the_stated_format(text: str, form: str, us: int | None) -> None:
    entry, _ = one({"value": "192.0.2.1", "first_seen": text}, times=form)
    assert entry is not None
    assert entry.first_seen == us


def test_rows_about_the_same_thing_are_one_entry() -> None:
    data = b"""value,confidence,tlp,tags,first_seen,last_seen
192.0.2.1,10,green,a,2026-01-02,2026-01-03
192.0.2[.]1,90,red,"b,a",2026-01-01,2026-01-04
"""
    ((entry,), report) = read(data, columns={name: name for name in data.decode().splitlines()[0].split(",")})
    assert (entry.confidence, entry.level, entry.tags) == (90, "red", ("a", "b"))
    assert entry.first_seen is not None
    assert entry.last_seen is not None
    assert entry.last_seen - entry.first_seen == 3 * 24 * 3600 * 1_000_000
    assert ("merged", 1) in [(line.fate.value, line.count) for line in report.lines]


def test_a_cve_is_a_vulnerability_and_no_indicator() -> None:
    entry, _ = one({"value": "cve-2026-1234"})
    assert entry is not None
    (made,) = objects(entry, make(), IDENTITY, created=START, modified=START, valid_until=None)
    assert_valid([made])
    assert (made["type"], made["name"]) == ("vulnerability", "CVE-2026-1234")


_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30).map(str.strip)
_VALUES = st.sampled_from(
    ["192.0.2.1", "2001:db8::/32", "evil.example", "http://a.example/x?y=%C3%A4", "a@b.example", "0" * 64, "AS64500",
     "00:11:22:aa:bb:cc", "invoice.zip", "d" * 32]
)  # fmt: skip
_TAG = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1, max_size=10)
_DAY = 24 * 3600 * 1_000_000


@st.composite
def _entries(draw: st.DrawFn) -> Entry:
    observable = detect(draw(_VALUES))
    assert observable is not None
    first = draw(st.integers(0, START // 1_000)) * 1_000
    return Entry(
        observable=Observable(observable.type, observable.value),
        key=key_of(observable),
        level=draw(st.sampled_from(tlp.LEVELS)),
        description=draw(_TEXT),
        confidence=draw(st.none() | st.integers(0, 100)),
        first_seen=first,
        last_seen=draw(st.integers(first // 1_000, START // 1_000)) * 1_000,
        expires=draw(st.none() | st.integers(START // 1_000 + 1, START // 1_000 + 10**9).map(lambda ms: ms * 1_000)),
        tags=tuple(draw(st.lists(_TAG, max_size=4, unique=True))),
    )


@settings(max_examples=60, deadline=None)
@given(_entries())
def test_what_is_kept_comes_back_out_of_a_list(entry: Entry) -> None:
    made = make(columns=ALL, type=None)
    planned = plan(entry, None, made, START)
    assert planned is not None
    times = {name: getattr(planned.record, name) for name in ("created", "modified", "valid_until")}
    (obj,) = objects(entry, made, IDENTITY, **times)
    assert_valid([obj])
    found = listed(obj, made, {}, Report())
    assert isinstance(found, list)
    back, report = read(written([COLUMNS, *found], spreadsheet_safe=True).encode(), columns=ALL)
    assert back == [entry]
    assert not [line for line in report.lines if line.fate.value == "dropped"]


@pytest.mark.parametrize(
    ("obj", "reason"),
    [
        (indicator(pattern="[ipv4-addr:value = '192.0.2.1' AND url:value = 'http://a.example/']"), "more than a list"),
        (indicator(pattern="rule x { condition: true }", pattern_type="yara"), "not a STIX pattern"),
        ({"type": "file", "id": "file--1", "size": 1}, "names no observable"),
        ({"type": "vulnerability", "id": "vulnerability--1", "name": "Log4Shell"}, "names no observable"),
    ],
)
def test_what_a_list_cannot_say_is_refused(obj: dict[str, Any], reason: str) -> None:
    found = listed(obj, make(), {}, Report())
    assert isinstance(found, Refused)
    assert reason in found.reason


def test_a_choice_of_values_is_a_row_for_each() -> None:
    found = listed(indicator(pattern="[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2')]"), make(), {}, Report())
    assert isinstance(found, list)
    assert [row[1:3] for row in found] == [["192.0.2.1", "ipv4-addr"], ["192.0.2.2", "ipv4-addr"]]


def test_what_is_no_observable_is_dropped_and_not_tried_again() -> None:
    report = Report()
    for kind in ("process", "network-traffic", "report"):
        assert listed({"type": kind, "id": f"{kind}--1"}, make(), {}, report) is None
    assert report.to_json()["dropped"] == 3
