"""The world of the TAXII tests: one that no test changes, and fresh ones on each database the hub runs on."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.store import tables
from hub.store.database import Database
from tests.web.taxii.world import Client, World, build


@pytest.fixture(scope="session")
def idle(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world without objects for tests that only look at headers, logins and paths; none of them may write."""
    path = tmp_path_factory.mktemp("idle") / "hub.db"
    shutil.copy(sqlite_template, path)
    opened = Database.open(f"sqlite:///{path}")
    yield build(opened)
    opened.close()


@pytest.fixture
def caller(idle: World) -> Client:
    """Peer ``aa`` in the idle world."""
    return idle.aa


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def kept_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One migrated database for all tests here: making one for each would take longer than the tests."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("kept") / "hub.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        opened = Database.open(f"sqlite:///{path}")
        yield opened
        opened.close()
        return
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_template")
    name = f"cybex_taxii_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        opened = Database.open(make_url(server).set(database=name).render_as_string(hide_password=False))
        yield opened
        opened.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(kept_database: Database) -> Database:
    """The kept database, as empty as the migrations leave it."""
    with kept_database.write() as tx:
        for table in reversed(tables.metadata.sorted_tables):
            kept = table.c.id > 1 if table is tables.audience else None
            tx.execute(table.delete() if kept is None else table.delete().where(kept))
    return kept_database


@pytest.fixture
def world(database: Database) -> World:
    """A world of this test's own, once on SQLite and once on PostgreSQL."""
    return build(database)


@pytest.fixture
def aa(world: World) -> Client:
    return world.aa


@pytest.fixture
def bb(world: World) -> Client:
    return world.bb
