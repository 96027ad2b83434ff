"""What the mapping claims to keep comes back: event -> STIX -> event."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymisp.abstract import describe_types

from connectors.misp.mapping.event_to_stix import event_to_stix
from connectors.sdk.report import Fate
from tests.connectors.misp.conftest import CANDIRU, GHOST, SMALL, THEN, attribute, event, named, real_events
from tests.connectors.misp.golden import ORIGIN, back, rules

KEPT = (
    "uuid",
    "type",
    "value",
    "category",
    "to_ids",
    "comment",
    "timestamp",
    "first_seen",
    "last_seen",
    "object_relation",
)
EVENT_KEPT = ("uuid", "info", "date", "threat_level_id", "analysis", "timestamp")


def things(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every attribute, those of objects too."""
    yield from one.get("Attribute", [])
    for thing in one.get("Object", []):
        yield from thing["Attribute"]


def kept(thing: dict[str, Any]) -> dict[str, Any]:
    """Return what is claimed to be kept of an attribute, with its tags."""
    found = {name: thing[name] for name in KEPT if thing.get(name) not in (None, "")}
    found["to_ids"] = bool(found.get("to_ids"))
    return found | {"tags": sorted(tag["name"] for tag in thing.get("Tag", []))}


def tags(one: dict[str, Any]) -> set[str]:
    """Return the names of an event's tags."""
    return {tag["name"] for tag in one.get("Tag", [])}


@pytest.mark.parametrize("name", [GHOST, CANDIRU])
def test_a_real_event_comes_back_attribute_by_attribute(name: str) -> None:
    source = real_events(name)[0]
    conversion = event_to_stix(source, rules())
    drawn = back(conversion)
    assert drawn.event is not None
    assert drawn.refused == ()
    before = {one["uuid"]: kept(one) for one in things(source)}
    after = {one["uuid"]: kept(one) for one in things(drawn.event)}
    assert len(after) == int(source["attribute_count"]) == len(list(things(drawn.event)))
    assert after == before
    assert tags(drawn.event) == tags(source) | {ORIGIN, "tlp:amber"}, "the TLP level was guessed, and says so"
    assert {line.field for line in conversion.report.lines if line.fate is Fate.GUESSED} >= {"Event.Tag.tlp"}
    assert [drawn.event[name] for name in EVENT_KEPT] == [source[name] for name in EVENT_KEPT]
    assert drawn.event["Orgc"] == {"uuid": source["Orgc"]["uuid"], "name": source["Orgc"]["name"]}
    assert {one["uuid"]: one["name"] for one in drawn.event.get("Object", [])} == {
        one["uuid"]: one["name"] for one in source["Object"]
    }
    references = [
        {(one["object_uuid"], one["relationship_type"], one["referenced_uuid"]) for thing in side.get("Object", [])
         for one in thing.get("ObjectReference") or []}
        for side in (source, drawn.event)
    ]  # fmt: skip
    assert references[0] == references[1]


def test_what_does_not_come_back_stands_in_the_report() -> None:
    source = real_events(GHOST)[0]
    conversion = event_to_stix(source, rules())
    event_back = back(conversion).event
    assert event_back is not None
    dropped = {line.field for line in conversion.report.lines if line.fate in (Fate.DROPPED, Fate.MERGED)}
    lost = {name for name, value in source.items() if value and value != "0" and name not in event_back}
    assert {f"Event.{name}" for name in lost if name != "Galaxy"} <= dropped
    inside = {name for one in source["Attribute"] for name, value in one.items() if value and value != "0"}
    there = {name for one in event_back["Attribute"] for name in one}
    assert {f"Attribute.{name}" for name in inside - there} <= dropped


def test_small_events_come_back_without_a_tag() -> None:
    for source in real_events(SMALL):
        drawn = back(event_to_stix(source, rules()))
        assert drawn.event is not None
        assert [one["value"] for one in things(drawn.event)] == [one["value"] for one in things(source)]


def _hash(name: str) -> st.SearchStrategy[str]:
    return st.binary(min_size=1, max_size=8).map(lambda raw: hashlib.new(name, raw).hexdigest())


