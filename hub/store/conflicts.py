"""What exists once only: a duplicate is a Conflict, and leaves the transaction usable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hub.errors import Conflict


@contextmanager
def refusing_duplicates(tx: Connection, detail: str, *, field: str | None = None) -> Iterator[None]:
    """Run statements in a savepoint. Raises Conflict with this detail when they break a constraint."""
    try:
        # A failed statement ends a whole PostgreSQL transaction unless it stands in a savepoint.
        with tx.begin_nested():
            yield
    except IntegrityError as error:
        raise Conflict(detail, field=field) from error
