"""``cybex retention``: what collections keep no longer."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, print_rows
from hub.services import retention as service
from hub.services.actor import LOCAL_OPERATOR
from hub.services.retention import Report
from hub.web.api.resources import Resource

PLANNED = ("group", "collection", "added", "expired", "revoked", "held")
REMOVED = ("group", "collection", "removed", "finished")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go, and by which limit.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def retention(dry_run: bool, data: Path | None, as_json: bool) -> None:
    """Remove what the collections keep no longer, in small steps; the worker does the same every hour.

    What a legal hold covers stays. With a version go the earlier ones of its object and the signatures over it, which
    --dry-run does not count. Limits are set with `cybex collection update`.

    Example: cybex retention --dry-run
    """
    hub = open_hub_at(data)
    if dry_run:
        found = service.planned(hub, LOCAL_OPERATOR, lambda text: click.echo(text, err=True))
        print_rows([_planned(row) for row in found], PLANNED, as_json=as_json)
        return
    totals: dict[int, Report] = {}
    finished = False
    while not finished:
        for row in (reports := service.run(hub)):
            before = totals.get(row.collection.id)
            removed = row.removed + (0 if before is None else before.removed)
            totals[row.collection.id] = Report(row.group, row.collection, row.due, removed, row.finished)
        finished = all(row.finished for row in reports)
        click.echo(f"{sum(row.removed for row in totals.values())} versions removed so far", err=True)
    print_rows([_removed(row) for row in totals.values()], REMOVED, as_json=as_json)


def _planned(row: Report) -> Resource:
    due = row.due
    return _named(row) | {"added": due.added, "expired": due.expired, "revoked": due.revoked, "held": due.held}


def _removed(row: Report) -> Resource:
    return _named(row) | {"removed": row.removed, "finished": row.finished}


def _named(row: Report) -> Resource:
    return {"group": row.group, "collection": row.collection.alias or row.collection.uuid}
