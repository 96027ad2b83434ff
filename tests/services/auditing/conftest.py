"""The lived-in hub, made once for each database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.services.context import Hub
from hub.store.database import Database
from tests.services.auditing.world import live
from tests.services.cast import Cast, rejoined
from tests.services.conftest import new_postgresql
from tests.services.desk import make_desk


@dataclass
class Lived:
    """A hub that has been used, and the URL of its database."""

    hub: Hub
    url: str


@pytest.fixture(scope="session")
def lived_sqlite(sqlite_cast: tuple[Path, Cast], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """On SQLite."""
    path = tmp_path_factory.mktemp("lived") / "hub.db"
    shutil.copy(sqlite_cast[0], path)
    yield from _lived(f"sqlite:///{path}", sqlite_cast[1])


@pytest.fixture(scope="session")
def lived_postgresql(postgres_url: str, postgresql_cast: tuple[str, Cast]) -> Iterator[Lived]:
    """On PostgreSQL."""
    with new_postgresql(postgres_url, postgresql_cast[0]) as url:
        yield from _lived(url, postgresql_cast[1])


def _lived(url: str, cast: Cast) -> Iterator[Lived]:
    database = Database.open(url)
    desk = make_desk(rejoined(cast, database))
    live(desk)
    yield Lived(desk.hub, url)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest) -> Lived:
    """On each database."""
    made: Lived = request.getfixturevalue(f"lived_{request.param}")
    return made
