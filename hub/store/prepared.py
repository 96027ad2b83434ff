"""Statements that every request runs: spelled once for each database, and handed to its driver as text.

SQLAlchemy's own way from a statement to a row costs several times what the database takes to find it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Select
from sqlalchemy.dialects import sqlite

from hub.store.database import driver

_SQLITE: Final = sqlite.dialect(paramstyle="named")
"""SQLAlchemy's usual style for it has marks without names."""


class Prepared:
    """A SELECT with named parameters. Rows come as the driver has them: truth values are 0 and 1 on SQLite."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._spelled: dict[str, tuple[str, dict[str, Any]]] = {}

    def rows(self, tx: Connection, **parameters: object) -> list[tuple[Any, ...]]:
        """Return every row, its values in the order in which the statement selects them."""
        sql, fixed = self._spelled.get(tx.dialect.name) or self._spell(tx)
        found: list[tuple[Any, ...]] = driver(tx).execute(sql, {**fixed, **parameters}).fetchall()
        return found

    def _spell(self, tx: Connection) -> tuple[str, dict[str, Any]]:
        named = _SQLITE if tx.dialect.name == "sqlite" else tx.dialect
        compiled = self._statement.compile(dialect=named)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._spelled[tx.dialect.name] = str(compiled), fixed
        return self._spelled[tx.dialect.name]
