"""Transactions: what a reader sees, what a writer leaves, and what a database that does not answer is called."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from hub.errors import Busy, Conflict
from hub.store import peers
from hub.store.database import Database, driver
from hub.store.tables import peer
from tests.store.world import add_peer


def handles(database: Database) -> list[str]:
    with database.read() as tx:
        return [one.handle for one in peers.all(tx)]


def test_a_transaction_is_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(KeyError):
        _add_and_fail(database, "aa")
    assert handles(database) == []
    with database.write() as tx:
        add_peer(tx, "aa")
    assert handles(database) == ["aa"]


def _add_and_fail(database: Database, handle: str) -> None:
    with database.write() as tx:
        add_peer(tx, handle)
        raise KeyError


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.read() as tx:
        assert peers.all(tx) == []
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_add, database, "aa").result(30)
        assert peers.all(tx) == []
    assert handles(database) == ["aa"]


def _add(database: Database, handle: str) -> None:
    with database.write() as tx:
        add_peer(tx, handle)


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.write() as tx:
        add_peer(tx, "aa")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(handles, database).result(30) == []


def test_a_duplicate_is_a_conflict_and_the_transaction_goes_on(database: Database) -> None:
    with database.write() as tx:
        add_peer(tx, "aa")
        with pytest.raises(Conflict):
            add_peer(tx, "aa")
        add_peer(tx, "bb")
    assert handles(database) == ["aa", "bb"]


def test_a_row_cannot_refer_to_one_that_does_not_exist(database: Database) -> None:
    with pytest.raises(DBAPIError), database.write() as tx:
        tx.execute(text("INSERT INTO audience_peer (audience_id, peer_id) VALUES (1, 12345)"))


def test_a_reader_cannot_write_on_postgresql(postgresql_url: str) -> None:
    database = Database.open(postgresql_url)
    with pytest.raises(DBAPIError, match="read-only"), database.read() as tx:
        add_peer(tx, "aa")
    database.close()


def test_a_commit_is_on_disk_before_it_returns(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    with database.write() as tx:
        pragmas = {name: tx.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "journal_mode")}
        assert tx.execute(text("PRAGMA foreign_keys")).scalar() == 1
    assert pragmas == {"synchronous": 2, "journal_mode": "wal"}
    database.close()


def test_a_locked_sqlite_file_is_busy(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.database.LOCK_WAIT_MS", 10)
    database = Database.open(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy), database.write():
        pass
    assert handles(database) == []
    other.execute("ROLLBACK")
    other.close()
    _add(database, "aa")
    database.close()


def test_a_writer_of_the_same_process_that_does_not_end_is_busy(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.database.LOCK_WAIT_MS", 10)
    database = Database.open(sqlite_url)
    with database.write(), ThreadPoolExecutor(1) as pool, pytest.raises(Busy):
        pool.submit(_add, database, "aa").result(30)
    _add(database, "aa")
    database.close()


def test_a_writer_without_patience_does_not_wait_for_the_lock(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy), database.write(patience_ms=1):
        pass
    other.execute("ROLLBACK")
    other.close()
    _add(database, "aa")
    database.close()


def test_a_locked_row_is_busy_on_postgresql(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.engines.LOCK_WAIT_MS", 50)
    database = Database.open(postgresql_url)
    _add(database, "aa")
    with psycopg.connect(postgresql_url) as other:
        other.execute("SELECT * FROM peer FOR UPDATE")
        with pytest.raises(Busy), database.write() as tx:
            tx.execute(select(peer).with_for_update())
    database.close()


@pytest.mark.parametrize("through", ["sqlalchemy", "driver"])
def test_a_lost_connection_is_busy_and_the_next_one_works(postgresql_url: str, through: str) -> None:
    database = Database.open(postgresql_url)
    _add(database, "aa")
    with pytest.raises(Busy):
        _add_and_lose_the_connection(database, postgresql_url, through)
    assert handles(database) == ["aa"]
    database.close()


def _add_and_lose_the_connection(database: Database, url: str, through: str) -> None:
    with database.write() as tx:
        add_peer(tx, "bb")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 10000)", (driver(tx).info.backend_pid,))
        if through == "driver":
            driver(tx).execute("SELECT 1")
        else:
            tx.execute(text("SELECT 1"))


def test_a_server_that_is_not_there_is_busy(tmp_path: Path) -> None:
    database = Database.open(f"postgresql://cybex@/hub?host={tmp_path}&port=1")
    with pytest.raises(Busy), database.read():
        pass


def test_a_fault_of_the_program_is_not_called_busy(database: Database) -> None:
    with pytest.raises(DBAPIError), database.read() as tx:
        tx.execute(text("SELECT * FROM no_such_table"))


KILLED = """
import sys
from hub.store.database import Database
from tests.store.world import add_peer
database = Database.open(sys.argv[1])
with database.write() as tx:
    add_peer(tx, "committed")
with database.write() as tx:
    add_peer(tx, "lost")
    print("now", flush=True)
    sys.stdin.read()
"""


def test_a_killed_writer_leaves_what_it_committed_and_nothing_else(database: Database, database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdin.close()
    process.stdout.close()
    assert handles(database) == ["committed"]
    _add(database, "next")
    assert handles(database) == ["committed", "next"]


def test_threads_have_connections_of_their_own(database: Database) -> None:
    together = threading.Barrier(12)

    def read() -> int:
        with database.read() as tx:
            together.wait(30)
            return id(driver(tx))

    with ThreadPoolExecutor(12) as pool:
        used = [future.result(30) for future in [pool.submit(read) for _ in range(12)]]
    assert len(set(used)) == 12
