"""``cybex migrate``: the database gets this version's schema."""

from __future__ import annotations

from pathlib import Path

import click

from hub import config
from hub.store.database import Database


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data).")
def migrate(data: Path | None) -> None:
    """Bring the database to this version's schema, in one transaction; stop the hub and make a backup first.

    Example: cybex migrate --data /var/lib/cybex
    """
    settings = config.load(data)
    config.ensure_secrets(settings)  # a version may need a secret that the last one did not have
    database = Database.open(settings.database_url)
    try:
        before = database.revision()
        database.migrate()
        after = database.revision()
    finally:
        database.close()
    click.echo(f"already at {after}" if before == after else f"migrated from {before or 'nothing'} to {after}")
