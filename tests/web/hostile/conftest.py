"""The world that is attacked: everything in it is there before, and nothing more afterwards."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.store.database import Database
from tests.web.hostile.target import Target, make_target


@pytest.fixture(scope="session")
def sqlite_target(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One world on SQLite for the whole corpus."""
    path = tmp_path_factory.mktemp("hostile") / "hub.db"
    shutil.copy(sqlite_template, path)
    opened = Database.open(f"sqlite:///{path}")
    yield make_target(opened)
    opened.close()


@pytest.fixture(scope="session")
def postgresql_target(postgres_url: str, postgres_template: str) -> Iterator[Target]:
    """One world on PostgreSQL, for strings that databases dislike."""
    name = f"cybex_hostile_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
        opened = Database.open(make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
        yield make_target(opened)
        opened.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
