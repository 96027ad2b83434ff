"""``cybex agreement``: what this hub and others exchange, signed by both; made and ended by their operators."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.cli.duration import DURATION, Duration
from hub.cli.json_file import read_json
from hub.cli.output import data_option, json_option, print_rows
from hub.domain.agreement import CEILINGS, DIRECTIONS, Agreement, GroupMapping
from hub.domain.taxii_time import format_timestamp
from hub.services import agreements as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.relay_resources import agreement as resource
from hub.web.api.relay_resources import groups

COLUMNS = ("id", "peer", "state", "in_force", "pairs", "expires")
ARROWS = {"both": "<->", "forth": "-->", "back": "<--"}


@click.group()
def agreement() -> None:
    """Agreements with other hubs: which groups map to which, what may cross, how far, and until when.

    Example: cybex agreement list
    """


def _pair(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    del ctx, param
    found = []
    for value in values:
        here, equals, there = value.partition("=")
        if not (here and equals and there):
            raise click.BadParameter("give the group here and the one there, such as alpha=regional")
        found.append((here, there))
    return tuple(found)


@agreement.command()
@click.argument("handle", metavar="HUB")
@click.option("--map", "pairs", multiple=True, required=True, callback=_pair, metavar="HERE=THERE")
@click.option(
    "--tlp", type=click.Choice(CEILINGS), default="green", show_default=True, help="The strictest that crosses."
)
@click.option("--types", help="STIX types that cross, with commas between; every type without it.")
@click.option("--direction", type=click.Choice(DIRECTIONS), default="both", show_default=True, help="forth: from here.")
@click.option("--same-group", is_flag=True, help="Both hold the two to be one trust group: TLP:AMBER may cross.")
@click.option("--hops", type=click.IntRange(1, 16), default=3, show_default=True, help="Hubs an object may pass.")
@click.option("--expires", type=DURATION, default="1y", show_default=True, help="How long it lasts, such as 90d.")
@data_option
def offer(
    handle: str,
    pairs: tuple[tuple[str, str], ...],
    tlp: str,
    types: str | None,
    direction: Any,
    same_group: bool,
    hops: int,
    expires: Duration,
    data: Path | None,
) -> None:
    """Print an agreement with HUB, signed by this one, for its operator to accept.

    Example: cybex agreement offer hub-b --map alpha=regional --tlp green --types indicator,malware > offer.json
    """
    if expires.seconds is None:
        raise click.UsageError("an agreement ends some day; give a time such as 1y, and renew it then")
    hub = open_hub_at(data)
    named = None if types is None else frozenset(one.strip() for one in types.split(",") if one.strip())
    made = service.offer(
        hub,
        LOCAL_OPERATOR,
        handle,
        groups=[GroupMapping(pair, direction, tlp, named, same_group) for pair in pairs],
        hop_budget=hops,
        expires=hub.clock() + expires.seconds * 1_000_000,
    )
    _print_document(made.document)
    click.echo(f"offered as {made.agreement.id}: hand this to the operator of {handle}, who accepts it", err=True)


@agreement.command()
@click.argument("file", type=click.File("rb"))
@data_option
@json_option
@click.pass_context
def show(ctx: click.Context, file: IO[bytes], data: Path | None, as_json: bool) -> None:
    """Say what the agreement in FILE means, who has signed it, and what stands against it here. Stores nothing.

    Exit code 1 when it could not be accepted.

    Example: cybex agreement show offer.json
    """
    found = service.examine(open_hub_at(data), LOCAL_OPERATOR, read_json(file))
    if as_json:
        row = {
            "id": found.agreement.id,
            "peer": None if found.peer is None else found.peer.handle,
            "groups": groups(found.agreement),
            "hop_budget": found.agreement.hop_budget,
            "valid_from": format_timestamp(found.agreement.valid_from),
            "expires": format_timestamp(found.agreement.expires),
            "signed_by": list(found.signed_by),
            "problems": list(found.problems),
        }
        click.echo(orjson.dumps(row, option=orjson.OPT_INDENT_2).decode())
    else:
        for line in words(found.agreement):
            click.echo(line)
        names = {party.identity: party.name for party in found.agreement.hubs}
        click.echo(f"signed by: {', '.join(names[one] for one in found.signed_by) or 'nobody that is known here'}")
        for problem in found.problems:
            click.echo(f"PROBLEM    {problem}")
    ctx.exit(1 if found.problems else 0)


def words(said: Agreement) -> Iterator[str]:
    """Yield what an agreement means, line by line."""
    first, second = said.hubs
    yield f"agreement {said.id}"
    yield f"between    {first.name} ({first.identity})"
    yield f"and        {second.name} ({second.identity})"
    for one in said.groups:
        types = "every type" if one.types is None else ", ".join(sorted(one.types))
        same = ", as one trust group" if one.same_group else ""
        pair = f"{one.slugs[0]} {ARROWS[one.direction]} {one.slugs[1]}{same}"
        yield f"groups     {pair}: up to TLP:{one.tlp_ceiling.upper()}; {types}"
    yield f"hops       an object may pass {said.hop_budget} hubs"
    yield f"valid      {format_timestamp(said.valid_from)[:19]}Z to {format_timestamp(said.expires)[:19]}Z"


@agreement.command()
@click.argument("file", type=click.File("rb"))
@data_option
def accept(file: IO[bytes], data: Path | None) -> None:
    """Sign the agreement in FILE, which the other hub has signed, and print it with both signatures.

    It stands here from now on. The hub that offered it accepts, in turn, what this prints. Again, it changes nothing.

    Example: cybex agreement accept offer.json > agreed.json
    """
    made = service.accept(open_hub_at(data), LOCAL_OPERATOR, read_json(file))
    _print_document(made.document)
    until = f"in force until {format_timestamp(made.agreement.expires)[:19]}Z" if made.in_force else "not in force yet"
    click.echo(f"agreed with {made.peer.handle}, {until}; its operator needs this file if he offered it", err=True)


@agreement.command()
@click.argument("handle", metavar="HUB")
@data_option
@json_option
def end(handle: str, data: Path | None, as_json: bool) -> None:
    """End at once whatever is agreed with HUB, and withdraw what is offered to it.

    Example: cybex agreement end hub-b
    """
    _print(service.end(open_hub_at(data), LOCAL_OPERATOR, handle), as_json=as_json)


@agreement.command("list")
@click.argument("handle", metavar="[HUB]", required=False)
@data_option
@json_option
def list_(handle: str | None, data: Path | None, as_json: bool) -> None:
    """List the agreements with HUB, or with all, the newest first.

    Example: cybex agreement list hub-b
    """
    _print(service.listed(open_hub_at(data), LOCAL_OPERATOR, handle), as_json=as_json)


def _print(found: list[service.Kept], *, as_json: bool) -> None:
    rows = [
        resource(one)
        | {"pairs": [f"{each.slugs[0]}{ARROWS[each.direction]}{each.slugs[1]}" for each in one.agreement.groups]}
        for one in found
    ]
    print_rows(rows, COLUMNS, as_json=as_json)


def _print_document(document: dict[str, Any]) -> None:
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
