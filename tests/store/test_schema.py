"""The migrations make exactly the tables of hub/store/tables."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from hub.errors import ConfigError
from hub.store.database import Database
from hub.store.tables import metadata

POSTGRESQL_SCHEMA = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, is_identity
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    "options": """
        SELECT relname, reloptions::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL ORDER BY 1""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
}


def _shape(tx: Connection) -> dict[str, Any]:
    """Return everything the database says about its own schema, in an order that is not that of creation."""
    if tx.dialect.name == "postgresql":
        found = {name: [tuple(row) for row in tx.execute(text(sql))] for name, sql in POSTGRESQL_SCHEMA.items()}
        return {name: [row for row in rows if row[0] != "alembic_version"] for name, rows in found.items()}
    tables = tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"))
    shape: dict[str, Any] = {}
    for table in tables.scalars().all():
        shape[table] = {
            "columns": [tuple(row) for row in tx.execute(text(f"PRAGMA table_xinfo({table})"))],
            "foreign": sorted(tuple(row)[2:] for row in tx.execute(text(f"PRAGMA foreign_key_list({table})"))),
        }
    indexes = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_auto%'")
    for name, sql in tx.execute(indexes):
        shape[name] = " ".join(sql.split())
    unique = text(
        "SELECT tbl_name, count(*) FROM sqlite_master "
        "WHERE name LIKE 'sqlite_auto%' AND tbl_name <> 'alembic_version' GROUP BY 1"
    )
    shape["unique"] = sorted(tuple(row) for row in tx.execute(unique))
    return shape


def test_the_migrations_leave_nothing_to_migrate(empty_database: Database) -> None:
    empty_database.migrate()
    with empty_database.write() as tx:
        assert compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), metadata) == []


def test_a_migrated_database_equals_one_that_is_created_fresh(
    empty_database: Database, request: pytest.FixtureRequest
) -> None:
    with empty_database.write() as tx:
        metadata.create_all(tx)
    database = Database.open(request.getfixturevalue(f"{empty_database.dialect}_url"))
    with empty_database.read() as fresh, database.read() as migrated:
        assert _shape(fresh) == _shape(migrated)
        assert len(_shape(fresh)) >= 3
    database.close()


def test_a_database_knows_its_revision(empty_database: Database) -> None:
    assert empty_database.revision() is None
    empty_database.migrate()
    assert empty_database.revision() == empty_database.head()
    empty_database.migrate()
    assert empty_database.revision() == empty_database.head()


def test_processes_that_start_together_migrate_once(empty_database: Database) -> None:
    together = threading.Barrier(4)

    def migrate() -> None:
        together.wait(30)
        empty_database.migrate()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate) for _ in range(4)]:
            done.result(60)
    with empty_database.read() as tx:
        assert tx.execute(text("SELECT id, kind FROM audience")).all() == [(1, "group")]


def test_a_database_of_a_later_version_is_left_alone(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="later version"):
        database.migrate()
    assert database.revision() == "9999"


def test_bytewise_columns_are_compared_bytewise_on_postgresql(postgresql_url: str) -> None:
    database = Database.open(postgresql_url)
    with database.read() as tx:
        rows = tx.execute(
            text("SELECT table_name || '.' || column_name FROM information_schema.columns WHERE collation_name = 'C'")
        )
        bytewise = set(rows.scalars())
    database.close()
    assert {"entry.stix_id", "entry.version_key", "collection.uuid", "submission.uuid", "peer.identity"} <= bytewise


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("mysql://localhost/hub", id="another database"),
        pytest.param("sqlite://", id="SQLite in memory"),
        pytest.param("sqlite:///:memory:", id="SQLite in memory, spelled out"),
        pytest.param("sqlite:////no/such/directory/hub.db", id="no directory"),
        pytest.param("hub.db", id="no URL at all"),
    ],
)
def test_an_unusable_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        Database.open(url)


def test_the_file_of_a_new_database_is_for_its_owner_only(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path / 'hub.db'}").close()
    assert (tmp_path / "hub.db").stat().st_mode & 0o077 == 0


def test_without_the_driver_the_operator_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.engines.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'cybex\[postgres\]'"):
        Database.open("postgresql://localhost/hub")


def test_the_documentation_names_every_table_and_index() -> None:
    described = (Path(__file__).parents[2] / "docs" / "store.md").read_text()
    for table in metadata.sorted_tables:
        assert f"`{table.name}`" in described, table.name
    for index in ("entry_page", "entry_version"):
        (columns,) = ([c.name for c in one.columns] for one in metadata.tables["entry"].indexes if one.name == index)
        assert f"{index} ({', '.join(columns)})" in " ".join(described.split()), index
