"""Many entries in one statement, through the driver: SQLAlchemy's own path costs as much as the database's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from hub.store.database import driver

_TYPES: Final = {
    "collection_id": "int8",
    "date_added": "int8",
    "stix_id": "text",
    "type": "text",
    "version": "text",
    "version_key": "text",
    "audience_id": "int8",
    "superseded_at": "int8",
    "expires_at": "int8",
    "size": "int4",
    "sha256": "bytea",
    "author_identity": "text",
    "introduced": "bool",
    "submitter_peer_id": "int8",
    "submission_uuid": "text",
    "tlp": "text",
    "rule": "text",
    "reason": "text",
    "onward_relay": "bool",
    "key_id": "int8",
    "jss_form": "text",
    "signed_at": "int8",
    "carrier": "text",
    "related_to": "text",
    "body": "bytea",
    "log_index": "int8",
}

COLUMNS: Final = tuple(_TYPES)
"""Every column of `tables.entry` but its id, in the order in which rows are passed to `insert_entries`."""

_NAMES: Final = ", ".join(COLUMNS)
_MARKS: Final = ", ".join("?" for _ in COLUMNS)
# The names are the constants above; no value ever becomes part of a statement.
_SQLITE_INSERT: Final = f"INSERT INTO entry ({_NAMES}) VALUES ({_MARKS})"  # noqa: S608
_POSTGRESQL_COPY: Final = f"COPY entry ({_NAMES}) FROM STDIN (FORMAT BINARY)"


def insert_entries(tx: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows of `COLUMNS`. Raises the driver's IntegrityError on a duplicate."""
    if tx.dialect.name == "sqlite":
        driver(tx).executemany(_SQLITE_INSERT, rows)
        return
    with driver(tx).cursor() as cursor, cursor.copy(_POSTGRESQL_COPY) as copy:
        copy.set_types(list(_TYPES.values()))
        for row in rows:
            copy.write_row(row)


def supersede(tx: Connection, rows: Sequence[tuple[int | None, int | None]]) -> None:
    """Set (superseded_at, entry id) for stored entries."""
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        driver(tx).executemany("UPDATE entry SET superseded_at = ? WHERE id = ?", rows)
        return
    with driver(tx).cursor() as cursor:
        cursor.executemany("UPDATE entry SET superseded_at = %s WHERE id = %s", rows)
