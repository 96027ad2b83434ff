"""The connector with a folder and with addresses, and into a folder: what is new once, what is gone withdrawn."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.iodef.connector import KIND, IodefSettings
from connectors.iodef.mapping.documents import from_iodef
from connectors.iodef.mapping.reading import read_document
from connectors.sdk.exchange import Incoming, Outgoing, Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Fate
from tests.connectors.conftest import IDENTITY, Sessions

GOLDEN = Path(__file__).parent / "golden"
CAMPAIGN = (GOLDEN / "rfc7970-campaign.xml").read_text()
NEWER = CAMPAIGN.replace("2015-10-02T11:18:00-05:00", "2015-10-03T11:18:00-05:00")


def source(tools: Tools, **settings: Any) -> Any:
    assert KIND.source is not None
    return KIND.source(msgspec.convert(settings, IodefSettings), tools)


def target(tools: Tools, **settings: Any) -> Any:
    assert KIND.target is not None
    return KIND.target(msgspec.convert(settings, IodefSettings), tools)


def run(made: Any, bookmark: str | None = None) -> list[Incoming]:
    return list(made.batches(bookmark))


@pytest.fixture
def inbox(tools: Tools) -> Path:
    folder = tools.base / "inbox"
    folder.mkdir()
    return folder


def test_a_document_is_given_once_and_again_when_it_changes(tools: Tools, inbox: Path) -> None:
    (inbox / "a.xml").write_text(CAMPAIGN)
    (inbox / "b.json").write_bytes((GOLDEN / "rfc8727-minimal.json").read_bytes())
    (inbox / "notes.txt").write_text("not a document")
    first = run(source(tools, folder="inbox"))
    assert [len(batch.objects) > 0 for batch in first] == [True, True]
    assert run(source(tools, folder="inbox"), first[-1].bookmark) == []
    (inbox / "a.xml").write_text(NEWER)
    second = run(source(tools, folder="inbox"), first[-1].bookmark)
    assert len(second) == 1
    assert {obj["created"] for obj in second[0].objects if "created" in obj} == {"2015-10-02T16:18:00.000Z"}
    assert second[0].withdrawn == []


def test_what_a_newer_version_no_longer_has_is_withdrawn(tools: Tools, inbox: Path) -> None:
    (inbox / "a.xml").write_text(CAMPAIGN)
    first = run(source(tools, folder="inbox"))
    without = NEWER[: NEWER.index("<IndicatorData>")] + NEWER[NEWER.index("</IndicatorData>") + 16 :]
    (inbox / "a.xml").write_text(without)
    second = run(source(tools, folder="inbox"), first[-1].bookmark)
    assert sorted(name.partition("--")[0] for name in second[0].withdrawn) == ["indicator", "relationship"]


def test_the_marking_that_names_recipients_is_never_withdrawn_with_an_incident(tools: Tools, inbox: Path) -> None:
    named = ["identity--00000000-0000-4000-8000-00000000000b"]
    minimal = (GOLDEN / "rfc7970-minimal.xml").read_text()
    (inbox / "a.xml").write_text(minimal)
    first = run(source(tools, folder="inbox", recipients=named))
    assert "marking-definition" in {obj["type"] for obj in first[0].objects}
    (inbox / "a.xml").write_text(minimal.replace("2015-07-18", "2015-07-19").replace("private", "green"))
    second = run(source(tools, folder="inbox", recipients=named), first[-1].bookmark)
    assert "marking-definition" not in {obj["type"] for obj in second[0].objects}
    assert second[0].withdrawn == []


def test_an_older_version_that_comes_late_changes_nothing(tools: Tools, inbox: Path) -> None:
    (inbox / "a.xml").write_text(NEWER)
    first = run(source(tools, folder="inbox"))
    (inbox / "b.xml").write_text(CAMPAIGN)
    second = run(source(tools, folder="inbox"), first[-1].bookmark)
    assert [list(batch.objects) for batch in second] == [[]]
    assert "a newer version of this incident was read before" in {line.reason for line in second[0].report.lines}


def test_a_document_that_cannot_be_read_keeps_nobody_waiting(tools: Tools, inbox: Path, told: list[str]) -> None:
    (inbox / "a.xml").write_text("<broken")
    (inbox / "b.xml").write_text(CAMPAIGN)
    (inbox / "c.xml").symlink_to(inbox / "b.xml")
    batches = run(source(tools, folder="inbox"))
    assert [bool(batch.objects) for batch in batches] == [False, True]
    assert batches[0].report.count(Fate.DROPPED) == 1
    assert told == ["document 1 of 2: refused: it is not well-formed XML"]
    assert run(source(tools, folder="inbox"), batches[-1].bookmark) == []


def test_a_folder_that_is_not_there_is_said_in_words(tools: Tools) -> None:
    with pytest.raises(ConnectorError, match="folder"):
        run(source(tools, folder="nowhere"))


def test_addresses_are_fetched_and_one_that_fails_keeps_nobody_waiting(tools: Tools, sessions: Sessions) -> None:
    sessions.answer("https://csirt.example/a.xml", CAMPAIGN.encode())
    sessions.answer("https://csirt.example/b.xml", b"", status=404)
    urls = ["https://csirt.example/b.xml", "https://csirt.example/a.xml", "https://unknown.example/c.xml"]
    made = source(tools, urls=urls).batches(None)
    batch = next(made)
    assert batch.objects
    with pytest.raises(ConnectorError, match=r"urls\[1\]: it answers 404.*urls\[3\]"):
        next(made)


def test_each_incident_becomes_one_document_that_follows_its_parts(tools: Tools) -> None:
    objects = from_iodef((GOLDEN / "everything.xml").read_bytes(), identity=IDENTITY).objects
    made = target(tools, folder="out", form="json")
    half = len(objects) // 2
    made.deliver(Outgoing(objects[half:]))
    delivered = target(tools, folder="out", form="json").deliver(Outgoing(objects[:half]))  # after a restart
    assert delivered.taken == half
    files = sorted((tools.base / "out").iterdir())
    assert len(files) == 2
    values = [read_document(path.read_bytes()).incidents[0] for path in files]
    assert sorted(value["IncidentID"]["id"] for value in values) == ["2026-117", "2026-118"]
    written = {path.name: path.stat().st_mtime_ns for path in files}
    made = target(tools, folder="out", form="json")
    made.deliver(Outgoing(objects))
    assert {path.name: path.stat().st_mtime_ns for path in files} == written
    incidents = [obj["id"] for obj in objects if obj["type"] == "incident"]
    made.deliver(Outgoing([], withdrawn=incidents[:1]))
    assert len(list((tools.base / "out").iterdir())) == 1


def test_the_examples_in_the_readme_are_settings() -> None:
    folder = Path(__file__).parents[3] / "connectors" / "iodef"
    examples = tomllib.loads((folder / "example.toml").read_text())
    for one in examples["connector"].values():
        msgspec.convert(one["settings"], IodefSettings)
    assert (folder / "example.toml").read_text() in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    "settings", [{}, {"folder": "a", "urls": ["https://x.example"]}, {"folder": "a", "form": "yaml"}]
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, IodefSettings)
