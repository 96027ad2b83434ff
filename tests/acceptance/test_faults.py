"""Named faults at the worst moments of ingest: a disk that is full, a connection that breaks, a worker that dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection, text

from hub.domain import limits
from hub.errors import Busy
from hub.services import work
from hub.services.context import Bounds
from hub.store import integrity
from hub.store.database import Database, driver
from tests.web.taxii.world import OBJECTS, World, build, indicators

CHUNK = 10
COUNT = 35  # objects of an envelope that the worker commits in four transactions


class Killed(BaseException):
    """The process is gone: nothing after this line runs, and no handler sees it."""


Fault = Callable[[Connection], None]


class FaultyDatabase(Database):
    """A database that fails as it is told: inside the next transactions, or just after they have committed."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type] # passed on as they are
        self.inside: list[Fault | None] = []
        self.after: list[BaseException | None] = []

    @contextmanager
    def write(self, *, patience_ms: int | None = None) -> Iterator[Connection]:
        """Give the writing transaction, with the fault that is next in line."""
        inside = self.inside.pop(0) if self.inside else None
        after = self.after.pop(0) if self.after else None
        with super().write(patience_ms=patience_ms) as tx:
            yield tx
            if inside is not None:
                inside(tx)
        if after is not None:
            raise after


@pytest.fixture
def database(database_url: str) -> Iterator[FaultyDatabase]:
    """A fresh database of each kind."""
    opened = FaultyDatabase.open(database_url)
    assert isinstance(opened, FaultyDatabase)
    yield opened
    opened.close()


@pytest.fixture
def world(database: FaultyDatabase) -> World:
    """A world that has seen one submission, so that the next write is that of the next submission."""
    made = build(database)
    made.aa.add("indicators", *indicators(1, start=1000))
    return made


def stored(world: World) -> list[str]:
    """Return the ids of everything but the first object."""
    return world.aa.get(OBJECTS).ids[1:]


def disk_full_before_commit(tx: Connection) -> None:
    """Let the database find no room for one more page."""
    if tx.dialect.name == "sqlite":
        driver(tx).execute("PRAGMA max_page_count = 1")  # SQLite takes it as: no more than there are now
        try:
            driver(tx).execute("CREATE TABLE grows AS SELECT randomblob(1000000) AS octets")
        finally:
            driver(tx).execute("PRAGMA max_page_count = 1073741823")
    raise psycopg.errors.DiskFull("could not extend file")


def connection_lost_before_commit(tx: Connection) -> None:
    """Cut the connection, so that the database never hears of the commit."""
    if tx.dialect.name == "sqlite":
        driver(tx).rollback()
        raise Busy("the file is on a share that has gone")
    with psycopg.connect(**driver(tx).info.get_parameters(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [driver(tx).info.backend_pid])


def crash_before_commit(tx: Connection) -> None:
    """End the process when everything is written and nothing is committed."""
    del tx
    raise Killed


@pytest.mark.parametrize("fault", [disk_full_before_commit, connection_lost_before_commit])
def test_what_fails_before_the_commit_leaves_nothing_and_asks_the_client_to_retry(
    world: World, database: FaultyDatabase, fault: Fault
) -> None:
    envelope = {"objects": list(indicators(5))}
    database.inside = [fault]
    answer = world.aa.post(OBJECTS, envelope)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert stored(world) == []
    assert integrity.problems(database) == []
    repeated = world.aa.post(OBJECTS, envelope)
    assert (repeated.status, repeated.json["success_count"]) == (202, 5)
    assert stored(world) == [obj["id"] for obj in envelope["objects"]]


def test_a_crash_before_the_commit_leaves_nothing(world: World, database: FaultyDatabase) -> None:
    database.inside = [crash_before_commit]
    with pytest.raises(Killed):
        world.aa.post(OBJECTS, {"objects": list(indicators(5))})
    assert stored(world) == []
    assert integrity.problems(database) == []


def test_it_failed_but_it_happened(world: World, database: FaultyDatabase) -> None:
    envelope = {"objects": list(indicators(5))}
    database.after = [Busy()]
    assert world.aa.post(OBJECTS, envelope).status == 503
    assert stored(world) == [obj["id"] for obj in envelope["objects"]]
    repeated, again = world.aa.post(OBJECTS, envelope), world.aa.post(OBJECTS, envelope)
    assert (repeated.status, repeated.json["success_count"]) == (202, 5)
    assert repeated.json == again.json
    assert stored(world) == [obj["id"] for obj in envelope["objects"]]
    with database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM submission")).scalar_one() == 2, "the repeat is no submission"


@pytest.fixture
def pending(database: FaultyDatabase, monkeypatch: pytest.MonkeyPatch) -> tuple[World, str]:
    """A world with one large envelope that nobody has worked on, and the path of its status."""
    monkeypatch.setattr(limits, "COMMIT_CHUNK_OBJECTS", CHUNK)
    world = build(database, bounds=Bounds(sync_content_length=1000))
    status = world.aa.post(OBJECTS, {"objects": list(indicators(COUNT))}).json
    assert (status["status"], status["pending_count"]) == ("pending", COUNT)
    return world, f"/alpha/status/{status['id']}/"


@pytest.mark.parametrize(
    ("transaction", "done"),
    [
        pytest.param(0, 0, id="killed_after_claim"),
        pytest.param(1, CHUNK, id="killed_between_chunks"),
        pytest.param(3, 3 * CHUNK, id="killed_before_the_last_chunk"),
    ],
)
def test_what_a_killed_worker_leaves_is_whole_chunks_and_the_next_one_finishes_it(
    pending: tuple[World, str], database: FaultyDatabase, transaction: int, done: int
) -> None:
    world, path = pending
    expected = [obj["id"] for obj in indicators(COUNT)]
    database.after = [None] * transaction + [Killed()]
    with pytest.raises(Killed):
        work.run_once(world.hub)
    status = world.aa.get(path).json
    assert (status["status"], status["success_count"], status["pending_count"]) == ("pending", done, COUNT - done)
    assert world.aa.get(OBJECTS).ids == expected[:done]
    assert not work.run_once(world.hub), "it is still leased to the worker that died"
    world.clock.advance(work.LEASE_US / 1_000_000 + 1)
    assert work.run_once(world.hub)
    status = world.aa.get(path).json
    assert (status["status"], status["success_count"], status["failure_count"]) == ("complete", COUNT, 0)
    assert [line["id"] for line in status["successes"]] == expected
    assert world.aa.get(OBJECTS).ids == expected
    assert integrity.problems(database) == []


def test_a_status_is_pending_only_while_an_object_is(pending: tuple[World, str], database: FaultyDatabase) -> None:
    world, path = pending
    seen = []
    write = database.write

    @contextmanager
    def watched(*, patience_ms: int | None = None) -> Iterator[Connection]:
        with write(patience_ms=patience_ms) as tx:
            yield tx
        seen.append(world.aa.get(path).json)

    database.write = watched  # type: ignore[method-assign] # looks at the status after every transaction
    assert work.run_once(world.hub)
    assert [(status["status"], status["pending_count"]) for status in seen] == [
        ("pending", 35),
        ("pending", 25),
        ("pending", 15),
        ("pending", 5),
        ("complete", 0),
    ]
