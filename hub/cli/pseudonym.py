"""``cybex pseudonym``: asking for one as a member, and resolving them on the hub's own machine."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import click

from hub.bootstrap import open_hub_at
from hub.cli.connection import connection_options, transport
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.client import keyfile
from hub.client import pseudonym as client
from hub.services import pseudonyms as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.resources import instant

COLUMNS = ("group", "identity", "name", "handle", "created_at")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def pseudonym() -> None:
    """Publish in a group under a name that only the hub can resolve.

    Example: cybex pseudonym list
    """


@pseudonym.command()
@click.option("--key", "key_path", type=_FILE, required=True, help="Key of the pseudonym; made if it is not there.")
@click.option("--own-key", "own_path", type=_FILE, required=True, help="A key of your own name, enrolled on the hub.")
@click.option("--identity", help="Your own STIX identity; default: the one beside --own-key (aa.pub.json).")
@click.option("--group", "slug", help="The group; default: that of the API root.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@connection_options
def new(key_path: Path, own_path: Path, identity: str | None, slug: str | None, as_json: bool, **options: Any) -> None:
    """Ask the hub for a pseudonym in a group, or for one more key of the one you have there.

    Its identity is written beside the key (nym.pub.json), so that `cybex push --key nym.pem --author` publishes under
    it. Use the key for nothing else: whoever sees it in two places knows that they are the same.

    Example: cybex pseudonym new --url https://hub.example/alpha/ --token-file aa.token --own-key aa.pem --key nym.pem
    """
    own = keyfile.read(own_path)
    identity = identity or keyfile.identity_beside(own_path, own)
    if identity is None:
        raise click.UsageError("say who asks: --identity identity--... (there is none beside --own-key)")
    session = transport(options, lambda text: click.echo(text, err=True))
    if not key_path.exists():
        keyfile.write(key_path, keyfile.generate())
    key = keyfile.read(key_path)
    api, place = client.place_of(options["url"])
    found = client.ask(
        session,
        api,
        slug or place,
        identity=identity,
        own=own,
        key=key,
        uuids=(str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4())),
        now=time.time_ns() // 1000,
    )
    if not keyfile.public_path(key_path).exists():
        keyfile.write_public(key_path, key, found.identity)
    print_one({"group": found.group, "identity": found.identity, "name": found.name}, as_json=as_json)


@pseudonym.command("list")
@click.option("--group", "slug", help="Only those of this group.")
@data_option
@json_option
def list_(slug: str | None, data: Path | None, as_json: bool) -> None:
    """Say who is behind each pseudonym. That you asked is logged, for ever.

    Example: cybex pseudonym list --group alpha
    """
    rows = [
        {
            "group": row.group,
            "identity": row.pseudonym.identity,
            "name": row.pseudonym.name,
            "handle": row.peer.handle,
            "created_at": instant(row.pseudonym.created_at),
        }
        for row in service.resolved(open_hub_at(data), LOCAL_OPERATOR, slug)
    ]
    print_rows(rows, COLUMNS, as_json=as_json)
