"""The cast of the membership tests behind a web application."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.web.app import create_app
from tests.services.cast import Cast
from tests.services.conftest import cast, desk, hub, postgresql_cast, postgresql_copy, sqlite_cast, sqlite_copy
from tests.web.api.client import Client

__all__ = ["cast", "desk", "hub", "postgresql_cast", "postgresql_copy", "sqlite_cast", "sqlite_copy"]

As = Callable[[str], Client]


@pytest.fixture
def who(cast: Cast) -> As:
    """Return the client of a part, on both databases."""
    return clients(cast)


@pytest.fixture
def sqlite_who(sqlite_copy: Cast) -> As:
    """Return the client of a part, on SQLite: for what no database can change."""
    return clients(sqlite_copy)


def clients(made: Cast) -> As:
    """Return how to get somebody's client."""
    app = create_app(made.hub)
    return lambda part: Client(app, made.logins.get(part))
