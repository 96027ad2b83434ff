"""Databases for the tests: each test gets a fresh, migrated one of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.store.database import Database
from tests.postgres_server import CannotStart, running

_numbers = itertools.count(1)

ON_BOTH = ("tests/store/", "tests/acceptance/", "tests/leaks/", "tests/services/relay/")
"""What is always tested on both databases: all SQL, and real processes."""

OF_THE_REST = 4
"""One in so many of the other tests runs on PostgreSQL as well; with CYBEX_TEST_POSTGRES=all every one does."""

_POSTGRESQL = re.compile(r"\[(?:.*-)?postgresql(?:-.*)?\]$")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of a whole run what costs most and tells least; which tests these are does not change by chance.

    A database of its own costs each test on PostgreSQL a second of a processor. Above the store no statement differs,
    and on SQLite every test runs. Whoever names a file or a folder gets all of it.
    """
    if os.environ.get("CYBEX_TEST_POSTGRES") == "all" or len(items) < 4_000:
        return
    left_out = [
        item
        for item in items
        if _POSTGRESQL.search(item.nodeid)
        and not item.nodeid.startswith(ON_BOTH)
        and zlib.crc32(item.nodeid.encode()) % OF_THE_REST
    ]
    gone = set(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in gone]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of the maintenance database of a PostgreSQL server in which tests may make databases.

    CYBEX_TEST_PG_URL names a server that runs already; otherwise one is started for this process.
    """
    given = os.environ.get("CYBEX_TEST_PG_URL")
    if given:
        yield given
        return
    try:
        with running() as url:
            yield url
    except CannotStart as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL must be tested in CI: {error}")
        pytest.skip(f"POSTGRESQL IS NOT TESTED HERE: {error}")


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """Name of a migrated database that others are copied from."""
    name = f"cybex_template_{uuid.uuid4().hex[:12]}"
    _administer(postgres_url, f"CREATE DATABASE {name}")
    database = Database.open(_in_database(postgres_url, name))
    try:
        database.migrate()
        database.close()
        yield name
    finally:
        _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a fresh, migrated SQLite file."""
    path = tmp_path / f"hub-{next(_numbers)}.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """URL of a fresh, migrated PostgreSQL database."""
    name = f"cybex_test_{uuid.uuid4().hex[:12]}"
    _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    try:
        yield _in_database(postgres_url, name)
    finally:
        _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh, migrated database, for real processes."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, once on SQLite and once on PostgreSQL."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def empty_postgresql_url(postgres_url: str) -> Iterator[str]:
    """URL of a PostgreSQL database that holds nothing, not even the schema."""
    name = f"cybex_empty_{uuid.uuid4().hex[:12]}"
    _administer(postgres_url, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield _in_database(postgres_url, name)
    finally:
        _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that holds nothing, not even the schema."""
    if request.param == "sqlite":
        opened = Database.open(f"sqlite:///{tmp_path / f'empty-{next(_numbers)}.db'}")
    else:
        opened = Database.open(request.getfixturevalue("empty_postgresql_url"))
    yield opened
    opened.close()


def _administer(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _in_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
