"""Engines for the two databases, each set up so that what a commit returned for is on disk."""

from __future__ import annotations

import os
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from hub.errors import ConfigError

LOCK_WAIT_MS: Final = 30_000
"""How long a writer waits for another: longer than any transaction of the hub, shorter than clients' patience."""

_STATEMENT_MS: Final = 120_000
"""No statement of the hub takes seconds; one that takes minutes holds locks that others need."""

_CONNECTIONS: Final = 64
"""More than a process has threads, so that no thread ever waits for a connection."""

_SQLITE_CACHE_KIB: Final = 4_096
"""Per connection. The operating system's cache does the rest, once for all processes."""


def make_engine(url: str) -> Engine:
    """Return an engine for ``sqlite:///path`` or ``postgresql://...``; opens no connection yet.

    :raises ConfigError: the URL is not usable, its directory is missing, or the PostgreSQL driver is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("the database URL must be sqlite:///path or postgresql://...", field="database") from error
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return _postgresql(parsed)
    raise ConfigError("the database URL must begin with sqlite:/// or postgresql://", field="database")


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigError("an SQLite database needs the path of a file: sqlite:///path", field="database")
    path = Path(url.database)
    if not path.parent.is_dir():
        raise ConfigError("the directory of the SQLite database does not exist; create it first", field="database")
    # The file holds what members share among themselves: no other account of the machine may read it.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigError("the SQLite database cannot be opened for writing", field="database") from error
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        poolclass=QueuePool,
        pool_size=_CONNECTIONS,
        max_overflow=-1,
        pool_use_lifo=True,
        # Transactions are begun by `Database` alone: BEGIN or BEGIN IMMEDIATE, never by the driver.
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": LOCK_WAIT_MS / 1000},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, record: object) -> None:
    del record
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # WAL with NORMAL loses the last commits when the power fails
        "foreign_keys = ON",
        f"cache_size = -{_SQLITE_CACHE_KIB}",
        "mmap_size = 268435456",  # shared by all processes through the page cache
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _postgresql(url: URL) -> Engine:
    if find_spec("psycopg") is None:
        raise ConfigError("PostgreSQL needs its driver: pip install 'cybex[postgres]'", field="database")
    settings = {
        "lock_timeout": LOCK_WAIT_MS,
        "statement_timeout": _STATEMENT_MS,
        "idle_in_transaction_session_timeout": _STATEMENT_MS,
        "synchronous_commit": "on",
        # Collections differ in size by a factor of a million: one plan does not fit all.
        "plan_cache_mode": "force_custom_plan",
        "jit": "off",
        "timezone": "UTC",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given = url.query.get("options", "")
    defaults = {"connect_timeout": "10", "application_name": "cybex", "keepalives_idle": "30"}
    query = {**defaults, **url.query, "options": f"{options} {given if isinstance(given, str) else ' '.join(given)}"}
    return create_engine(
        url.set(drivername="postgresql+psycopg", query=query),
        pool_size=8,
        max_overflow=_CONNECTIONS,
        pool_timeout=10,
        pool_use_lifo=True,
        pool_recycle=3600,
    )
