"""Backup and restore: one portable file, an SQLite database with every table, whichever database the hub runs on.

A file written on SQLite restores into PostgreSQL and the other way round, which is also how a hub moves between them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, select, text

from hub.errors import Busy, ConfigError, Conflict, InvalidRequest
from hub.store import integrity
from hub.store.database import Database, driver
from hub.store.tables import audience, metadata

Progress = Callable[[int, int], None]
"""Called with (done, total) from time to time: pages of the file on SQLite, rows otherwise."""

_PAGES: Final = 2_048
_ROWS: Final = 1_000
_ROWS_WITH_BODY: Final = 32  # each may be megabytes


def backup(db: Database, target: Path, progress: Progress | None = None) -> None:
    """Write the state of one moment to `target`, which exists whole or not at all; readers and writers go on meanwhile.

    The file is readable by its owner only: it holds what members share, and the digests of their secrets.

    :raises ConfigError: the database is not migrated to this version. :raises Conflict: `target` exists.
    :raises Busy: the database cannot be reached.
    """
    _require_current(db)
    if target.exists():
        raise Conflict("the target of the backup exists already; choose another name", field="target")
    if not target.parent.is_dir():
        raise ConfigError("the directory of the backup does not exist; create it first", field="target")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as directory:
        partial = Path(directory) / "hub.db"
        if db.dialect == "sqlite":
            _copy_file(db, partial, progress or _silent)
        else:
            copy = Database.open(f"sqlite:///{partial}")
            copy.migrate()
            with db.read() as source, copy.write() as sink:
                _copy_rows(source, sink, progress or _silent)
            copy.close()
        _as_one_file(partial)
        partial.replace(target)  # the only point where the backup comes to exist
    _sync_directory(target.parent)


def restore(file: Path, db: Database, progress: Progress | None = None) -> None:
    """Load a backup into an empty database of either kind, in one transaction; migrates both as far as needed.

    :raises InvalidRequest: the file is no backup, or damaged. :raises Conflict: the database is not empty.
    :raises ConfigError: the backup was made by a later version of the hub.
    """
    if not file.is_file():
        raise InvalidRequest("there is no such backup file", field="file")
    db.migrate()
    with tempfile.TemporaryDirectory(prefix="cybex-restore-") as directory:
        # A copy, because an older backup has to be migrated and the original must stay what it is.
        copied = Path(directory) / "hub.db"
        shutil.copy(file, copied)
        _require_backup(copied)
        source_db = Database.open(f"sqlite:///{copied}")
        try:
            source_db.migrate()
            if integrity.problems(source_db):
                raise InvalidRequest("the backup file is damaged; use another one", field="file")
            with source_db.read() as source, db.write() as sink:
                _require_empty(sink)
                _copy_rows(source, sink, progress or _silent)
        finally:
            source_db.close()


def _copy_file(db: Database, partial: Path, progress: Progress) -> None:
    def report(status: int, remaining: int, total: int) -> None:
        del status
        progress(total - remaining, total)

    os.close(os.open(partial, os.O_RDWR | os.O_CREAT, 0o600))
    target = sqlite3.connect(partial)
    try:
        with db.read() as tx:
            # The read transaction fixes the snapshot: without it, each commit would start the copy again.
            tx.execute(text("SELECT count(*) FROM alembic_version"))
            driver(tx).backup(target, pages=_PAGES, progress=report, sleep=0)
    finally:
        target.close()


def _copy_rows(source: Connection, sink: Connection, progress: Progress) -> None:
    sink.execute(audience.delete())  # the one row that every migrated database has: the source brings its own
    total = sum(_count(source, table) for table in metadata.sorted_tables)
    done = 0
    for table in metadata.sorted_tables:
        # Streamed, so that no table is ever held in memory whole.
        keys = list(table.primary_key.columns)
        size = _ROWS_WITH_BODY if "body" in table.c else _ROWS
        rows = source.execute(select(table).order_by(*keys), execution_options={"yield_per": size})
        for some in rows.mappings().partitions(size):
            values: list[dict[str, Any]] = [dict(row) for row in some]
            sink.execute(insert(table), values)
            done += len(values)
            progress(done, total)
        if sink.dialect.name == "postgresql" and "id" in table.c:
            _continue_ids(sink, table)
    progress(total, total)


def _continue_ids(sink: Connection, table: Table) -> None:
    """Let the next row get an id that no restored row has."""
    last = sink.execute(select(func.max(table.c.id))).scalar()
    if last is not None:
        sink.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), last)))


def _require_current(db: Database) -> None:
    if db.revision() != db.head():
        raise ConfigError("the database is not at this version's schema; migrate it first", field="database")


def _require_backup(file: Path) -> None:
    connection = sqlite3.connect(file)
    try:
        sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.DatabaseError as error:
        raise InvalidRequest("the file is not a backup of a hub, or it is damaged", field="file") from error
    finally:
        connection.close()
    if not sound or len(revisions) != 1:
        raise InvalidRequest("the backup file is damaged; use another one", field="file")


def _require_empty(tx: Connection) -> None:
    for table in metadata.sorted_tables:
        if _count(tx, table) > (table is audience):
            raise Conflict("the database holds data already; restore into an empty one", field="database")


def _count(tx: Connection, table: Table) -> int:
    return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def _as_one_file(partial: Path) -> None:
    """Fold the write-ahead log into the file and put it on disk, so that the backup is this one file."""
    connection = sqlite3.connect(partial, isolation_level=None)
    try:
        if connection.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
            raise Busy("the backup is still being written by another process")
    finally:
        connection.close()
    with partial.open("rb") as written:
        os.fsync(written.fileno())


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _silent(done: int, total: int) -> None:
    del done, total
