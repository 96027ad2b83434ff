"""The TAXII connector against real servers of others, both ways: the same set at both ends, whatever is interrupted.

medallion compares every object with every other: 1,000 are read in five seconds, 10,000 in ten minutes. Here it holds
as many as fit into the time of these tests. With 10,000 everywhere, which takes an hour for its sake:
``TAXII_OBJECTS=10000 pytest tests/foreign/test_taxii_connector.py --timeout 7200``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.dataset import indicators
from connectors.sdk.exchange import Outgoing, Source, Target, Tools
from connectors.taxii.connector import KIND, TaxiiSettings
from hub.client.feed import collection_url, pages
from hub.client.outgoing import guarded_session
from hub.client.transport import Login, Transport
from hub.domain.canonical import jcs
from hub.domain.signature_profile import SIGNATURE_TYPE
from tests.acceptance.connector_world import make_group, proxy
from tests.acceptance.processes import BIN, RunningProcess, clean_environment, running_hub, start
from tests.foreign.medallion_server import MedallionCollection, running_medallion
from tests.foreign.opentaxii import running_opentaxii

ALL = int(os.environ.get("TAXII_OBJECTS", "0"))
AUTHOR = "identity--0c1f3c43-3f0b-4b9f-9c4e-0a7d1a4b9a11"
BATCH = 125
FIRST = 9_800
SINCE = "2026-01-01T00:00:00.009799Z"
"""Of OpenTAXII's objects, which are dated a microsecond apart, the last ones go all the way."""


@dataclass(frozen=True)
class Foreign:
    """A server with two collections, and how many objects it bears.

    :param settings: of a connector to either collection. :param page: objects read at once.
    """

    folder: Path
    settings: dict[str, Any]
    full: str
    empty: str
    given: list[dict[str, Any]]
    new: list[dict[str, Any]]
    page: int

    def source(self, collection: str, **more: Any) -> Source:
        """Open a collection to read."""
        settings = TaxiiSettings(collection=collection, **{"page": self.page, **self.settings, **more})
        assert KIND.source is not None
        return KIND.source(settings, self._tools())

    def target(self, collection: str, **more: Any) -> Target:
        """Open a collection to write."""
        assert KIND.target is not None
        return KIND.target(TaxiiSettings(collection=collection, **self.settings, **more), self._tools())

    def _tools(self) -> Tools:
        seconds = 7200 if ALL else 120
        return Tools(
            identity=AUTHOR,
            clock=lambda: time.time_ns() // 1_000,
            session=lambda base: guarded_session(base=base, allow_private=True, timeout=seconds, total=seconds),
            folder=self.folder,
            base=self.folder,
        )

    def everything(self, collection: str) -> list[bytes]:
        """Return all versions of all objects of a collection as the source gives them, in JCS."""
        batches = self.source(collection, versions="all").batches(None)
        return [jcs(dict(obj)) for batch in batches for obj in batch.objects]


@dataclass
class Reaper:
    """Counts the POSTs of a run, and kills it after the second."""

    posts: int = 0
    running: RunningProcess | None = None

    def __call__(self) -> None:
        self.posts += 1
        if self.posts == 2 and self.running is not None:
            self.running.kill()


@dataclass(frozen=True)
class World:
    """A hub, and the folder of the CIRT whose connectors run beside it."""

    base_url: str
    folder: Path
    reaper: Reaper


