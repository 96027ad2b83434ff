"""Many writers, one collection: dates grow in commit order, and whoever polls meanwhile misses nothing."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from hub.store import entries, pages
from hub.store.database import Database
from hub.store.pages import Selection
from tests.store.world import NOW, World, make_world, new_entry

WRITERS, POSTS, SIZE = 4, 15, 7
TOTAL = WRITERS * POSTS * SIZE


def write(url: str, world_ids: tuple[int, Any], start: Any) -> None:
    """Post from a process of its own; each post may be one or many entries."""
    collection_id, peer = world_ids
    database = Database.open(url)
    start.wait(60)
    post(database, collection_id, peer)
    database.close()


def post(database: Database, collection_id: int, peer: Any) -> list[list[int]]:
    dates = []
    for _ in range(POSTS):
        with database.write() as tx:
            dates.append(entries.insert(tx, collection_id, NOW, [new_entry(peer) for _ in range(SIZE)]))
    return dates


def poll(world: World, by: str) -> list[int]:
    """Follow the collection until everything has been seen; the dates in the order in which they came."""
    seen: list[int] = []
    selection = Selection(world.collection.id, world.bb.id, NOW, limit=5)
    while len(seen) < TOTAL:
        with world.db.read() as tx:
            page = pages.manifest(tx, selection)
        seen += [date for _, date, _ in page.records]
        if page.last is not None:
            selection = replace(selection, **{by: page.last})
    return seen


@pytest.fixture
def world(database: Database) -> World:
    return make_world(database)


@pytest.mark.timeout(120)
def test_pollers_see_every_entry_once_while_threads_write(world: World) -> None:
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        by_position = pool.submit(poll, world, "position")
        by_added_after = pool.submit(poll, world, "added_after")
        writers = [pool.submit(post, world.db, world.collection.id, world.aa) for _ in range(WRITERS)]
        dates = [date for writer in writers for batch in writer.result(100) for date in batch]
        assert by_position.result(100) == by_added_after.result(100) == sorted(dates)
    assert len(set(dates)) == TOTAL


@pytest.mark.timeout(120)
def test_a_poller_sees_every_entry_once_while_processes_write(world: World, database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    arguments = (database_url, (world.collection.id, world.aa), start)
    writers = [context.Process(target=write, args=arguments) for _ in range(2)]
    for writer in writers:
        writer.start()
    with ThreadPoolExecutor(3) as pool:
        poller = pool.submit(poll, world, "position")
        start.set()
        others = [pool.submit(post, world.db, world.collection.id, world.aa) for _ in range(WRITERS - 2)]
        for other in others:
            other.result(100)
        seen = poller.result(100)
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    with world.db.read() as tx:
        stored = tx.execute(text("SELECT date_added FROM entry ORDER BY id")).scalars().all()
    assert seen == sorted(stored)
    assert len(set(seen)) == TOTAL


def test_a_writer_waits_for_the_lock_of_its_collection_and_dates_after_it(world: World) -> None:
    """The first one to lock commits first, and gets the earlier dates, though the second one's clock is behind."""
    locked, release = threading.Event(), threading.Event()

    def first() -> list[int]:
        with world.db.write() as tx:
            entries.lock(tx, world.collection.id)
            locked.set()
            assert release.wait(30)
            return entries.insert(tx, world.collection.id, NOW + 100, [new_entry(world.aa)])

    def second() -> list[int]:
        assert locked.wait(30)
        release.set()
        with world.db.write() as tx:
            return entries.insert(tx, world.collection.id, NOW, [new_entry(world.aa)])

    with ThreadPoolExecutor(2) as pool:
        futures = pool.submit(first), pool.submit(second)
        assert [future.result(60) for future in futures] == [[NOW + 100], [NOW + 101]]
