"""``cybex audit``: what operators, moderators and administrators did."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, json_option, print_rows
from hub.domain import limits
from hub.services import audit as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

COLUMNS = ("at", "handle", "credential", "action", "subject", "detail")


@click.command()
@click.option("--limit", type=click.IntRange(1, limits.API_PAGE_MAX), default=50, show_default=True)
@data_option
@json_option
def audit(limit: int, data: Path | None, as_json: bool) -> None:
    """List what was done most recently, the newest first; no handle means a command on this machine.

    Example: cybex audit --limit 20
    """
    rows = [resources.audit_line(row) for row in service.recent(open_hub_at(data), LOCAL_OPERATOR, limit=limit)]
    print_rows(rows, COLUMNS, as_json=as_json)
