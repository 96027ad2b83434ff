"""``cybex worker``: large envelopes, embargoes and retention, in a process of its own (PostgreSQL)."""

from __future__ import annotations

from pathlib import Path

import click

from hub import config
from hub import worker as process
from hub.cli.serve import refuse_old_schema


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data).")
def worker(data: Path | None) -> None:
    """Process large envelopes, embargoes and retention until interrupted.

    On SQLite `cybex serve` runs it already. On PostgreSQL any number may run.

    Example: cybex worker --data /var/lib/cybex
    """
    settings = config.load(data)
    config.load_secrets(settings)
    refuse_old_schema(settings)
    process.serve(settings)
