"""The TAXII connector against real servers of others, both ways: the same set at both ends, whatever is interrupted.

medallion compares every object with every other: 1,000 are read in five seconds, 10,000 in ten minutes. Here it holds
as many as fit into the time of these tests. With 10,000 everywhere, which takes an hour for its sake:
``CYBEX_TAXII_OBJECTS=10000 pytest tests/foreign/test_taxii_connector.py --timeout 7200``.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.dataset import indicators
from connectors.sdk.exchange import Outgoing, Source, Target, Tools
from connectors.taxii.connector import KIND, TaxiiSettings
from hub.client.outgoing import guarded_session
from hub.domain.canonical import jcs
from tests.foreign.medallion_server import MedallionCollection, running_medallion
from tests.foreign.opentaxii import running_opentaxii

ALL = int(os.environ.get("CYBEX_TAXII_OBJECTS", "0"))
AUTHOR = "identity--0c1f3c43-3f0b-4b9f-9c4e-0a7d1a4b9a11"
BATCH = 125


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
    for place, batch in enumerate(server.source(server.full, overlap=0).batches(None)):
        had |= {str(obj["id"]): jcs(dict(obj)) for obj in batch.objects}
        bookmark = batch.bookmark
        if place == 4:
            break  # killed: nothing but the bookmark is left
    assert 0 < len(had) < len(server.given)
    rest = server.source(server.full, overlap=0).batches(bookmark)
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
