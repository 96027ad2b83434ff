"""The schema's revision, and how it gets to the one this version of the hub needs (Alembic, run from here)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from hub.errors import ConfigError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0003"
"""The newest of the migrations. Written here too, because every process asks and Alembic is a lot to load for it."""

_MIGRATION_LOCK = 0x43594245
"""Key of PostgreSQL's advisory lock: two processes that start together migrate once."""


def upgrade(tx: Connection) -> None:
    """Bring the schema to `head` inside this transaction.

    :raises ConfigError: the database was made by a later version of the hub.
    """
    from alembic.command import upgrade as alembic_upgrade  # slow to import, and needed once

    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    current = revision(tx)
    if current == head():
        return
    if current is not None and current not in _known():
        raise ConfigError("the database was made by a later version of the hub; use that version", field="database")
    config = _config()
    config.attributes["connection"] = tx
    alembic_upgrade(config, "head")


def revision(tx: Connection) -> str | None:
    """Return the schema's revision; None for a database that is not migrated."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    found: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def head() -> str:
    """Return the revision this version of the hub needs."""
    return HEAD


@cache
def _known() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    # A percent sign in the path would be read as an interpolation.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config
