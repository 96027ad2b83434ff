"""``cybex delivered``: who got an object, who did not yet, and who may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import data_option
from hub.client import delivery as client
from hub.services import delivered as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.delivered import deliveries

HOW = {"page": "on a page", "versions": "on a page of all versions", "object": "by its id", "push": "pushed"}


@click.command()
@click.argument("stix_id", metavar="OBJECT")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the same as /api/v1 answers.")
@optional_connection_options
def delivered(stix_id: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """Say of each version of OBJECT which peers were served it, which not yet, and which may not have it and why.

    With --url it asks a hub as the peer that published OBJECT; without, on the hub's own machine, it says everything.

    Example: cybex delivered incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa
    """
    if options["url"] is None:
        found = deliveries(stix_id, service.delivered(open_hub_at(data), LOCAL_OPERATOR, stix_id))
    else:
        session = transport(options, lambda text: click.echo(text, err=True))
        found = client.delivered(session, options["url"], stix_id)
    if as_json:
        click.echo(orjson.dumps(found).decode())
        return
    for version in found["versions"]:
        click.echo(f"{version['group']}/{version['alias'] or version['collection']}, version {version['version']}")
        for peer in version["peers"]:
            click.echo(f"  {peer['peer']:16} {said(peer)}")
            for one in peer["acknowledged"]:
                because = f": {one['reason']}" if one["reason"] else ""
                click.echo(f"  {'':16} acknowledged as {one['outcome']} on {one['at']}{because}")
        for one in version.get("hubs", ()):
            handed = one["handed"]
            if handed is None:
                click.echo(f"  {one['peer']:16} {one['summary']}")
            else:
                receipt = ", receipt kept" if handed["receipt"] else ""
                because = f" by rule {handed['rule']}" if handed["rule"] else ""
                click.echo(f"  {one['peer']:16} handed over on {handed['at']}: {handed['outcome']}{because}{receipt}")
        for state, count in version["others"].items():
            click.echo(f"  and {count} more  {state.replace('-', ' ')}")


def said(peer: dict[str, Any]) -> str:
    """Return one peer's standing in words."""
    between = f"on {peer['first']}" if peer["first"] == peer["last"] else f"between {peer['first']} and {peer['last']}"
    ways = ", ".join(HOW.get(how, how) for how in peer["how"])
    lost = "" if peer["may_read"] else f"; may not have it now: {peer['rule']}, {peer['reason']}"
    match peer["state"]:
        case "served":
            return f"served {between}, {ways}{lost}"
        case "served-this-or-later":
            return f"served this or a later version {between}, {ways}{lost}"
        case "superseded":
            return f"served a later version only {between}{lost}"
        case "presumed":
            return f"could have read it until {peer['last']}; not known whether he did{lost}"
        case "may-not":
            return f"may not: {peer['rule']}, {peer['reason']}"
        case _:
            return "not yet"
