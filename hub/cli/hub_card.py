"""``cybex hub-card``: how this hub presents itself to another one's operator, and how others become known here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.cli.json_file import read_json
from hub.cli.output import data_option, json_option, print_one
from hub.domain.hub_card import fingerprint_of
from hub.errors import InvalidRequest
from hub.services import hub_cards as service
from hub.services.actor import LOCAL_OPERATOR


@click.group("hub-card", invoke_without_command=True)
@data_option
@click.pass_context
def hub_card(ctx: click.Context, data: Path | None) -> None:
    """Print this hub's card: its identity, its public keys, and its address, signed.

    It holds nothing secret. Tell the other operator the fingerprint over another channel, such as the telephone.

    Example: cybex hub-card > hub-a.card.json
    """
    if ctx.invoked_subcommand is not None:
        return
    hub = open_hub_at(data)
    card = service.own(hub, LOCAL_OPERATOR)
    click.echo(orjson.dumps(card, option=orjson.OPT_INDENT_2).decode())
    click.echo(f"fingerprint: {fingerprint_of(service.read(hub, card).signed_by)}", err=True)
    if hub.public_url is None:
        click.echo("there is no public_url in hub.toml, so the card names no address", err=True)


@hub_card.command()
@click.argument("file", type=click.File("rb"))
@click.option("--handle", required=True, help="What this hub calls the other one, such as hub-b.")
@click.option("--fingerprint", help="As the other operator told it; asked for on a terminal without it.")
@data_option
@json_option
def adopt(file: IO[bytes], handle: str, fingerprint: str | None, data: Path | None, as_json: bool) -> None:
    """Make another hub known from its card in FILE (- is stdin), with the keys on it. Again, it changes nothing.

    Example: cybex hub-card adopt hub-b.card.json --handle hub-b --fingerprint "91d2 4c1e ..."
    """
    hub, document = open_hub_at(data), read_json(file)
    card = service.read(hub, document)
    shown = fingerprint_of(card.signed_by)
    if fingerprint is None:
        click.echo(f"{card.introduction.name}, {card.introduction.hub}\nfingerprint: {shown}", err=True)
        if not sys.stdin.isatty():
            raise InvalidRequest("give the fingerprint that the other hub's operator told you", field="fingerprint")
        click.confirm("Is this the fingerprint that its operator told you?", abort=True, err=True)
        fingerprint = shown
    made = service.adopt(hub, LOCAL_OPERATOR, document, handle=handle, fingerprint=fingerprint)
    row = {
        "handle": made.peer.handle,
        "name": made.peer.name,
        "identity": made.peer.identity,
        "url": card.url,
        "fingerprint": shown,
        "keys_enrolled": list(made.new),
    }
    print_one(row, as_json=as_json)