def _data(count: int, new: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return list(indicators(ALL or count, seed=1, author=AUTHOR)), list(indicators(ALL or new, seed=2, author=AUTHOR))


@pytest.fixture(scope="module")
def opentaxii(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """OpenTAXII, on SQLite."""
    folder = tmp_path_factory.mktemp("opentaxii")
    given, new = _data(10_000, 500)
    with running_opentaxii(folder / "server", {"full": given, "empty": []}) as server:
        (folder / "token").write_text(server.authorization.removeprefix("Bearer "))
        root = f"http://127.0.0.1:{server.port}{server.status_path.removesuffix('status/')}"
        yield Foreign(folder, {"api_root": root, "token_file": "token"}, "full", "empty", given, new, 1_000)


@pytest.fixture(scope="module")
def medallion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """medallion, in memory."""
    folder = tmp_path_factory.mktemp("medallion")
    given, new = _data(300, 250)
    full, empty = str(uuid.uuid4()), str(uuid.uuid4())
    with running_medallion(
        folder / "server", [MedallionCollection(full, "full", objects=given), MedallionCollection(empty, "empty")]
    ) as server:
        (folder / "password").write_text(server.password)
        settings = {"discovery": f"{server.base_url}taxii2/", "username": server.username, "password_file": "password"}
        yield Foreign(folder, settings, full, empty, given, new, len(given) // 10)


SERVERS = ["opentaxii", "medallion"]


@pytest.mark.parametrize("name", SERVERS)
def test_all_objects_come_octet_for_octet_though_the_reader_is_killed_in_the_middle(
    name: str, request: pytest.FixtureRequest
) -> None:
    server: Foreign = request.getfixturevalue(name)
    had: dict[str, bytes] = {}
    bookmark = None
    # No overlap: the dates are a microsecond apart, and all of it would be read again.
    for place, batch in enumerate(server.source(server.full, overlap=0, versions="all").batches(None)):
        had |= {str(obj["id"]): jcs(dict(obj)) for obj in batch.objects}
        bookmark = batch.bookmark
        if place == 4:
            break  # killed: nothing but the bookmark is left
    assert 0 < len(had) < len(server.given)
    rest = server.source(server.full, overlap=0, versions="all").batches(bookmark)
    again = [jcs(dict(obj)) for batch in rest for obj in batch.objects]
    assert len(again) == len(set(again)), "a run gives nothing twice"
    assert len(had) + len(again) < len(server.given) + server.page, "it goes on where it stopped"
    assert set(had.values()) | set(again) == {jcs(obj) for obj in server.given}


@pytest.mark.parametrize("name", SERVERS)
def test_all_objects_arrive_once_though_the_writer_is_killed_in_the_middle(
    name: str, request: pytest.FixtureRequest
) -> None:
    server: Foreign = request.getfixturevalue(name)
    batches = [server.new[start : start + BATCH] for start in range(0, len(server.new), BATCH)]
    middle = len(batches) // 2
    target = server.target(server.empty)
    assert [target.deliver(Outgoing(batch)).taken for batch in batches[:middle]] == [BATCH] * middle
    target = server.target(server.empty)  # killed before the bookmark moved: the last batch is handed over again
    for batch in batches[middle - 1 :]:
        delivered = target.deliver(Outgoing(batch))
        assert (delivered.taken, delivered.refused) == (len(batch), ())
    there = server.everything(server.empty)
    assert sorted(there) == sorted(jcs(obj) for obj in server.new)


def test_what_is_withdrawn_is_deleted_in_all_its_versions_and_nothing_else(medallion: Foreign) -> None:
    one, other = indicators(2, seed=3, author=AUTHOR)
    later = one | {"modified": "2026-11-01T00:00:00.000Z"}
    target = medallion.target(medallion.empty, delete=True)
    assert target.deliver(Outgoing([one, later, other])).taken == 3
    stix_id = str(one["id"])
    delivered = target.deliver(Outgoing([], withdrawn=[stix_id]))
    assert (delivered.report.to_json()["dropped"], delivered.refused) == (0, ())
    there = medallion.everything(medallion.empty)
    assert jcs(other) in there
    assert not {jcs(one), jcs(later)} & set(there)
    again = target.deliver(Outgoing([], withdrawn=[stix_id]))  # as after a kill
    assert (again.report.to_json()["merged"], again.refused) == (1, ())


def test_a_deletion_that_opentaxii_takes_back_is_not_called_done(opentaxii: Foreign) -> None:
    """0.9.3 answers 200, and its transaction is rolled back."""
    (one,) = indicators(1, seed=3, author=AUTHOR)
    target = opentaxii.target("empty", delete=True)
    target.deliver(Outgoing([one]))
    delivered = target.deliver(Outgoing([], withdrawn=[str(one["id"])]))
    still = jcs(one) in opentaxii.everything("empty")
    assert still is bool(delivered.refused)
    assert delivered.report.to_json()["dropped"] == still


def test_what_opentaxii_fails_on_is_found_and_the_rest_of_the_batch_arrives(opentaxii: Foreign) -> None:
    """It answers 500 to an observable, which has no `modified`."""
    good = list(indicators(6, seed=4, author=AUTHOR))
    bad = {
        "type": "url",
        "spec_version": "2.1",
        "id": f"url--{uuid.uuid5(uuid.NAMESPACE_URL, 'x')}",
        "value": "http://x/",
    }
    delivered = opentaxii.target("empty").deliver(Outgoing([*good[:3], bad, *good[3:]]))
    assert (delivered.taken, [one.stix_id for one in delivered.refused]) == (6, [bad["id"]])
    assert {jcs(obj) for obj in good} <= set(opentaxii.everything("empty"))


def _tables(world: World, server: Foreign, api_root: str) -> str:
    lines = []
    for name, handle, direction, collection, more in (
        ("theirs", "aa", "in", server.full, {"page": 50, "since": SINCE}),
        ("ours", "bb", "out", server.empty, {"batch": 50}),
    ):
        table = {
            "kind": "taxii",
            "direction": direction,
            "url": f"{world.base_url}alpha/",
            "token_file": f"{handle}.token",
            "key_file": "aa.pem",
            "page": 100,
        }
        if direction == "out":
            del table["key_file"]
        lines += [f"[connector.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        lines += [f"[connector.{name}.network]", "allow_private = true", f"[connector.{name}.settings]"]
        settings = {**server.settings, "api_root": api_root, "collection": collection, **more}
        lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def _run(world: World, name: str) -> dict[str, Any]:
    command = [BIN / "cybex", "connector", "run", name, "--config", world.folder / "connectors.toml", "--json"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def _killed_run(world: World, name: str) -> None:
    """Start a run, and kill it when the other side has taken its second POST and it does not know yet."""
    command: list[str | Path] = [BIN / "cybex", "connector", "run", name, "--config", world.folder / "connectors.toml"]
    world.reaper.posts = 0
    world.reaper.running = start(command, clean_environment())
    code = world.reaper.running.process.wait(120)
    assert code == -signal.SIGKILL, world.reaper.running.log
    world.reaper.running = None


def _held(world: World) -> list[dict[str, Any]]:
    """Return everything in the hub's collection, in the order it was added."""
    transport = Transport(Login(token=(world.folder / "bb.token").read_text()))
    url = collection_url(f"{world.base_url}alpha/", "indicators")
    found = pages(transport, url, added_after=None, limit=500, filters={"match[version]": "all"})
    return [obj for page in found for obj in page.objects]


@pytest.fixture
def world(tmp_path: Path, opentaxii: Foreign) -> Iterator[World]:
    """A real hub; AA brings what OpenTAXII has, BB takes what the hub has there."""
    reaper = Reaper()
    address = urlsplit(opentaxii.settings["api_root"])
    with (
        running_hub(tmp_path) as hub,
        proxy(hub.base_url, reaper) as base_url,
        proxy(f"http://{address.netloc}/", reaper) as other,
    ):
        folder = tmp_path / "cirt"
        folder.mkdir()
        make_group(hub.data_dir, folder)
        hub.cybex("relay-right", "grant", "alpha", "aa", AUTHOR)
        (folder / "token").write_bytes((opentaxii.folder / "token").read_bytes())
        made = World(base_url, folder, reaper)
        (folder / "connectors.toml").write_text(_tables(made, opentaxii, f"{other}{address.path.lstrip('/')}"))
        yield made


def test_objects_go_from_server_to_hub_to_server_through_kills_and_arrive_once(
    world: World, opentaxii: Foreign
) -> None:
    expected = {jcs(obj) for obj in opentaxii.given[FIRST:]}
    _killed_run(world, "theirs")
    assert 0 < len(_held(world)) < 2 * len(expected)
    record = _run(world, "theirs")
    assert record["refused"] == 0
    held = _held(world)
    objects = [jcs(obj) for obj in held if obj["type"] != SIGNATURE_TYPE]
    assert sorted(objects) == sorted(expected), "the same octets, each once"
    vouched = [obj["related_to"] for obj in held if obj["type"] == SIGNATURE_TYPE]
    assert sorted(vouched) == sorted(str(obj["id"]) for obj in opentaxii.given[FIRST:])
    assert _run(world, "theirs")["objects"] == 0, "nothing is new"

    _killed_run(world, "ours")
    assert _run(world, "ours")["refused"] == 0
    there = [text for text in opentaxii.everything("empty") if text in expected]
    assert sorted(there) == sorted(expected)
