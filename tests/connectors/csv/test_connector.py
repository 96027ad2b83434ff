"""A feed is brought once and kept up to date; what is broken about it harms nothing. A list is always whole."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.csv.connector import KIND, CsvSource
from connectors.csv.listing import CsvTarget
from connectors.sdk.exchange import Incoming, Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from hub.domain import limits
from hub.errors import ConfigError
from tests.connectors.conftest import START, Clock, Sessions
from tests.connectors.csv.test_rows import make
from tests.connectors.feed_world import assert_valid, indicator

DAY = 24 * 3600 * 1_000_000
TEXT: dict[str, Any] = {"format": "text", "columns": {}, "source": "feed.txt"}


def write(tools: Tools, lines: list[str], name: str = "feed.txt", at: int = START) -> Path:
    path = tools.base / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    os.utime(path, ns=(at * 1_000, at * 1_000))
    return path


def run(tools: Tools, bookmark: str | None = None, **given: Any) -> list[Incoming]:
    return list(CsvSource(make(**TEXT | given), tools).batches(bookmark))


def ids(found: list[Incoming]) -> list[str]:
    return [str(obj["name"]) for one in found for obj in one.objects]


def test_a_feed_is_brought_once(tools: Tools) -> None:
    write(tools, ["192.0.2.1", "hxxp://evil[.]example/"])
    first = run(tools)
    assert ids(first) == ["192.0.2.1", "http://evil.example/"]
    assert_valid(obj for one in first for obj in one.objects)
    assert run(tools, first[-1].bookmark) == []


def test_the_same_feed_gives_the_same_objects_wherever_and_whenever_it_is_read(tools: Tools, clock: Clock) -> None:
    write(tools, ["192.0.2.1"])
    first = run(tools)
    clock.now += 10 * DAY
    assert [one.objects for one in run(tools)] == [one.objects for one in first]


def test_only_what_is_new_or_changed_is_brought(tools: Tools, clock: Clock) -> None:
    write(tools, ["192.0.2.1", "192.0.2.2"])
    first = run(tools)
    clock.now += DAY
    write(tools, ["192.0.2.2", "192.0.2.3"], at=clock.now)
    second = run(tools, first[-1].bookmark)
    assert ids(second) == ["192.0.2.3"]
    assert [one.withdrawn for one in second] == [(), []]


def test_a_changed_entry_is_a_later_version_of_the_same_object(tools: Tools, clock: Clock) -> None:
    columns = {"format": "csv", "columns": {"value": "ip", "confidence": "c"}}
    write(tools, ["ip,c", "192.0.2.1,10"])
    first = run(tools, **columns)
    write(tools, ["ip,c", "192.0.2.1,90"])  # with the same date: nobody keeps clocks
    (old,), (new,) = first[0].objects, run(tools, first[-1].bookmark, **columns)[0].objects
    assert (old["id"], old["created"]) == (new["id"], new["created"])
    assert new["modified"] > old["modified"]


def test_a_bookmark_whose_memory_is_lost_costs_no_more_than_bringing_it_again(tools: Tools) -> None:
    write(tools, ["192.0.2.1"])
    first = run(tools)
    for path in tools.folder.iterdir():
        path.unlink()
    write(tools, ["192.0.2.1", "192.0.2.2"])
    assert ids(run(tools, first[-1].bookmark)) == ["192.0.2.1", "192.0.2.2"]


def test_an_interrupted_run_begins_where_the_bookmark_stands(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FEED_BATCH_OBJECTS", 2)
    write(tools, [f"192.0.2.{number}" for number in range(1, 6)])
    batches = CsvSource(make(**TEXT), tools).batches(None)
    half = next(batches)
    assert len(half.objects) == 2
    again = run(tools, half.bookmark)
    assert [len(one.objects) for one in again] == [2, 2, 1, 0]
    assert again[0].objects == half.objects
    assert {one.bookmark for one in again[:-1]} == {""}


def test_validity_is_renewed_when_half_of_it_is_over(tools: Tools, clock: Clock) -> None:
    write(tools, ["192.0.2.1"])
    found = run(tools, expires_after_days=10)
    assert found[0].objects[0]["valid_until"] == "2026-12-02T12:00:00.000Z"
    published = []
    for day in range(1, 12):
        clock.now = START + day * DAY
        write(tools, ["192.0.2.1", f"198.51.100.{day}"], at=clock.now)
        found = run(tools, found[-1].bookmark, expires_after_days=10)
        published += [(day, obj["valid_until"][:10]) for obj in found[0].objects if obj["name"] == "192.0.2.1"]
    assert published == [(6, "2026-12-08")]


def test_what_has_expired_is_not_brought(tools: Tools) -> None:
    write(tools, ["ip,until", "192.0.2.1,2026-11-01", "192.0.2.2,2026-12-01"])
    found = run(tools, format="csv", columns={"value": "ip", "expires": "until"})
    assert ids(found) == ["192.0.2.2"]
    assert any("expired" in line.reason for line in found[-1].report.lines)


def test_what_vanishes_is_withdrawn_when_that_is_asked_for(tools: Tools) -> None:
    write(tools, ["192.0.2.1", "192.0.2.2", "CVE-2026-1234"])
    first = run(tools, missing="withdraw")
    write(tools, ["192.0.2.2"])
    second = run(tools, first[-1].bookmark, missing="withdraw")
    before = {obj["name"]: obj["id"] for obj in first[0].objects}
    assert sorted(second[-1].withdrawn) == sorted([before["192.0.2.1"], before["CVE-2026-1234"]])
    assert run(tools, second[-1].bookmark, missing="withdraw") == []


def test_what_comes_back_is_a_later_version(tools: Tools, clock: Clock) -> None:
    bookmark, versions = None, []
    for lines in (["192.0.2.1", "192.0.2.2"], ["192.0.2.2"], ["192.0.2.1", "192.0.2.2"]):
        clock.now += DAY
        write(tools, lines, at=clock.now)
        found = run(tools, bookmark, missing="withdraw")
        bookmark = found[-1].bookmark
        versions += [(obj["id"], obj["created"], obj["modified"]) for one in found for obj in one.objects]
    first, _, third = versions
    assert first[:2] == third[:2]
    assert third[2] > first[2]


def test_a_feed_of_which_most_has_vanished_is_taken_for_broken(tools: Tools) -> None:
    write(tools, [f"192.0.2.{number}" for number in range(100)])
    first = run(tools, missing="withdraw")
    write(tools, ["192.0.2.1"])
    with pytest.raises(ConnectorError, match="withdraw_at_most"):
        run(tools, first[-1].bookmark, missing="withdraw")
    assert len(run(tools, first[-1].bookmark, missing="withdraw", withdraw_at_most=1.0)[-1].withdrawn) == 99


@pytest.mark.parametrize("lines", [["<html>", "<body>Please log in</body>"], ["nothing here", "nor here"]])
def test_an_error_page_is_no_empty_list(tools: Tools, lines: list[str]) -> None:
    write(tools, lines)
    with pytest.raises(ConnectorError, match="none of 2 rows"):
        run(tools)


def test_a_folder_is_read_as_one_feed(tools: Tools) -> None:
    write(tools, ["192.0.2.1"], "lists/a.txt")
    write(tools, ["192.0.2.2", "192.0.2.1"], "lists/b.txt")
    write(tools, ["192.0.2.3"], "lists/.hidden.txt")
    write(tools, ["192.0.2.4"], "lists/c.csv")
    (tools.base / "lists" / "d.txt").symlink_to(write(tools, ["192.0.2.5"], "outside.txt"))
    assert ids(run(tools, source="lists", files="*.txt")) == ["192.0.2.1", "192.0.2.2"]


def _zip(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "given"),
    [
        (gzip.compress(b"192.0.2.1\n"), {}),
        (_zip(**{"a.txt": b"192.0.2.1\n"}), {}),
        (_zip(**{"a.txt": b"192.0.2.1\n", "b.txt": b""}), {"member": "a.txt"}),
        (_zip(**{"../../etc/a.txt": b"192.0.2.1\n"}), {}),
    ],
    ids=["gzip", "zip", "zip of two", "zip with a path"],
)
def test_archives_are_unpacked(tools: Tools, data: bytes, given: dict[str, Any]) -> None:
    (tools.base / "feed.txt").write_bytes(data)
    assert ids(run(tools, **given)) == ["192.0.2.1"]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"0" * 200_000),
        _zip(a=b"0" * 200_000),
        b"0" * 200_000,
        gzip.compress(b"192.0.2.1\n")[:-4],
        b"\x1f\x8bnonsense",
        b"PK\x03\x04nonsense",
        _zip(a=b"", b=b""),
    ],
    ids=["gzip bomb", "zip bomb", "long", "cut gzip", "no gzip", "no zip", "zip of two"],
)
def test_bombs_and_damage_are_refused(tools: Tools, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(limits, "FEED_BYTES", 100_000)
    (tools.base / "feed.txt").write_bytes(data)
    with pytest.raises(ConnectorError):
        run(tools)


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: _zip(a=data)], ids=["gzip", "zip"])
def test_a_bomb_is_not_unpacked_before_it_is_refused(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    (tools.base / "feed.txt").write_bytes(pack(b"0" * 40_000_000))
    monkeypatch.setattr(limits, "FEED_BYTES", 100_000)
    tracemalloc.start()
    try:
        with pytest.raises(ConnectorError, match="longer than"):
            run(tools)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_too_many_rows_are_refused(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FEED_ROWS", 2)
    write(tools, ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    with pytest.raises(ConnectorError, match="more than 2 rows"):
        run(tools)


URL = "https://lists.example/feed.txt"


def test_an_address_is_fetched_with_its_token_and_its_date(tools: Tools, sessions: Sessions) -> None:
    (tools.base / "token").write_text("word\n")
    sessions.answer(URL, b"192.0.2.1\n", headers={"Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT"})
    (found, _) = run(tools, source=URL, token_file="token")
    assert found.objects[0]["created"] == "2026-11-21T10:00:00.000Z"
    assert sessions.requests[0].headers["Authorization"] == "Bearer word"
    run(tools, source=URL, token_file="token", token_header="Auth-Key")
    assert sessions.requests[1].headers["Auth-Key"] == "word"


def test_a_feed_without_a_date_says_that_one_was_guessed(tools: Tools, sessions: Sessions) -> None:
    sessions.answer(URL, b"192.0.2.1\n")
    found = run(tools, source=URL)
    assert found[0].objects[0]["created"] == "2026-11-22T12:00:00.000Z"
    assert any(line.fate.value == "guessed" and line.field == "feed" for line in found[-1].report.lines)


@pytest.mark.parametrize("status", [301, 401, 404, 500])
def test_an_answer_that_is_no_feed_changes_nothing(tools: Tools, sessions: Sessions, status: int) -> None:
    sessions.answer(URL, b"192.0.2.1\n", status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(ConnectorError, match=str(status)):
        run(tools, source=URL)
    assert len(sessions.requests) == 1


def test_what_is_missing_is_said_before_it_starts(tools: Tools) -> None:
    with pytest.raises(ConfigError, match="source"):
        CsvSource(make(source=None), tools)
    with pytest.raises(ConfigError, match="path"):
        CsvTarget(make(), tools)
    with pytest.raises(ConnectorError, match="cannot be read"):
        run(tools, source="missing.txt")
    assert (KIND.name, KIND.source, KIND.target) == ("csv", CsvSource, CsvTarget)


def _target(tools: Tools, **given: Any) -> CsvTarget:
    return CsvTarget(make(source=None, path="list.csv", **given), tools)


def _lines(tools: Tools) -> list[str]:
    return (tools.base / "list.csv").read_text().splitlines()


def test_a_list_holds_the_newest_version_of_each_object_once(tools: Tools) -> None:
    batch = Outgoing([indicator(1), indicator(2)])
    _target(tools).deliver(batch)
    _target(tools).deliver(batch)
    assert [line.split(",")[1] for line in _lines(tools)] == ["value", "192.0.2.1", "192.0.2.2"]
    _target(tools).deliver(Outgoing([indicator(1, pattern="[ipv4-addr:value = '192.0.2.9']")]))
    assert sorted(line.split(",")[1] for line in _lines(tools)[1:]) == ["192.0.2.2", "192.0.2.9"]


def test_what_is_withdrawn_or_cannot_be_said_any_more_leaves_the_list(tools: Tools) -> None:
    _target(tools).deliver(Outgoing([indicator(1), indicator(2)]))
    said = _target(tools).deliver(Outgoing([indicator(2, pattern="[process:pid = 1]")], withdrawn=[indicator(1)["id"]]))
    assert len(_lines(tools)) == 1
    assert [one.stix_id for one in said.refused] == [indicator(2)["id"]]


def test_a_list_is_never_half_written(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    _target(tools).deliver(Outgoing([indicator(1)]))
    before = _lines(tools)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConnectorError, match="No space left"):
        _target(tools).deliver(Outgoing([indicator(2)]))
    assert _lines(tools) == before


def test_a_name_from_a_peer_runs_in_no_spreadsheet(tools: Tools) -> None:
    _target(tools).deliver(Outgoing([indicator(1, name='=HYPERLINK("http://x")', labels=["@SUM(1)"])]))
    assert "'=HYPERLINK" in _lines(tools)[1]
    assert ",'@SUM(1)" in _lines(tools)[1]
