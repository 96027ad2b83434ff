"""INSERT that leaves a row alone that is there already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table


def insert_or_leave(tx: Connection, table: Table) -> Any:  # each database has its own class for it
    """Return an INSERT into the table that does nothing where the row would be a duplicate."""
    if tx.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # each where it is used only: a process needs one of the two

        return sqlite.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table).on_conflict_do_nothing()
