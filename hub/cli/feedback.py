"""``cybex feedback``: what others say about an object, or about everything one has published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub.bootstrap import open_hub_at
from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import data_option, print_one, print_rows
from hub.client import feedback as client
from hub.client.pseudonym import place_of
from hub.services import feedback as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.feedback import tally

COLUMNS = ("date_added", "type", "value", "false_positive", "about", "created_by_ref", "id")


@click.command()
@click.argument("stix_id", metavar="[OBJECT]", required=False)
@click.option("--after", help="Only what came after this place, which an earlier run printed.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the same as /api/v1 answers.")
@optional_connection_options
def feedback(stix_id: str | None, after: str | None, data: Path | None, as_json: bool, **options: Any) -> None:
    """Count the sightings, opinions and notes about OBJECT; without it list those about everything you published.

    With --url it asks a hub as the peer you are, and sees what you may see; without, on the hub's own machine, it
    counts all there are about OBJECT.

    Example: cybex feedback --url https://hub.example/alpha/ --token-file aa.token
    """
    if options["url"] is None:
        if stix_id is None:
            raise click.UsageError("name the OBJECT, or give --url for the feedback to what your own peer published")
        _print(tally(stix_id, service.of_object(open_hub_at(data), LOCAL_OPERATOR, stix_id)), as_json)
        return
    session = transport(options, lambda text: click.echo(text, err=True))
    api, _ = place_of(options["url"])
    if stix_id is not None:
        _print(client.of_object(session, api, stix_id), as_json)
        return
    items: list[dict[str, Any]] = []
    for page, following in client.inbox(session, api, after):
        items += page
        after = following
        click.echo(f"{len(items)} so far", err=True)
    print_rows(items, COLUMNS, as_json=as_json)
    click.echo(f"go on with: --after {after}", err=True)


def _print(counts: dict[str, Any], as_json: bool) -> None:
    print_one(
        counts if as_json else {name: value for name, value in counts.items() if name != "items"}, as_json=as_json
    )
