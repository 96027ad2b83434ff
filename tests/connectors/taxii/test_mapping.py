"""Reading answers: every object that can be read arrives as it was, and one that cannot takes no other with it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.report import Fate, Report
from connectors.taxii.mapping import mended, read_answer, sorted_out, version
from hub.domain.canonical import jcs
from hub.errors import MalformedJson

GOOD = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--7b1f4a0e-6d5c-4b7e-9a39-0c6d6f1b2a3c",
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-02T00:00:00.120000Z",
    "x_number": 1.0,
    "x_small": 5e-324,
    "x_text": '\u2028 \U0001f600 \\ " é',
}
TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "bad",
    [
        '{"id": 1, "id": 2}',
        '{"id": 9007199254740993}',
        '{"id": NaN}',
        '{"id": 1e999}',
        '{"id": "\\ud800"}',
        '{"id": "a\tb"}',
        '{"id": "\\x"}',
        '{"id": 01}',
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 200 + "1" + "}" * 200,
        "nonsense",
        '{"a": "],[", "a": "}"}',
        '{"a": "\\\\", "a": 1}',
    ],
    ids=[
        "twice",
        "long",
        "nan",
        "huge",
        "half",
        "tab",
        "escape",
        "octal",
        "deep",
        "deep-objects",
        "word",
        "signs",
        "backslash",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_object_that_is_no_i_json_is_cut_out_of_its_page(bad: str, place: int) -> None:
    elements = [TEXT, TEXT]
    elements.insert(place, bad)
    answer, unreadable = read_answer(
        ('{"more": true, "objects": [' + " , ".join(elements) + '], "next": "n"}').encode()
    )
    assert unreadable == 1
    assert answer == {"more": True, "next": "n", "objects": [GOOD, GOOD]}


def test_octets_that_are_no_utf_8_take_only_their_object_along() -> None:
    answer, unreadable = read_answer(b'{"objects":[' + TEXT.encode() + b',{"id":"\xff"}]}')
    assert (answer, unreadable) == ({"objects": [GOOD]}, 1)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html>",
        b'{"objects":[{"id":1}',
        b'{"objects":[{"id":1},',
        b'{"a":1}{"b":2}',
        b'{"objects": "x',
        b"[1,]",
        b'{"more": nope}',
    ],
)
def test_what_is_cut_off_or_no_json_at_all_is_an_error(octets: bytes) -> None:
    with pytest.raises(MalformedJson):
        read_answer(octets)


_TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.floats(1 - 2**53, 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(objects=st.lists(st.dictionaries(_TEXT, _JSON, max_size=4), max_size=4))
def test_cutting_a_page_up_reads_the_same_as_reading_it_whole(objects: list[dict[str, Any]]) -> None:
    listed = [orjson.dumps(obj) for obj in objects]
    whole, _ = read_answer(b'{"objects":[' + b",".join(listed) + b"]}")
    cut, unreadable = read_answer(b'{"objects":[' + b", ".join([*listed, b'{"a":1,"a":2}']) + b" ] }")
    assert unreadable == 1
    assert jcs(whole) == jcs(cut)


@given(st.binary(max_size=60))
def test_no_octets_do_anything_but_read_or_fail_cleanly(octets: bytes) -> None:
    for text in (octets, b'{"objects":[' + octets + b"]}"):
        try:
            _, unreadable = read_answer(text)
        except MalformedJson:
            continue
        assert unreadable >= 0


def _sorted(*objects: Any, unreadable: int = 0) -> tuple[list[dict[str, Any]], list[tuple[Fate, str, int]]]:
    report = Report()
    taken = sorted_out(objects, unreadable, report)
    return taken, [(line.fate, line.field, line.count) for line in report.lines]


def test_objects_are_not_touched() -> None:
    taken, lines = _sorted(GOOD, GOOD)
    assert jcs(taken[0]) == jcs(GOOD)
    assert lines == [(Fate.KEPT, "indicator", 2)]


@pytest.mark.parametrize(
    "obj",
    [
        7,
        "text",
        None,
        [],
        {},
        {"type": "indicator"},
        {"id": "indicator--1"},
        {"id": 5, "type": "indicator"},
        {"id": "indicator--1", "type": "malware"},
        {"id": "indicator--1", "type": "indicator", "created": "x"},
        {"id": "indicator--1", "type": "indicator", "spec_version": "2.0"},
    ],
)
def test_what_the_hub_has_no_place_for_is_left_out_and_counted(obj: Any) -> None:
    taken, lines = _sorted(obj, GOOD)
    assert taken == [GOOD]
    assert lines == [(Fate.DROPPED, "objects[]", 1), (Fate.KEPT, "indicator", 1)]


def test_an_observable_needs_no_version_and_a_type_of_its_own_is_counted_without_its_name() -> None:
    taken, lines = _sorted({"type": "url", "id": "url--1"}, GOOD | {"type": "x-secret", "id": "x-secret--1"})
    assert len(taken) == 2
    assert lines == [(Fate.KEPT, "other types", 1), (Fate.KEPT, "url", 1)]


def test_a_type_where_the_version_belongs_is_mended_and_reported() -> None:
    taken, lines = _sorted(GOOD | {"spec_version": "indicator"})
    assert taken == [GOOD]
    assert lines[0] == (Fate.GUESSED, "spec_version", 1)
    assert mended(GOOD, Report()) is GOOD


def test_the_version_is_the_one_of_taxii() -> None:
    assert version(GOOD) == "2026-01-02T00:00:00.120000Z"
    assert version({"created": "2026-01-01T00:00:00Z"}) == "2026-01-01T00:00:00Z"
    assert version({"type": "url"}) == version({"modified": 5}) == ""
