"""Advisories from files and from providers: once each, checked against their hash, and taken back."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.csaf.connector import KIND, CsafSettings
from connectors.sdk.exchange import Incoming, Tools
from connectors.sdk.kind import ConnectorError
from tests.connectors.conftest import Sessions
from tests.connectors.csaf.test_mapping import GOLDEN, everything, octets

BASE = "https://psirt.example.org/csaf/"
WHITE = "https://psirt.example.org/csaf/white/"


def source(tools: Tools, **given: Any) -> Any:
    assert KIND.source is not None
    return KIND.source(msgspec.convert(given, CsafSettings), tools)


def run(tools: Tools, bookmark: str | None = None, **given: Any) -> list[Incoming]:
    return list(source(tools, **given).batches(bookmark))


def reasons(batch: Incoming) -> set[str]:
    return {line.reason for line in batch.report.lines}


def newer(**document: Any) -> bytes:
    value = everything(**document)
    value["document"]["tracking"]["current_release_date"] = "2026-11-05T10:00:00Z"
    return octets(value)


def test_a_file_is_given_once_and_again_when_it_changes(tools: Tools) -> None:
    path = tools.base / "a.json"
    path.write_bytes(octets(everything()))
    first = run(tools, path="a.json")
    assert len(first) == 1
    assert run(tools, first[-1].bookmark, path="a.json") == []
    value = json.loads(newer())
    del value["vulnerabilities"][1]
    path.write_bytes(octets(value))
    second = run(tools, first[-1].bookmark, path="a.json")
    assert sorted({name.partition("--")[0] for name in second[0].withdrawn}) == ["relationship", "vulnerability"]


def test_what_is_taken_back_is_withdrawn_and_what_is_older_is_left(tools: Tools) -> None:
    folder = tools.base / "advisories" / "2026"
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(octets(everything()))
    first = run(tools, path="advisories")
    (folder / "b.json").write_bytes(newer(category="csaf_withdrawn"))
    second = run(tools, first[-1].bookmark, path="advisories")
    assert second[0].objects == ()
    assert {name.partition("--")[0] for name in second[0].withdrawn} == {
        "report",
        "vulnerability",
        "course-of-action",
        "relationship",
    }
    (folder / "c.json").write_bytes(octets(everything(title="old")))
    third = run(tools, second[-1].bookmark, path="advisories")
    assert [batch.objects for batch in third] == [()]


def test_a_file_is_compared_with_the_hash_beside_it(tools: Tools, told: list[str]) -> None:
    data = octets(everything())
    (tools.base / "a.json").write_bytes(data)
    (tools.base / "a.json.asc").write_text("-----BEGIN PGP SIGNATURE-----")
    (tools.base / "a.json.sha256").write_text(f"{'0' * 64}  a.json")
    refused = run(tools, path="a.json")
    assert refused[0].objects == ()
    assert told == ["advisory 1 of 1: refused: its sha256 is not the one beside it"]
    (tools.base / "a.json.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  a.json")
    taken = run(tools, path="a.json")
    assert taken[0].objects
    assert "OpenPGP signatures are not checked" in reasons(taken[0])


def test_a_draft_is_published_only_when_asked_for(tools: Tools) -> None:
    value = everything()
    value["document"]["tracking"]["status"] = "draft"
    (tools.base / "a.json").write_bytes(octets(value))
    assert run(tools, path="a.json")[0].objects == ()
    assert run(tools, path="a.json", drafts=True)[0].objects


def provide(sessions: Sessions, name: str, data: bytes) -> None:
    sessions.answer(WHITE + name, data)
    sessions.answer(WHITE + name + ".sha512", hashlib.sha512(data).hexdigest().encode() + b"  " + name.encode())


def missing(sessions: Sessions, *urls: str) -> None:
    for url in urls:
        sessions.answer(url, b"", status=404)


def test_a_provider_is_followed_by_its_changes(tools: Tools, sessions: Sessions) -> None:
    metadata = {"distributions": [{"directory_url": WHITE.rstrip("/")}]}
    sessions.answer(BASE + "provider-metadata.json", metadata)
    provide(sessions, "2026/ex-1.json", octets(everything()))
    sessions.answer(WHITE + "changes.csv", b'"2026/ex-1.json","2026-10-05T08:00:00Z"\n')
    url = BASE + "provider-metadata.json"
    first = run(tools, url=url)
    assert [bool(batch.objects) for batch in first] == [True]
    assert run(tools, first[-1].bookmark, url=url) == []
    provide(sessions, "2026/ex-1.json", newer())
    sessions.answer(WHITE + "changes.csv", b'"2026/ex-1.json","2026-11-05T08:00:00Z"\n')
    assert len(run(tools, first[-1].bookmark, url=url)) == 1


def test_a_rolie_feed_and_an_index_are_read_too(tools: Tools, sessions: Sessions) -> None:
    provide(sessions, "2026/ex-1.json", octets(everything()))
    entry = {"id": "EX-1", "updated": "2026-10-05T08:00:00Z", "content": {"src": WHITE + "2026/ex-1.json"}}
    other = {"id": "EX-2", "updated": "2026-10-05T08:00:00Z", "content": {"src": "https://elsewhere.example/x.json"}}
    sessions.answer(WHITE + "feed.json", {"feed": {"entry": [entry, other]}})
    batches = run(tools, url=WHITE + "feed.json")
    assert sorted(bool(batch.objects) for batch in batches) == [False, True]
    assert "the advisory was refused: it is on another host than the provider" in reasons(batches[0])
    missing(sessions, WHITE + "changes.csv")
    sessions.answer(WHITE + "index.txt", b"2026/ex-1.json\n")
    assert len(run(tools, url=WHITE)) == 1


def test_octets_that_are_not_what_their_hash_says_are_refused(tools: Tools, sessions: Sessions) -> None:
    provide(sessions, "a.json", octets(everything()))
    sessions.answer(WHITE + "a.json", newer())
    missing(sessions, WHITE + "changes.csv")
    sessions.answer(WHITE + "index.txt", b"a.json\n")
    batches = run(tools, url=WHITE)
    assert batches[0].objects == ()
    assert "the advisory was refused: its sha512 is not the published one" in reasons(batches[0])


def test_an_advisory_without_a_hash_is_taken_and_that_is_said(tools: Tools, sessions: Sessions) -> None:
    sessions.answer(WHITE + "a.json", octets(everything()))
    missing(sessions, WHITE + "changes.csv", WHITE + "a.json.sha256", WHITE + "a.json.sha512")
    sessions.answer(WHITE + "index.txt", b"a.json\n")
    batch = run(tools, url=WHITE)[0]
    assert batch.objects
    assert "no hash is published: nothing but TLS vouches for the octets" in reasons(batch)


def test_one_that_cannot_be_fetched_keeps_nobody_waiting_and_is_tried_again(tools: Tools, sessions: Sessions) -> None:
    provide(sessions, "b.json", octets(everything()))
    sessions.answer(WHITE + "a.json", b"", status=500)
    sessions.answer(WHITE + "changes.csv", b'"b.json","2026-10-05T08:00:00Z"\n"a.json","2026-10-04T08:00:00Z"\n')
    made = source(tools, url=WHITE).batches(None)
    batch = next(made)
    assert batch.objects
    with pytest.raises(ConnectorError, match="advisory 1 of 2: the provider answers 500"):
        next(made)
    provide(sessions, "a.json", (GOLDEN / "rhsa-2019_1862.json").read_bytes())
    assert len(run(tools, batch.bookmark, url=WHITE)) == 1


@pytest.mark.parametrize(
    "answer", [b"not json", b"{}", b"[]", b'{"distributions": [7, {"rolie": 7}]}', b"[" * 10_000],
    ids=["text", "nothing", "list", "broken", "deep"],
)  # fmt: skip
def test_what_is_no_provider_is_said_in_words(tools: Tools, sessions: Sessions, answer: bytes) -> None:
    sessions.answer(BASE + "provider-metadata.json", answer)
    with pytest.raises(ConnectorError):
        run(tools, url=BASE + "provider-metadata.json")


def test_a_distribution_elsewhere_is_not_followed(tools: Tools, sessions: Sessions) -> None:
    metadata = {"distributions": [{"directory_url": "https://10.0.0.1/"}]}
    sessions.answer(BASE + "provider-metadata.json", metadata)
    with pytest.raises(ConnectorError, match="another host"):
        run(tools, url=BASE + "provider-metadata.json")


def test_the_examples_in_the_readme_are_settings() -> None:
    folder = Path(__file__).parents[3] / "connectors" / "csaf"
    examples = tomllib.loads((folder / "example.toml").read_text())
    for one in examples["connector"].values():
        msgspec.convert(one["settings"], CsafSettings)
    assert (folder / "example.toml").read_text() in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    "given", [{}, {"path": "a", "url": "https://x.example/"}, {"path": "a", "default_tlp": "pink"}]
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, CsafSettings)
