"""``cybex preview``: what would become of a file if it were pushed, and who would see it; nothing is kept anywhere."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import data_option
from hub.client import delivery as client
from hub.client import keyfile
from hub.domain.bundle_signing import sign_objects
from hub.domain.canonical import parse
from hub.domain.membership import Caller, Role
from hub.domain.stix_document import objects_of
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError
from hub.services import peers
from hub.services import preview as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.preview import preview as resource


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--key", "key_path", type=click.Path(path_type=Path, dir_okay=False), help="Sign with this key, in memory."
)
@click.option("--identity", help="STIX identity of the signer; default: the one beside the key (aa.pub.json).")
@click.option("--as", "handle", metavar="PEER", help="On the hub's own machine: whose post it would be.")
@click.option("--group", "slug", help="On the hub's own machine: the group it would be posted to.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, the same as /api/v1 answers.")
@optional_connection_options
def preview(
    file: str,
    key_path: Path | None,
    identity: str | None,
    handle: str | None,
    slug: str | None,
    data: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say of each object in FILE (or -) whether it would be taken, under which rule, and who would see it.

    With --url it asks a hub as the peer you are; without, on the hub's own machine, give --as PEER and --group. Exit
    code 1 when an object would be refused.

    Example: cybex preview --url https://hub.example/alpha/ --token-file aa.token --key aa.pem incident.json
    """
    objects = _objects(file, key_path, identity)
    if options["url"] is not None:
        session = transport(options, lambda text: click.echo(text, err=True))
        found = client.preview(session, options["url"], options["collection"], objects)
    else:
        if handle is None or slug is None:
            raise click.UsageError("say whose post it would be and where: --as PEER --group SLUG, or give --url")
        hub = open_hub_at(data)
        caller = Caller(peers.shown(hub, LOCAL_OPERATOR, handle), 0, Role.ANALYST)
        found = resource(service.preview(hub, caller, slug, options["collection"], {"objects": objects}))
    if as_json:
        click.echo(orjson.dumps(found).decode())
    else:
        _print(found)
    if any(one["outcome"] == "refused" for one in found["objects"]):
        sys.exit(1)


def _objects(file: str, key_path: Path | None, identity: str | None) -> list[Any]:
    try:
        source = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    objects = objects_of(parse(source))
    if key_path is None:
        if identity is not None:
            raise click.UsageError("--identity is of the signer: give --key as well")
        return objects
    key = keyfile.read(key_path)
    identity = identity or keyfile.identity_beside(key_path, key)
    if identity is None:
        raise click.UsageError("say who signs: --identity identity--... (there is none beside the key)")
    created = format_timestamp(time.time_ns() // 1000)[:23] + "Z"
    signed, _ = sign_objects(objects, key, identity=identity, created=created, new_uuid=lambda: str(uuid.uuid4()))
    return signed


def _print(found: dict[str, Any]) -> None:
    for one in found["objects"]:
        until = f" until {one['embargo_until']}" if one["embargo_until"] else ""
        level = f" (TLP:{one['tlp'].upper()})" if one["tlp"] else ""
        because = ": ".join(text for text in (one["rule"], one["reason"]) if text)
        click.echo(f"{one['id']}: {one['outcome']}{until}{level}{'; ' + because if because else ''}")
        if one["readers"] is not None:
            readers = found["readers"][one["readers"]]
            _print_list(
                "would be seen by", [peer["peer"] for peer in readers["peers"] if peer["sees"]], "others_see", readers
            )
            for peer in readers["peers"]:
                if not peer["sees"]:
                    click.echo(f"  not by {peer['peer']}: {peer['rule']}, {peer['reason']}")
            if readers["others_not"]:
                click.echo(f"  not by {readers['others_not']} more")
        for hub in one.get("hubs", ()):
            click.echo(f"  {hub['peer']}: {hub['summary']}")
        if one.get("others_cross"):
            click.echo(f"  crosses to {one['others_cross']} more")
        if one["losing"] or one["others_losing"]:
            _print_list("these have an earlier version and would lose it:", one["losing"], "others_losing", one)


def _print_list(said: str, names: list[str], more: str, counts: dict[str, Any]) -> None:
    also = [f"{counts[more]} more"] if counts[more] else []
    click.echo(f"  {said} {', '.join([*names, *also]) or 'nobody else'}")
