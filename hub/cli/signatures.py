"""``cybex signatures``: who signed an object and what each signature is worth, here or by asking a hub."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.cli.connection import optional_connection_options, transport
from hub.client.api import JSON
from hub.client.pseudonym import place_of
from hub.client.transport import RemoteError
from hub.services.actor import LOCAL_OPERATOR
from hub.services.signatures import of_object
from hub.web.api.signatures import signature

ROLES = {
    "author": "its author",
    "vouched": "vouched by the peer that brought it",
    "moderator": "a moderator of the group",
    "member": "another member",
    "unknown": "nobody the hub knows",
}
_SHOWN = ("group", "alias", "version", "identity", "role", "algorithm", "carrier", "standing", "reason", "counts")


@click.command()
@click.argument("stix_id", metavar="OBJECT")
@click.option("--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@optional_connection_options
def signatures(stix_id: str, data: Path | None, as_json: bool, **options: Any) -> None:
    """List every signature over OBJECT with its standing: with --url by asking a hub, else on the hub's own machine.

    Exit code 1 when none of them counts.

    Example: cybex signatures incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa
    """
    if options["url"] is not None:
        rows = _asked(options, stix_id)
    else:
        rows = [signature(one) for one in of_object(open_hub_at(data), LOCAL_OPERATOR, stix_id)]
    if as_json:
        click.echo(orjson.dumps({"object": stix_id, "signatures": rows}).decode())
    else:
        for row in rows:
            click.echo(_text(row))
        if not rows:
            click.echo("nobody has signed it")
    if not any(row["counts"] for row in rows):
        sys.exit(1)


def _asked(options: dict[str, Any], stix_id: str) -> list[dict[str, Any]]:
    session = transport(options, lambda text: click.echo(text, err=True))
    base, _ = place_of(options["url"])
    answer = session.get(f"{base}/objects/{quote(stix_id, safe='')}/signatures", accept=JSON).body
    rows = answer.get("signatures") if isinstance(answer, dict) else None
    found = [row for row in rows if isinstance(row, dict) and set(_SHOWN) <= set(row)] if isinstance(rows, list) else []
    if not isinstance(rows, list) or len(found) < len(rows):
        raise RemoteError("the answer is no list of signatures; is this the API root of a CYBEX hub?")
    return found


def _text(row: dict[str, Any]) -> str:
    who = row.get("handle") or row["identity"]
    place = f"{row['group']}/{row['alias'] or row.get('collection')}"
    verdict = "counts" if row["counts"] else "does not count"
    return (
        f"{row['standing']:17} {who} ({ROLES.get(row['role'], row['role'])}), {row['algorithm']}, {row['carrier']},"
        f" at {row.get('signed_at')}\n{'':17} over version {row['version']} in {place}; {verdict}: {row['reason']}"
    )
