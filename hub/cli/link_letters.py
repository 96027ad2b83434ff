"""``cybex link``, what did not cross: dead letters to look at, to send again, or to give up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from hub.bootstrap import open_hub_at
from hub.cli.link import link
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.domain import limits
from hub.services import dead_letters as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.relay_resources import dead_letter

__all__ = ["link"]

COLUMNS = ("id", "peer", "direction", "object", "version", "rule", "reason", "attempts", "state")


@link.command("dead-letters")
@click.argument("handle", metavar="[HUB]", required=False)
@click.option("--all", "settled", is_flag=True, help="Settled ones too.")
@click.option("--limit", type=click.IntRange(1, limits.DEAD_LETTERS_AT_ONCE), default=100, show_default=True)
@data_option
@json_option
def dead_letters(handle: str | None, settled: bool, limit: int, data: Path | None, as_json: bool) -> None:
    """List what did not cross to HUB or from it, and why, the newest first.

    Example: cybex link dead-letters hub-b
    """
    rows = service.listed(open_hub_at(data), LOCAL_OPERATOR, handle=handle, settled=settled, limit=limit)
    print_rows([dead_letter(one) for one in rows], COLUMNS, as_json=as_json)


@link.command()
@click.argument("handle", metavar="HUB")
@click.argument("letters", nargs=-1, metavar="[ID]...")
@click.option("--all", "whole", is_flag=True, help="All that are open.")
@data_option
@json_option
def replay(handle: str, letters: tuple[str, ...], whole: bool, data: Path | None, as_json: bool) -> None:
    """Have dead letters sent to HUB again with the next run, once what was wrong is mended.

    Example: cybex link replay hub-b --all
    """
    _settle("replay", handle, letters, whole, data, as_json)


@link.command()
@click.argument("handle", metavar="HUB")
@click.argument("letters", nargs=-1, metavar="[ID]...")
@click.option("--all", "whole", is_flag=True, help="All that are open.")
@data_option
@json_option
def drop(handle: str, letters: tuple[str, ...], whole: bool, data: Path | None, as_json: bool) -> None:
    """Give dead letters up: they never cross, and no longer ask for attention.

    Example: cybex link drop hub-b 0b9a5c1e-6c0d-4a53-8f0b-4f1f1f5f6c7a
    """
    _settle("drop", handle, letters, whole, data, as_json)


def _settle(
    action: Literal["replay", "drop"],
    handle: str,
    letters: tuple[str, ...],
    whole: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    if bool(letters) == whole:
        raise click.UsageError("name the letters, or say --all")
    count = service.settle(open_hub_at(data), LOCAL_OPERATOR, action, letters, handle=handle)
    print_one({"peer": handle, "action": action, "letters": count}, as_json=as_json)
