"""Changing one bit of one stored value, as damage or a hand on the file would, and putting it back."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from hub.store.tables import metadata


class Unchangeable(Exception):
    """The database lets nobody change this column to any value near."""


def _connect(url: str) -> Any:
    """Open the database beside the hub, with no constraint that would say no."""
    if url.startswith("sqlite"):
        return sqlite3.connect(str(make_url(url).database))
    connection = psycopg.connect(url)
    connection.execute("SET session_replication_role = replica")
    return connection


def flipped(value: Any, dice: random.Random) -> Any:
    """Return the value with one bit changed; of a text one that leaves it text."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ (1 << dice.randrange(0, 2))
    if isinstance(value, str):
        at = dice.randrange(len(value))
        return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
    changed = bytearray(value)
    changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def values(url: str, table: str, column: str, where: str = "") -> list[tuple[tuple[Any, ...], Any]]:
    """Return (primary key, value) of each row that has a value to change."""
    keys = [one.name for one in metadata.tables[table].primary_key.columns]
    condition = f"{column} IS NOT NULL" + (f" AND {where}" if where else "")
    # The names are those of the tables; nothing comes from outside.
    sql = f'SELECT {", ".join(keys)}, {column} FROM "{table}" WHERE {condition} ORDER BY {", ".join(keys)}'  # noqa: S608
    with closing(_connect(url)) as connection:
        rows = connection.execute(sql).fetchall()
    return [(tuple(row[:-1]), row[-1]) for row in rows if row[-1] not in ("", b"")]


def put(url: str, table: str, column: str, key: Sequence[Any], value: Any) -> None:
    """Write one value."""
    keys = [one.name for one in metadata.tables[table].primary_key.columns]
    mark = "?" if url.startswith("sqlite") else "%s"
    condition = " AND ".join(f"{name} = {mark}" for name in keys)
    with closing(_connect(url)) as connection:
        sql = f'UPDATE "{table}" SET {column} = {mark} WHERE {condition}'  # noqa: S608 - names of the tables, as above
        done = connection.execute(sql, (value, *key))
        assert done.rowcount == 1
        connection.commit()


@contextmanager
def corrupted(url: str, table: str, column: str, dice: random.Random, where: str = "") -> Iterator[str]:
    """Change one bit of one value while the block lasts; say what was changed."""
    names = [one.name for one in metadata.tables[table].primary_key.columns]
    for _ in range(100):
        key, value = dice.choice(values(url, table, column, where))
        changed = flipped(value, dice)
        try:
            put(url, table, column, key, changed)
            break
        except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation):
            continue  # another row has that value: the database itself says no
    else:
        raise Unchangeable(f"{table}.{column}")
    after = tuple(changed if name == column else part for name, part in zip(names, key, strict=True))
    try:
        yield f"{table}.{column} of {key}: {value!r} -> {changed!r}"
    finally:
        put(url, table, column, after, value)
