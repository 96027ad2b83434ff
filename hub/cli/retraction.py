"""``cybex retraction``: how far a retraction has come. ``cybex withdraw``: take something away in an emergency."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import data_option, json_option, text_of
from hub.client.api import JSON
from hub.client.pseudonym import place_of
from hub.client.transport import RemoteError
from hub.services import retractions as service
from hub.services import withdraw as withdraw_service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.retractions import retraction as resource

_SHOWN = {"uuid", "kind", "at", "group", "objects", "removed", "holders", "open", "done", "others_open", "others_done"}


@click.command()
@click.argument("name", metavar="ID")
@data_option
@json_option
@optional_connection_options
def retraction(name: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """Say who has removed what was withdrawn, and who has not answered: with --url by asking a hub.

    ID is the uuid of the withdrawal, the STIX id of a notice, or that of an object.

    Example: cybex retraction incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa
    """
    if options["url"] is not None:
        rows = _asked(options, name)
    else:
        rows = [dict(resource(one)) for one in service.found(open_hub_at(data), LOCAL_OPERATOR, name)]
    if as_json:
        click.echo(orjson.dumps({"retractions": rows}, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        click.echo(_text(row))


@click.command()
@click.argument("stix_id", metavar="OBJECT")
@click.argument("slug", metavar="GROUP")
@click.argument("collection", metavar="COLLECTION")
@click.option("--reason", help="One line that every holder reads.")
@click.option("--lift", is_flag=True, help="Let its owner post it again instead.")
@data_option
def withdraw(stix_id: str, slug: str, collection: str, reason: str | None, lift: bool, data: Path | None) -> None:
    """Withdraw OBJECT from COLLECTION (its id or alias) of GROUP at once, whoever its author is; everyone is told.

    Nobody posts it again, its author included, until that is lifted.

    Example: cybex withdraw incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa alpha incidents --reason "personal data"
    """
    hub = open_hub_at(data)
    if lift:
        withdraw_service.lift(hub, LOCAL_OPERATOR, slug, collection, stix_id)
        click.echo("lifted: its owner may post it again")
        return
    if reason is None:
        raise click.UsageError("give a reason that every holder will read: --reason TEXT")
    count = withdraw_service.withdraw(hub, LOCAL_OPERATOR, slug, collection, stix_id, reason=reason)
    click.echo(
        f"withdrawn: {count} {'version' if count == 1 else 'versions'}; follow it with: cybex retraction {stix_id}"
    )


def _asked(options: dict[str, Any], name: str) -> list[dict[str, Any]]:
    session = transport(options, lambda text: click.echo(text, err=True))
    base, _ = place_of(options["url"])
    answer = session.get(f"{base}/retractions/{quote(name, safe='')}", accept=JSON).body
    rows = answer.get("retractions") if isinstance(answer, dict) else None
    found = [row for row in rows if isinstance(row, dict) and set(row) >= _SHOWN] if isinstance(rows, list) else []
    if not isinstance(rows, list) or len(found) < len(rows):
        raise RemoteError("the answer is no list of retractions; is this the API root of a CYBEX hub?")
    return found


def _text(row: dict[str, Any]) -> str:
    objects = ", ".join(text_of(one["object"]) for one in row["objects"][:3])
    more = f" and {len(row['objects']) - 3} more" if len(row["objects"]) > 3 else ""
    if row["holders"] is None:
        progress = "whom it has to reach is told to nobody: a pseudonym is behind it"
    else:
        progress = f"removed at {row['removed']} of {row['holders']}"
        waiting = [text_of(handle) for handle in row["open"]]
        waiting += [f"{row['others_open']} more"] if row["others_open"] else []
        if waiting:
            progress += f", open since {text_of(row['at'])[:19]}Z: {', '.join(waiting)}"
        for one in row.get("hubs", ()):
            progress += f"\n  {text_of(one['peer'])}: removed at {one['removed']} of {one['holders']} beyond it"
    return f"{text_of(row['kind'])} {objects}{more} in {text_of(row['group'])} ({text_of(row['uuid'])})\n  {progress}"
