"""Rows of every form of feed are read, bad ones counted by their reason, and none stops the others."""

from __future__ import annotations

import csv as standard_csv
import io
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csv.rows import rows, written
from connectors.csv.settings import CsvSettings
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Fate, Report


def make(**given: Any) -> CsvSettings:
    return msgspec.convert({"source": "feed.csv", "feed": "test", "columns": {"value": "ip"}} | given, CsvSettings)


def read(data: bytes, **given: Any) -> tuple[list[dict[str, str]], dict[str, int]]:
    report = Report()
    found = [dict(row) for row in rows(data, make(**given), report)]
    return found, {line.reason: line.count for line in report.lines if line.fate is Fate.DROPPED}


def test_the_package_does_not_hide_the_one_of_python() -> None:
    import connectors.csv
    import connectors.csv.rows as ours

    assert standard_csv.__name__ == "csv"
    assert ours.csv is standard_csv
    assert standard_csv is not connectors.csv
    assert hasattr(standard_csv, "DictReader")


TEXT = {"format": "text", "columns": {}}
FORMS: list[tuple[str, bytes, dict[str, Any], list[dict[str, str]]]] = [
    ("header", b"ip,what\n192.0.2.1,bot\n", {"columns": {"value": "IP", "description": "what"}}, [
        {"value": "192.0.2.1", "description": "bot"}]),
    ("crlf and white space", b" ip , what \r\n 192.0.2.1 , \r\n\r\n", {"columns": {"value": "ip", "tags": "what"}}, [
        {"value": "192.0.2.1"}]),
    ("numbers", b"x,192.0.2.1\ny,192.0.2.2\n", {"header": False, "columns": {"value": 2}}, [
        {"value": "192.0.2.1"}, {"value": "192.0.2.2"}]),
    ("numbers in spite of a header", b"a,b\nx,192.0.2.1\n", {"columns": {"value": 2}}, [{"value": "192.0.2.1"}]),
    ("comments", b"# made today\n; too\nip\n#192.0.2.9\n192.0.2.1\n", {"comments": ["#", ";"]}, [
        {"value": "192.0.2.1"}]),
    ("semicolons and quotes", b"ip;what\n'192.0.2.1';'a;b''c'\n",
        {"delimiter": ";", "quote": "'", "columns": {"value": "ip", "description": "what"}}, [
            {"value": "192.0.2.1", "description": "a;b'c"}]),
    ("tabs without quotes", b'ip\twhat\n192.0.2.1\t"a\n',
        {"delimiter": "\t", "quote": "", "columns": {"value": "ip", "description": "what"}}, [
            {"value": "192.0.2.1", "description": '"a'}]),
    ("byte order mark", b"\xef\xbb\xbfip\n192.0.2.1\n", {}, [{"value": "192.0.2.1"}]),
    ("latin-1", "ip,what\n192.0.2.1,Größe\n".encode("latin-1"),
        {"encoding": "latin-1", "columns": {"value": "ip", "description": "what"}}, [
            {"value": "192.0.2.1", "description": "Größe"}]),
    ("utf-16", "ip\n192.0.2.1\n".encode("utf-16"), {"encoding": "utf-16"}, [{"value": "192.0.2.1"}]),
    ("line breaks in quotes", b'ip,what\n192.0.2.1,"a\nb"\n',
        {"multiline": True, "columns": {"value": "ip", "description": "what"}}, [
            {"value": "192.0.2.1", "description": "a\nb"}]),
    ("apostrophe before a formula", b"ip,what\n192.0.2.1,'=1+1\n",
        {"columns": {"value": "ip", "description": "what"}}, [
        {"value": "192.0.2.1", "description": "=1+1"}]),
    ("text", b"192.0.2.1\n192.0.2.0/24 # net\n#no\n", TEXT, [{"value": "192.0.2.1"}, {"value": "192.0.2.0/24"}]),
    ("text with anchors", b"http://a.example/#x\n", TEXT, [{"value": "http://a.example/#x"}]),
    ("hosts", b"127.0.0.1 localhost\n0.0.0.0\tevil.example bad.example # c\n", {"format": "hosts", "columns": {}}, [
        {"value": "localhost"}, {"value": "evil.example"}, {"value": "bad.example"}]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "given", "expected"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_every_form_is_read(data: bytes, given: dict[str, Any], expected: list[dict[str, str]]) -> None:
    assert read(data, **given) == (expected, {})


BAD: list[tuple[str, bytes, dict[str, Any], str]] = [
    ("no value", b"ip,x\n,1\n192.0.2.1,1\n", {}, "it has no value"),
    ("short row", b"x,ip\n1\n1,192.0.2.1\n", {}, "it has no value"),
    ("open quote", b'ip\n"192.0.2.9\n192.0.2.1\n', {}, "its quotes do not close, or a field is too long"),
    ("not utf-8", b"ip,x\n192.0.2.9,\xff\n192.0.2.1,\xc3\xa4\n", {}, "it is not in the encoding of the feed"),
    ("too long", b"ip\n" + b"a" * 70_000 + b"\n192.0.2.1\n", {}, "it is longer than 65536 characters"),
    ("no name", b"0.0.0.0\n0.0.0.0 192.0.2.1\n", {"format": "hosts", "columns": {}},
        "a line of a hosts file has an address and a name"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "given", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_row_is_counted_and_the_next_one_read(data: bytes, given: dict[str, Any], reason: str) -> None:
    assert read(data, **given) == ([{"value": "192.0.2.1"}], {reason: 1})


@pytest.mark.parametrize(
    "data", [b"", b"# nothing\n", b"address\n192.0.2.1\n"], ids=["empty", "comment", "column gone"]
)
def test_a_feed_of_another_form_is_an_error_and_no_empty_list(data: bytes) -> None:
    with pytest.raises(ConnectorError, match="header"):
        read(data)


@pytest.mark.parametrize(
    "given",
    [
        {"columns": {}},
        {"columns": {"value": "a", "other": "b"}},
        {"columns": {"value": 0}},
        {"header": False},
        {"format": "text"},
        {"type": "nonsense"},
        {"types": {"x": "nonsense"}},
        {"delimiter": ";;"},
        {"feed": "No Spaces"},
        {"missing": "withdraw", "publish": "observables"},
        {"unknown": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        make(**given)


_FIELD = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("'=+-@\",;"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_FIELD.map(str.strip), _FIELD.map(str.strip)), max_size=10))
def test_what_is_written_is_read_back_and_begins_no_formula(records: list[tuple[str, str]]) -> None:
    text = written([("ip", "what"), *records], spreadsheet_safe=True)
    for record in standard_csv.reader(io.StringIO(text, newline="")):
        assert not any(field.startswith(("=", "+", "-", "@", "\t", "\r")) for field in record)
    found, _ = read(text.encode(), columns={"value": "ip", "description": "what"}, comments=[])
    assert found == [{"value": one} | ({"description": other} if other else {}) for one, other in records if one]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["utf-8", "utf-16", "latin-1", "windows-1252"]), st.booleans())
def test_no_octets_break_the_reader(data: bytes, encoding: str, multiline: bool) -> None:
    for row in read(b"192.0.2.1\n" + data, encoding=encoding, multiline=multiline, header=False, columns={"value": 1})[
        0
    ]:
        assert row["value"]
