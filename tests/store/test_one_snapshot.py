"""One snapshot for a whole request: it shows one moment, ends at a write, and gives its connection back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from hub.errors import Busy
from hub.store import peers
from hub.store.database import Database
from tests.store.world import add_peer


def _handles(database: Database) -> list[str]:
    with database.read() as tx:
        return [one.handle for one in peers.all(tx)]


def _add(database: Database, handle: str) -> None:
    with database.write() as tx:
        add_peer(tx, handle)


def test_everything_read_in_the_block_shows_one_moment(database: Database) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.one_snapshot():
            assert _handles(database) == []
            pool.submit(_add, database, "aa").result(30)
            assert _handles(database) == []
            assert pool.submit(_handles, database).result(30) == ["aa"]
        assert _handles(database) == ["aa"]


def test_what_is_read_after_a_write_shows_it(database: Database) -> None:
    with database.one_snapshot():
        assert _handles(database) == []
        _add(database, "aa")
        assert _handles(database) == ["aa"]


def test_no_connection_is_kept(database: Database) -> None:
    pool = database._engine.pool
    with database.one_snapshot():
        assert pool.checkedout() == 0
        _handles(database)
        _handles(database)
        assert pool.checkedout() == 1
        _add(database, "aa")
        assert pool.checkedout() == 0
        _handles(database)
    with pytest.raises(KeyError), database.one_snapshot(), database.read():
        raise KeyError
    assert pool.checkedout() == 0


def test_a_broken_connection_is_busy_and_the_next_block_works(database: Database) -> None:
    if database.dialect != "postgresql":
        return  # SQLite has no server to lose
    with database.one_snapshot():
        with database.read() as tx:
            pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_end, database, pid).result(30)
        with pytest.raises(Busy):
            _handles(database)
    with database.one_snapshot():
        assert _handles(database) == []


def _end(database: Database, pid: int) -> None:
    with database.write() as tx:
        tx.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


def test_blocks_do_not_nest(database: Database) -> None:
    with database.one_snapshot(), pytest.raises(RuntimeError), database.one_snapshot():
        pass
