"""``cybex proposal``: what one moderator asked for and another has to confirm, over the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from hub.cli.connection import connection_options, transport
from hub.cli.output import json_option, print_one, print_rows
from hub.client.api import JSON, api_address, group_of
from hub.client.transport import RemoteError

COLUMNS = ("id", "state", "action", "detail", "proposed_by", "expires_at")


@click.group()
def proposal() -> None:
    """Changes that wait for a second moderator, in a group with the two-person rule.

    Example: cybex proposal list --url https://hub.example/alpha/ --token-file aa.token
    """


@proposal.command("list")
@click.option("--all", "whole", is_flag=True, help="Decided and expired ones too.")
@json_option
@connection_options
def list_(whole: bool, as_json: bool, **options: Any) -> None:
    """List what waits, the oldest first.

    Example: cybex proposal list --url https://hub.example/alpha/ --token-file aa.token
    """
    session, place = transport(options, lambda text: click.echo(text, err=True)), _place(options)
    rows: list[Mapping[str, Any]] = []
    params: dict[str, str] = {}
    while True:
        page = session.get(place, params=params, accept=JSON).body
        items = page.get("items") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(items, list):
            raise RemoteError("the hub's answer is no list of proposals")
        rows += [item for item in items if isinstance(item, dict) and (whole or item.get("state") == "open")]
        following = page.get("next")
        if page.get("more") is not True or not isinstance(following, str) or following == params.get("after"):
            break
        params = {"after": following}
    print_rows(sorted(rows, key=lambda row: str(row.get("proposed_at"))), COLUMNS, as_json=as_json)


@proposal.command()
@click.argument("uuid", metavar="ID")
@json_option
@connection_options
def confirm(uuid: str, as_json: bool, **options: Any) -> None:
    """Carry out what another moderator proposed; you answer for it as he does.

    Example: cybex proposal confirm 9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6 --url https://hub.example/alpha/
    """
    _decide(uuid, "confirmation", as_json, options)


@proposal.command()
@click.argument("uuid", metavar="ID")
@json_option
@connection_options
def reject(uuid: str, as_json: bool, **options: Any) -> None:
    """Let a proposal fall, another's or your own.

    Example: cybex proposal reject 9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6 --url https://hub.example/alpha/
    """
    _decide(uuid, "rejection", as_json, options)


def _decide(uuid: str, how: str, as_json: bool, options: dict[str, Any]) -> None:
    session = transport(options, lambda text: click.echo(text, err=True))
    done = session.put(f"{_place(options)}/{quote(uuid, safe='')}/{how}", b"", content_type=JSON, accept=JSON).body
    if not isinstance(done, dict):
        raise RemoteError("the hub's answer is no proposal")
    print_one(done, as_json=as_json)


def _place(options: dict[str, Any]) -> str:
    return f"{api_address(options['url'])}/groups/{group_of(options['url'])}/proposals"
