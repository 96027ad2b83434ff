"""From a MISP to the hub over HTTP: what is asked for, what is sent again, what is withdrawn, what stops nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.misp import server, source
from connectors.sdk.exchange import Incoming, Source
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Fate
from tests.connectors.conftest import Sessions
from tests.connectors.misp.conftest import CANDIRU, GHOST, THEN, Opened, attribute, event, named, real_events
from tests.connectors.misp.fake_misp import FakeMisp


def run(opened: Source, bookmark: str | None = None) -> list[Incoming]:
    """Return all batches of one run."""
    return list(opened.batches(bookmark))


def ids(batches: list[Incoming], type_: str = "") -> set[str]:
    """Return the ids of what was sent."""
    return {one["id"] for batch in batches for one in batch.objects if one["type"].startswith(type_)}


def reasons(batches: list[Incoming]) -> set[str]:
    """Return why something was dropped."""
    return {line.reason for batch in batches for line in batch.report.lines if line.fate is Fate.DROPPED}


def test_published_events_come_in_order_of_publication_and_only_once(opened: Opened, misp: FakeMisp) -> None:
    misp.hold(event("late", publish_timestamp=str(THEN + 20)))
    misp.hold(event("early", attribute("early.example")))
    misp.hold(event("draft", attribute("draft.example"), published=False))
    first = run(opened.source(misp))
    reports = [one["name"] for batch in first for one in batch.objects if one["type"] == "report"]
    assert reports == ["Event early", "Event late"]
    assert run(opened.source(misp), first[-1].bookmark) == []


def test_an_old_event_that_is_published_now_is_not_passed_over(opened: Opened, misp: FakeMisp) -> None:
    misp.hold(event("one"))
    bookmark = run(opened.source(misp))[-1].bookmark
    old = event("old", attribute("old.example"), timestamp=str(THEN - 10**6), publish_timestamp=str(THEN + 5))
    misp.hold(old)
    assert f"report--{old['uuid']}" in ids(run(opened.source(misp), bookmark))


def test_of_a_changed_event_only_what_changed_is_sent_again(opened: Opened, misp: FakeMisp) -> None:
    two = [attribute("one.example"), attribute("two.example")]
    misp.hold(event("one", *two))
    first = run(opened.source(misp))
    two[1] = attribute("three.example", uuid=two[1]["uuid"])
    misp.hold(event("one", *two, timestamp=str(THEN + 9), publish_timestamp=str(THEN + 9)))
    second = run(opened.source(misp), first[-1].bookmark)
    assert f"indicator--{two[1]['uuid']}" in ids(second)
    assert f"indicator--{two[0]['uuid']}" not in ids(second)
    gone = {one["id"] for batch in first for one in batch.objects if one.get("value") == "two.example"}
    assert set(second[-1].withdrawn) == gone, "the observable of the old value"


def test_what_the_hub_never_answered_for_is_sent_again_the_same(opened: Opened, misp: FakeMisp) -> None:
    misp.hold(event("one"))
    bookmark = run(opened.source(misp))[-1].bookmark
    misp.hold(event("two", attribute("two.example"), publish_timestamp=str(THEN + 1)))
    lost = run(opened.source(misp), bookmark)
    misp.hold(event("three", attribute("three.example"), publish_timestamp=str(THEN + 2)))
    again = run(opened.source(misp), bookmark)
    assert list(lost[0].objects) == list(again[0].objects)[: len(lost[0].objects)]
    assert ids(lost) < ids(again)
    assert run(opened.source(misp), again[-1].bookmark) == []


def test_a_run_that_broke_off_loses_nothing_when_what_it_read_is_changed_meanwhile(
    opened: Opened, misp: FakeMisp, monkeypatch: pytest.MonkeyPatch
) -> None:
    misp.hold(event("one"))
    bookmark = run(opened.source(misp))[-1].bookmark
    misp.hold(event("two", attribute("two.example"), publish_timestamp=str(THEN + 1)))
    misp.hold(event("three", attribute("three.example"), publish_timestamp=str(THEN + 2)))
    view, asked = misp.answer, iter([True, True, False])  # one, two, and then three fails

    def failing(method: str, path: str, body: Any) -> tuple[int, Any]:
        return view(method, path, body) if not path.startswith("/events/view") or next(asked) else (500, {})

    monkeypatch.setattr(misp, "answer", failing)
    with pytest.raises(ConnectorError):
        run(opened.source(misp), bookmark)
    assert next(asked, None) is None
    monkeypatch.setattr(misp, "answer", view)
    misp.events[named("event two")]["published"] = False
    middle = run(opened.source(misp), bookmark)
    misp.events[named("event two")] |= {"published": True, "publish_timestamp": str(THEN + 9)}
    last = run(opened.source(misp), middle[-1].bookmark)
    assert f"indicator--{named('domain two.example')}" in ids(last)


def test_deleted_attributes_and_events_are_withdrawn(opened: Opened, misp: FakeMisp) -> None:
    misp.hold(event("one", attribute("stays.example"), attribute("goes.example")))
    misp.hold(event("two", attribute("also.example"), attribute("stays.example", uuid=named("other"))))
    first = run(opened.source(misp))
    held = misp.events[named("event one")]
    held["Attribute"][1]["deleted"] = True
    held |= {"timestamp": str(THEN + 5), "publish_timestamp": str(THEN + 5)}
    del misp.events[named("event two")]
    second = run(opened.source(misp), first[-1].bookmark)
    withdrawn = {one for batch in second for one in batch.withdrawn}
    sent = {one["id"]: one for batch in first for one in batch.objects}
    values = {sent[one]["value"] for one in withdrawn if "value" in sent.get(one, {})}
    assert values == {"goes.example", "also.example"}, "not what another event still holds"
    assert f"indicator--{named('domain goes.example')}" in withdrawn
    assert f"report--{named('event two')}" in withdrawn
    assert f"report--{named('event one')}" not in withdrawn
    assert not any(one.startswith(("identity--", "marking-definition--")) for one in withdrawn)
    assert run(opened.source(misp), second[-1].bookmark) == []


def test_an_event_that_may_no_longer_leave_is_withdrawn(opened: Opened, misp: FakeMisp) -> None:
    misp.hold(event("one"))
    first = run(opened.source(misp))
    misp.hold(event("one", distribution="0", timestamp=str(THEN + 5), publish_timestamp=str(THEN + 5)))
    second = run(opened.source(misp), first[-1].bookmark)
    assert ids(second) == set()
    assert set(second[-1].withdrawn) == {one for one in ids(first) if not one.startswith("identity--")}


@pytest.mark.parametrize(("wanted", "expected"), [(False, False), (True, True)])
def test_an_unpublished_event_is_withdrawn_if_that_is_configured(
    opened: Opened, misp: FakeMisp, wanted: bool, expected: bool
) -> None:
    misp.hold(event("one"))
    bookmark = run(opened.source(misp))[-1].bookmark
    misp.events[named("event one")]["published"] = False
    second = run(opened.source(misp, withdraw_unpublished=wanted), bookmark)
    assert bool([one for batch in second for one in batch.withdrawn]) is expected


def test_an_empty_answer_does_not_withdraw_everything(opened: Opened, misp: FakeMisp, told: list[str]) -> None:
    for number in range(5):
        misp.hold(event(str(number), attribute(f"{number}.example")))
    bookmark = run(opened.source(misp))[-1].bookmark
    misp.events.clear()
    second = run(opened.source(misp, max_withdrawn_events=4), bookmark)
    assert [one for batch in second for one in batch.withdrawn] == []
    assert any("max_withdrawn_events" in reason for reason in reasons(second))
    assert "5 events are missing at once: nothing is withdrawn" in told
    third = run(opened.source(misp, max_withdrawn_events=5), bookmark)
    assert len({one for batch in third for one in batch.withdrawn if one.startswith("report--")}) == 5


def test_changed_settings_make_the_next_version_and_not_the_same_with_other_content(
    opened: Opened, misp: FakeMisp
) -> None:
    misp.hold(event("one", Tag=[]))
    first = run(opened.source(misp))
    second = run(opened.source(misp, default_tlp="green"), first[-1].bookmark)
    old = {one["id"]: one for batch in first for one in batch.objects}
    changed = [one for batch in second for one in batch.objects if "modified" in one]
    assert changed
    assert all(one["modified"] > old[one["id"]]["modified"] for one in changed)


def test_one_broken_event_stops_no_other_and_is_told_once(opened: Opened, misp: FakeMisp) -> None:
    misp.hold(event("one"))
    misp.hold(event("broken", Orgc=None))
    misp.hold(event("hidden", distribution="0"))
    first = run(opened.source(misp))
    assert f"report--{named('event one')}" in ids(first)
    assert reasons(first) >= {"Event.Orgc has no uuid", "distribution `your organisation only` never leaves"}
    assert run(opened.source(misp), first[-1].bookmark) == [], "not at every run again"


@pytest.mark.parametrize("page", [1, 2, 500])
def test_the_index_is_read_to_its_end_whatever_its_pages(
    opened: Opened, misp: FakeMisp, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(server, "PAGE", page)
    for number in range(7):  # three of one second, so that a page ends between them
        misp.hold(event(str(number), attribute(f"{number}.example"), publish_timestamp=str(THEN + number // 3)))
    assert len(ids(run(opened.source(misp)), "report")) == 7


def test_a_large_event_comes_in_pieces_and_counts_only_once_all_are_there(
    opened: Opened, misp: FakeMisp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "PIECE", 10)
    misp.hold(event("large", *(attribute(f"{number}.example") for number in range(12))))
    first = run(opened.source(misp))
    assert len(first) > 2
    assert len({batch.bookmark for batch in first[:-1]}) == 1
    assert first[-1].bookmark != first[0].bookmark
    assert ids(run(opened.source(misp), first[0].bookmark)) == ids(first)


@pytest.mark.parametrize("name", [GHOST, CANDIRU])
def test_an_exported_file_comes_in_and_a_second_run_brings_nothing(opened: Opened, tools_base: Path, name: str) -> None:
    (tools_base / "event.json").write_text(json.dumps({"response": [{"Event": one} for one in real_events(name)]}))
    first = run(opened.source(file="event.json", this_community="group"))
    assert len(ids(first)) == sum(len(batch.objects) for batch in first) > 190
    assert run(opened.source(file="event.json", this_community="group"), first[-1].bookmark) == []


def test_by_default_what_is_for_this_community_stays(opened: Opened, tools_base: Path) -> None:
    (tools_base / "event.json").write_text(json.dumps(real_events(CANDIRU)[0]))
    assert reasons(run(opened.source(file="event.json"))) == {
        "distribution 1 is not sent to the hub by this configuration"
    }


def feed_of(*events: dict[str, Any]) -> dict[str, Any]:
    """Return the files of a feed: no distribution, as MISP writes feeds."""
    files: dict[str, Any] = {"manifest.json": {one["uuid"]: {"timestamp": one["timestamp"]} for one in events}}
    for one in events:
        files[f"{one['uuid']}.json"] = {"Event": {key: value for key, value in one.items() if key != "distribution"}}
    return files


def test_a_feed_comes_in_from_a_folder_and_what_leaves_it_is_withdrawn(opened: Opened, tools_base: Path) -> None:
    folder = tools_base / "feed"
    folder.mkdir()
    for name, content in feed_of(event("one"), event("two", attribute("two.example"))).items():
        (folder / name).write_text(json.dumps(content))
    assert reasons(run(opened.source(feed="feed"))) == {
        "it does not say its distribution, and the configuration gives none (missing_distribution)"
    }
    first = run(opened.source(feed="feed", missing_distribution=3))
    assert len(ids(first, "report")) == 2
    (folder / "manifest.json").write_text(json.dumps(feed_of(event("one"))["manifest.json"]))
    second = run(opened.source(feed="feed", missing_distribution=3), first[-1].bookmark)
    assert f"report--{named('event two')}" in second[-1].withdrawn


def test_a_feed_comes_in_over_http_and_names_no_other_files(opened: Opened, sessions: Sessions) -> None:
    base = "https://feed.example/misp/"
    files = feed_of(event("one"))
    files["manifest.json"]["../../secret"] = {"timestamp": "1"}
    for name, content in files.items():
        sessions.answer(base + name, content)
    first = run(opened.source(feed=base, missing_distribution=3))
    assert len(ids(first, "report")) == 1
    assert sessions.bases == [base]
    assert {str(one.url) for one in sessions.requests} == {base + name for name in files}


@pytest.mark.parametrize(
    ("status", "body"), [(500, b""), (200, b"<html>"), (200, b"[1]"), (404, b"")], ids=["500", "html", "list", "404"]
)
def test_what_is_no_feed_says_so(opened: Opened, sessions: Sessions, status: int, body: bytes) -> None:
    sessions.answer("https://feed.example/manifest.json", body, status=status)
    with pytest.raises(ConnectorError):
        run(opened.source(feed="https://feed.example"))


def test_the_key_stands_in_no_error_and_a_wrong_one_is_told(opened: Opened, misp: FakeMisp, tools_base: Path) -> None:
    (tools_base / "misp.key").write_text("wrongkey")
    with pytest.raises(ConnectorError) as caught:
        run(opened.source(misp))
    assert "wrongkey" not in caught.value.detail
    assert "key_file" in caught.value.detail


def test_what_a_server_says_in_an_error_is_not_repeated(opened: Opened, misp: FakeMisp, caplog: Any) -> None:
    misp.hold(event("one"))
    ready = opened.source(misp)
    misp.answer = lambda *_: (500, {"message": "content-of-somebody"})  # type: ignore[method-assign] # a fault of the fake
    with pytest.raises(ConnectorError) as caught:
        run(ready)
    assert "content-of-somebody" not in caught.value.detail + caplog.text


@pytest.mark.parametrize("text", ["", "{}", "null", "[1]", '{"at":"x","run":1}'])
def test_a_bookmark_of_something_else_is_refused(opened: Opened, misp: FakeMisp, text: str) -> None:
    with pytest.raises(ConnectorError, match="bookmark"):
        run(opened.source(misp), text)