_label = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
_domain = st.lists(_label, min_size=1, max_size=3).map(lambda parts: ".".join([*parts, "example"]))
_ipv4 = st.ip_addresses(v=4).map(str)
_file = st.text("abcdefghijklmnopqrstuvwxyz0123456789 ._-", min_size=1, max_size=20).map(
    lambda name: f"a{name}.exe".strip()
)
_words = st.text("abcdefghijklmnopqrstuvwxyz ÄÖ中'\"\\<>&", min_size=1, max_size=30).map(lambda text: f"x{text}x")

VALUES: dict[str, st.SearchStrategy[str]] = {
    "domain": _domain,
    "hostname": _domain,
    "url": _domain.map(lambda name: f"https://{name}/path?q=1"),
    "ip-src": _ipv4,
    "ip-dst": st.one_of(_ipv4, st.ip_addresses(v=6).map(str)),
    "md5": _hash("md5"),
    "sha1": _hash("sha1"),
    "sha256": _hash("sha256"),
    "sha512": _hash("sha512"),
    "filename": _file,
    "filename|sha256": st.tuples(_file, _hash("sha256")).map("|".join),
    "email-src": _domain.map(lambda name: f"someone@{name}"),
    "email-dst": _domain.map(lambda name: f"someone@{name}"),
    "email-subject": _words,
    "vulnerability": st.integers(1000, 99999).map(lambda number: f"CVE-2025-{number}"),
    "mutex": _words,
    "user-agent": _words,
    "AS": st.integers(1, 2**32 - 1).map(lambda number: f"AS{number}"),
    "text": _words,
    "yara": _label.map(lambda name: f"rule {name} {{ condition: true }}"),
}


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an attribute of one of the common types."""
    type_ = draw(st.sampled_from(sorted(VALUES)))
    more: dict[str, Any] = {"to_ids": draw(st.booleans()), "timestamp": str(THEN - draw(st.integers(0, 10**6)))}
    comment = draw(st.one_of(st.just(""), _words))
    names = draw(st.lists(st.sampled_from(['rsit:fraud="phishing"', "ours", "tlp:amber"]), unique=True, max_size=3))
    found = attribute(draw(VALUES[type_]), type_, comment=comment, Tag=[{"name": name} for name in names], **more)
    category = describe_types["sane_defaults"][type_]["default_category"]
    return found | {"uuid": str(draw(st.uuids(version=4))), "category": category}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(attributes(), min_size=1, max_size=6, unique_by=lambda one: one["uuid"]))
def test_attributes_of_the_common_types_come_back_as_they_went(found: list[dict[str, Any]]) -> None:
    conversion = event_to_stix(event("generated", *found), rules())
    drawn = back(conversion)
    assert drawn.event is not None
    assert {one["uuid"]: kept(one) for one in things(drawn.event)} == {one["uuid"]: kept(one) for one in found}
    assert not any(line.field.endswith(".value") and line.fate is Fate.DROPPED for line in conversion.report.lines)
    assert [name for name in tags(drawn.event) if name.startswith("tlp:")] == ["tlp:green"]


def test_an_object_of_every_flag_comes_back() -> None:
    inside = [
        attribute("x.exe", "filename", object_relation="filename", to_ids=False, comment="seen twice"),
        attribute("a" * 64, "sha256", object_relation="sha256", to_ids=True, Tag=[{"name": "ours"}]),
        attribute("b" * 32, "md5", object_relation="md5", to_ids=False),
    ]
    thing = {
        "uuid": named("file"), "name": "file", "meta-category": "file", "timestamp": str(THEN), "comment": "dropper",
        "distribution": "5", "Attribute": inside,
    }  # fmt: skip
    drawn = back(event_to_stix(event("one", attribute(), Object=[thing]), rules()))
    assert drawn.event is not None
    (made,) = drawn.event["Object"]
    assert made["comment"] == "dropper"
    assert sorted(map(str, (kept(one) for one in made["Attribute"]))) == sorted(map(str, map(kept, inside)))
