"""Reading whole tables as they are stored, in pieces: for whoever checks the hub and believes none of its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Table,
    func,
    select,
    tuple_,
    type_coerce,
)

from hub.store.batches import batches
from hub.store.database import driver
from hub.store.tables import metadata

Row: TypeAlias = Mapping[str, Any]
"""One row, its values by the names of the columns, as the driver has them."""

_ROWS: Final = 500
_ROWS_WITH_BODY: Final = 100
"""Rows in one piece: the largest objects are 4 MiB each, but most are below 4 KiB."""


def names() -> list[str]:
    """Return the names of all tables of the hub."""
    return [table.name for table in metadata.sorted_tables]


def columns(name: str) -> list[str]:
    """Return the names of the columns of a table, in order."""
    return [column.name for column in metadata.tables[name].c]


def count(tx: Connection, name: str) -> int:
    """Return how many rows a table has."""
    return int(tx.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one())


def whole(tx: Connection, name: str) -> list[Row]:
    """Return every row of a table that is small on every hub, in the order of its key."""
    return [row for piece in pieces(tx, name) for row in piece]


def pieces(tx: Connection, name: str, by: Sequence[str] = ()) -> Iterator[list[Row]]:
    """Yield all rows of a table, at most some hundreds at a time.

    :param by: columns that together are unique, in whose order the rows come; its primary key when nothing is said.
    """
    table = metadata.tables[name]
    key = [table.c[column] for column in by] or list(table.primary_key.columns)
    size = _ROWS_WITH_BODY if "body" in table.c else _ROWS
    after: tuple[Any, ...] | None = None
    while True:
        statement = select(*map(_raw, table.c)).order_by(*key).limit(size)
        if after is not None:
            statement = statement.where(tuple_(*key) > tuple_(*after) if len(key) > 1 else key[0] > after[0])
        found = [_row(row._asdict(), table) for row in tx.execute(statement)]
        if found:
            yield found
        if len(found) < size:
            return
        after = tuple(found[-1][column.name] for column in key)


def having(tx: Connection, name: str, column: str, values: Sequence[Any], only: Sequence[str] = ()) -> list[Row]:
    """Return the rows whose column has one of these values, in the order of the table's key.

    :param only: the columns wanted; all of them when nothing is said.
    """
    table: Table = metadata.tables[name]
    chosen = [table.c[one] for one in only] or list(table.c)
    found: list[Row] = []
    for some in batches(sorted(set(values))):
        statement = select(*map(_raw, chosen)).where(table.c[column].in_(some)).order_by(*table.primary_key.columns)
        found += [_row(row._asdict(), table) for row in tx.execute(statement)]
    return found


def _row(row: dict[str, Any], table: Table) -> Row:
    """Return a row whose octets are octets: SQLite keeps text where octets belong, if somebody has put it there."""
    for name, value in row.items():
        if isinstance(value, str) and isinstance(table.c[name].type, LargeBinary):
            row[name] = value.encode()
    return row


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column as it is stored: SQLAlchemy would take any number but 0 for a truth."""
    return type_coerce(column, Integer).label(column.name) if isinstance(column.type, Boolean) else column


@contextmanager
def undecoded(tx: Connection) -> Iterator[None]:
    """Let text that is not UTF-8 be read in this transaction: damage is to be reported, not to end the reading.

    PostgreSQL refuses to store such text, and needs nothing.
    """
    if tx.dialect.name != "sqlite":
        yield
        return
    connection: sqlite3.Connection = driver(tx)
    before = connection.text_factory
    connection.text_factory = lambda octets: octets.decode("utf-8", "backslashreplace")
    try:
        yield
    finally:
        connection.text_factory = before
