"""The cast of the membership tests, on each database the hub runs on; made once and then copied."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.services.context import Hub
from hub.store.database import Database
from tests.services.cast import Cast, make_cast, rejoined
from tests.services.desk import Desk, make_desk


@pytest.fixture(scope="session")
def sqlite_cast(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cast]:
    """An SQLite file with the cast in it, and who is who."""
    path = tmp_path_factory.mktemp("cast") / "cast.db"
    shutil.copy(sqlite_template, path)
    database = Database.open(f"sqlite:///{path}")
    cast = make_cast(database)
    database.close()
    return path, cast


@pytest.fixture(scope="session")
def postgresql_cast(postgres_url: str, postgres_template: str) -> Iterator[tuple[str, Cast]]:
    """The name of a PostgreSQL database with the cast in it, and who is who."""
    name = f"cybex_cast_{uuid.uuid4().hex[:12]}"
    _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    database = Database.open(_in_database(postgres_url, name))
    cast = make_cast(database)
    database.close()
    yield name, cast
    _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_copy(sqlite_cast: tuple[Path, Cast], tmp_path: Path) -> Iterator[Cast]:
    """The cast in a fresh SQLite file."""
    path = tmp_path / "cast.db"
    shutil.copy(sqlite_cast[0], path)
    database = Database.open(f"sqlite:///{path}")
    yield rejoined(sqlite_cast[1], database)
    database.close()


@pytest.fixture
def postgresql_copy(postgres_url: str, postgresql_cast: tuple[str, Cast]) -> Iterator[Cast]:
    """The cast in a fresh PostgreSQL database."""
    with new_postgresql(postgres_url, postgresql_cast[0]) as url:
        database = Database.open(url)
        yield rejoined(postgresql_cast[1], database)
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def cast(request: pytest.FixtureRequest) -> Cast:
    """The cast, once on SQLite and once on PostgreSQL."""
    made: Cast = request.getfixturevalue(f"{request.param}_copy")
    return made


@pytest.fixture
def desk(cast: Cast) -> Desk:
    """The cast at work, with keys to sign with, on each database."""
    return make_desk(cast)


@pytest.fixture
def hub(cast: Cast) -> Hub:
    """The hub of the cast."""
    return cast.hub


@contextmanager
def new_postgresql(postgres_url: str, template: str) -> Iterator[str]:
    """Give the URL of a copy of a PostgreSQL database that is gone afterwards."""
    name = f"cybex_test_{uuid.uuid4().hex[:12]}"
    _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield _in_database(postgres_url, name)
    finally:
        _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
