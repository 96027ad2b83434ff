"""A database and its transactions: what `read` shows and what is durable when `write` returns."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import Busy
from hub.store import schema
from hub.store.engines import LOCK_WAIT_MS, make_engine

Dialect = Literal["sqlite", "postgresql"]

# SQLite's primary result codes that mean "not now": everything else is a fault of the program or of the file.
_SQLITE_BUSY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


class _Shared:
    """The snapshot of one thread in `Database.one_snapshot`; none while nothing has been read."""

    def __init__(self) -> None:
        self.tx: Connection | None = None
        self.stack = ExitStack()


class Database:
    """One SQLite file or one PostgreSQL database. Safe to share between threads; not across a fork.

    Guarantees: when `write` returns, everything in it is on disk, and when it raises, nothing of it is; the one
    exception is `Busy` from a PostgreSQL connection that broke during the commit itself, where either may be true.
    `read` shows one snapshot of committed state and never waits for a writer. Nothing is retried here.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.dialect = cast(Dialect, engine.dialect.name)
        self._scope = threading.local()
        # A thread that waits for another thread of this process must not poll the file's lock with growing sleeps.
        self._writer = threading.Lock() if self.dialect == "sqlite" else None
        self._reader = engine
        if self.dialect == "postgresql":
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @classmethod
    def open(cls, url: str) -> Database:
        """Return the database at ``sqlite:///path`` or ``postgresql://...``, which need not be migrated yet.

        :raises ConfigError: the URL is not usable, or the driver is not installed.
        """
        return cls(make_engine(url))

    @contextmanager
    def one_snapshot(self) -> Iterator[None]:
        """Make what this thread reads in the block one snapshot, from the first `read` to the next `write` or the end.

        For requests that read only: several transactions cost more than what is read in them. Not while a client is
        waited for: as long as a snapshot is held, an SQLite database cannot reuse its log.
        """
        if self._shared() is not None:
            raise RuntimeError("there is a snapshot already")
        self._scope.shared = shared = _Shared()
        try:
            yield
        finally:
            self._scope.shared = None
            shared.stack.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a transaction that sees one snapshot of committed state, from its first statement on.

        :raises Busy: the database cannot be reached, or did not answer in time.
        """
        shared = self._shared()
        if shared is None:
            with self._snapshot() as tx:
                yield tx
            return
        if shared.tx is None:
            shared.tx = shared.stack.enter_context(self._snapshot())
        with self._translated(), self._watched(shared.tx):
            yield shared.tx

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        with self._translated(), self._reader.connect() as tx, self._watched(tx):
            if self._writer is not None:
                driver(tx).execute("BEGIN")
            yield tx

    @contextmanager
    def write(self, *, patience_ms: int | None = None) -> Iterator[Connection]:
        """Give the writing transaction; commit when the block ends, roll back when it raises.

        SQLite has one writer at a time; PostgreSQL has many, and READ COMMITTED: lock what you decide on.

        :param patience_ms: how long to wait for another writer instead; what can be left undone should not wait.
        :raises Busy: another writer held its lock for so long, or the database cannot be reached.
        """
        shared = self._shared()
        if shared is not None:  # what is read after this must show it
            shared.tx = None
            shared.stack.close()
        wait_ms = LOCK_WAIT_MS if patience_ms is None else patience_ms
        with self._turn(wait_ms), self._translated(), self._engine.connect() as tx, tx.begin(), self._watched(tx):
            if self._writer is not None:
                driver(tx).execute(f"PRAGMA busy_timeout = {wait_ms:d}")
                driver(tx).execute("BEGIN IMMEDIATE")
            elif patience_ms is not None:
                driver(tx).execute(f"SET LOCAL lock_timeout = {wait_ms:d}")
            yield tx

    def own_connection(self) -> Any:
        """Return a connection outside the pool, as SQLAlchemy wraps it, for who listens to the database for long.

        :raises Busy: the database cannot be reached.
        """
        with self._translated():
            connection = self._engine.raw_connection()
            connection.detach()
        return connection

    def migrate(self) -> None:
        """Bring the schema to `head`, in one transaction; does nothing when it is there already.

        :raises ConfigError: the database was made by a later version of the hub.
        """
        with self.write() as tx:
            schema.upgrade(tx)

    def revision(self) -> str | None:
        """Return the schema's revision; None for a database that is not migrated."""
        with self.read() as tx:
            return schema.revision(tx)

    def head(self) -> str:
        """Return the revision this version of the hub needs."""
        return schema.head()

    def close(self) -> None:
        """Close every idle connection; the object may be used again."""
        self._engine.dispose()

    def _shared(self) -> _Shared | None:
        return getattr(self._scope, "shared", None)

    @contextmanager
    def _turn(self, wait_ms: int) -> Iterator[None]:
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=wait_ms / 1000):
            raise Busy("another writer holds the database")
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise Busy("no connection to the database is free") from error
        except DBAPIError as error:
            if error.connection_invalidated or _is_busy(error.orig):
                raise Busy from error
            raise

    @contextmanager
    def _watched(self, tx: Connection) -> Iterator[None]:
        """Translate what the driver itself raises (bulk statements bypass SQLAlchemy), and drop broken connections."""
        dbapi = self._engine.dialect.loaded_dbapi
        try:
            yield
        except (dbapi.OperationalError, dbapi.InterfaceError) as error:
            if self.dialect == "postgresql" and driver(tx).closed:
                tx.invalidate()
                self._engine.dispose()
            if _is_busy(error):
                raise Busy from error
            raise


def driver(tx: Connection) -> Any:
    """Return the driver's own connection (sqlite3 or psycopg), for statements whose speed counts.

    It is inside the same transaction. Any, because psycopg need not be installed.
    """
    return tx.connection.driver_connection


def _is_busy(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _SQLITE_BUSY
    # psycopg sorts lock and statement timeouts, deadlocks, shutdowns and broken connections under OperationalError,
    # and a connection that is closed already under InterfaceError.
    return type(error).__module__.startswith("psycopg") and any(
        kind.__name__ in ("OperationalError", "InterfaceError") for kind in type(error).__mro__
    )
