"""Who waits hears of commits: PostgreSQL notifies one listening connection per process, SQLite shows a changed version.

Nothing is said of what was committed: whoever hears it looks for himself, with one query for all who wait.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Collection as Ids
from typing import Any, Final, Protocol

from sqlalchemy import Connection, func
from sqlalchemy import select as select_rows

from hub.store.database import Database, driver
from hub.store.tables import audit_line, collection

CHANNEL: Final = "cybex_news"

POLL_SECONDS: Final = 0.05
"""Between two looks at the version of an SQLite file while somebody waits: 20 times some microseconds a second."""

RECONNECT_SECONDS: Final = 1.0


def announce(tx: Connection) -> None:
    """Let every listening process know when this transaction commits; said several times it is one notification."""
    if tx.dialect.name == "postgresql":
        driver(tx).execute(f"NOTIFY {CHANNEL}")


def last_dates(tx: Connection, collection_ids: Ids[int]) -> dict[int, int]:
    """Return the last `date_added` of each of these collections; one that is gone is left out."""
    rows = tx.execute(
        select_rows(collection.c.id, collection.c.last_date_added).where(collection.c.id.in_(list(collection_ids)))
    )
    return {int(row[0]): int(row[1]) for row in rows}


def last_change(tx: Connection) -> int:
    """Return a number that grows with every change of rights, credentials, peers or groups."""
    return int(tx.execute(select_rows(func.coalesce(func.max(audit_line.c.id), 0))).scalar_one())


class Listener(Protocol):
    """Hears of commits to one database; used by one thread, apart from `poke`."""

    def heard(self, seconds: float | None) -> bool:
        """Wait for a commit or a poke, at most so long; True unless it is certain that nothing was committed.

        None is for as long as nobody cares for commits: only a poke need end that.
        """

    def poke(self) -> None:
        """Let `heard` return at once, from any thread."""

    def close(self) -> None:
        """Give back what it holds."""


def listener(database: Database) -> Listener:
    """Return what hears of commits to this database, those of other processes included."""
    return _Poller(database) if database.dialect == "sqlite" else _Listener(database)


class _Poller:
    """Looks at ``PRAGMA data_version`` on a connection of its own: it changes with others' commits only."""

    def __init__(self, database: Database) -> None:
        self._connection = database.own_connection()
        self._poked = threading.Event()
        self._version = self._read()

    def heard(self, seconds: float | None) -> bool:
        if seconds is None:
            self._poked.wait()
            self._poked.clear()
            return True
        end = time.monotonic() + seconds
        while True:
            version = self._read()
            if version != self._version:
                self._version = version
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            if self._poked.wait(min(POLL_SECONDS, left)):
                self._poked.clear()
                return True

    def poke(self) -> None:
        self._poked.set()

    def close(self) -> None:
        self._connection.close()

    def _read(self) -> int:
        return int(self._connection.dbapi_connection.execute("PRAGMA data_version").fetchone()[0])


class _Listener:
    """LISTENs on a connection of its own; after a lost one it listens again, and may have missed something."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._connection: Any = None
        self._listen()

    def heard(self, seconds: float | None) -> bool:
        try:
            if self._connection is None:
                self._listen()
                return True
            source = self._connection.dbapi_connection
            ready, _, _ = select.select([source.fileno(), self._near], [], [], seconds)
            if self._near in ready:
                self._near.recv(4096)
            if source.fileno() in ready:
                for _ in source.notifies(timeout=0):
                    pass
        except Exception:  # noqa: BLE001 - whatever the driver or the pool says of a connection that is lost
            self._drop()
            select.select([self._near], [], [], RECONNECT_SECONDS)
            return True
        return bool(ready)

    def poke(self) -> None:
        try:
            self._far.send(b"\0")
        except OSError:  # it is full of pokes, of which one is enough, or closed
            return

    def close(self) -> None:
        self._drop()
        self._near.close()
        self._far.close()

    def _listen(self) -> None:
        connection = self._database.own_connection()
        connection.dbapi_connection.autocommit = True
        connection.dbapi_connection.execute(f"LISTEN {CHANNEL}")
        self._connection = connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
