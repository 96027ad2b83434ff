"""``cybex export`` and ``cybex export-token``: what other systems take, once by hand or polled by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from hub.bootstrap import open_hub_at
from hub.cli.connection import optional_connection_options, transport
from hub.cli.output import INSTANT, data_option, json_option, print_one, print_rows
from hub.client import exports as client
from hub.client.api import group_of
from hub.domain import limits
from hub.domain.membership import Caller, Role
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError
from hub.exports.formats import FORMATS
from hub.exports.options import NAMES, read_texts
from hub.services import export_tokens as token_service
from hub.services import exports as service
from hub.services import peers
from hub.services.actor import LOCAL_OPERATOR
from hub.services.exports import Asked
from hub.web.api.exports import issued, token

COLUMNS: Final = ("id", "peer", "group", "collection", "format", "label", "expires_at", "revoked_at", "last_used_at")
_format = click.argument("format_", metavar="FORMAT", type=click.Choice(list(FORMATS)))
_group = click.option("--group", "slug", help="The group; default: that of the API root.")
_set = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help=f"An option of the export: {', '.join(NAMES)}."
)


@click.command()
@_format
@_group
@_set
@click.option("--as", "handle", metavar="PEER", help="Without --url: as this peer may read, on the hub's machine.")
@data_option
@optional_connection_options
def export(
    format_: str, slug: str | None, settings: tuple[str, ...], handle: str | None, data: Path | None, **options: Any
) -> None:
    """Write what a peer may read to standard output in a FORMAT that another system takes.

    All of the group's collections, or the one that --collection names. Nothing is written unless the export is whole.

    Example: cybex export ip --url https://hub.example/alpha/ --token-file aa.token > blocked.txt
    """
    chosen = _settings(settings)
    read_texts(chosen)
    if options["url"] is not None:
        session = transport(options, _told)
        session.max_answer = limits.EXPORT_BYTES
        slug = slug or group_of(options["url"])
        click.echo(client.fetch(session, options["url"], slug, format_, _collection(options), chosen), nl=False)
        return
    if slug is None or handle is None:
        raise click.UsageError("without --url, say for whom and of which group: --as PEER --group SLUG")
    hub = open_hub_at(data)
    reader = Caller(peers.shown(hub, LOCAL_OPERATOR, handle), 0, Role.FEED)
    made = service.make(hub, Asked(reader, slug, _collection(options), format_, read_texts(chosen)))
    if made.body is None or made.account is None:
        raise ConfigError("the export has no body")
    with made.body as body:
        while piece := body.read(1 << 16):
            click.echo(piece, nl=False)
    left_out = "".join(f"; left out, {reason}: {count}" for reason, count in sorted(made.account.left_out.items()))
    _told(f"{made.account.entries} entries{left_out}")


@click.group("export-token")
def export_token() -> None:
    """Addresses at which firewalls and resolvers poll an export.

    Example: cybex export-token list --url https://hub.example/alpha/ --token-file aa.token
    """


@export_token.command()
@_format
@_group
@_set
@click.option("--label", required=True, help="What polls it, such as the firewall's name.")
@click.option("--as", "handle", metavar="PEER", help="Without --url: the peer whose rights it has.")
@click.option("--expires", type=INSTANT, help="Date or time; 400 days from now without it.")
@click.option("--never-expires", is_flag=True, help="It lives until it is revoked.")
@data_option
@json_option
@optional_connection_options
def new(
    format_: str,
    slug: str | None,
    settings: tuple[str, ...],
    label: str,
    handle: str | None,
    expires: int | None,
    never_expires: bool,
    data: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Make an address for one export and print it; nobody can show it again. Whoever has it can read the export.

    Example: cybex export-token new ip --label pfsense --url https://hub.example/alpha/ --token-file aa.token
    """
    chosen = read_texts(_settings(settings)).as_json()
    collection = _collection(options)
    if options["url"] is not None:
        asked: dict[str, Any] = {"group": slug or group_of(options["url"]), "format": format_, "label": label}
        asked |= {"options": chosen} if chosen else {}
        asked |= {"collection": collection} if collection is not None else {}
        if never_expires or expires is not None:
            asked["expires_at"] = None if expires is None else format_timestamp(expires)
        made = client.new_token(transport(options, _told), options["url"], asked)
    else:
        if slug is None or handle is None:
            raise click.UsageError("without --url, say for whom and of which group: --as PEER --group SLUG")
        hub = open_hub_at(data)
        added = token_service.add(
            hub,
            LOCAL_OPERATOR,
            handle=handle,
            slug=slug,
            collection=collection,
            format_=format_,
            options=chosen,
            label=label,
            expires_at=expires,
            never_expires=never_expires,
        )
        made = issued(added, hub.public_url)
    print_one(made, as_json=as_json)


@export_token.command("list")
@data_option
@json_option
@optional_connection_options
def list_(data: Path | None, as_json: bool, **options: Any) -> None:
    """List the export tokens of your peer, or, on the hub's own machine, of all. Their secrets are shown to nobody.

    Example: cybex export-token list
    """
    rows: Sequence[dict[str, Any]]
    if options["url"] is not None:
        rows = client.tokens(transport(options, _told), options["url"])
    else:
        rows = [token(row) for row in token_service.listed(open_hub_at(data), LOCAL_OPERATOR)]
    print_rows(rows, COLUMNS, as_json=as_json)


@export_token.command()
@click.argument("name", metavar="ID")
@data_option
@optional_connection_options
def revoke(name: str, data: Path | None, **options: Any) -> None:
    """Refuse an export token from now on.

    Example: cybex export-token revoke 6f7f7b1e-0f55-4f9a-93b3-0a4f8a3b8b5d
    """
    if options["url"] is not None:
        client.revoke_token(transport(options, _told), options["url"], name)
    else:
        token_service.revoke(open_hub_at(data), LOCAL_OPERATOR, name)
    _told("revoked")


def _settings(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if any(not equals for _, equals, _ in pairs):
        raise click.UsageError("write --set NAME=VALUE, such as --set min_confidence=50")
    return {name: value for name, _, value in pairs}


def _collection(options: dict[str, Any]) -> str | None:
    """Return the collection that was asked for: here, unlike elsewhere, no --collection means all of them."""
    source = click.get_current_context().get_parameter_source("collection")
    return None if source is ParameterSource.DEFAULT else options["collection"]


def _told(text: str) -> None:
    click.echo(text, err=True)
