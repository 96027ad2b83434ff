"""``cybex link``: how this hub reaches others, and how that is going."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub import config
from hub.bootstrap import open_hub
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.errors import ConfigError
from hub.services import link_tokens
from hub.services import links as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api.relay_resources import link as resource

COLUMNS = ("peer", "summary", "url", "push", "pull", "dead_letters", "agreement_expires")
PROGRESS = ("direction", "group", "collection", "objects", "waiting", "behind_seconds", "position")
_FILE = click.Path(path_type=Path, dir_okay=False)
_token = click.option("--token-file", type=_FILE, help="Bearer token that the other hub has issued to this one.")
_bytes = click.option("--max-bytes", type=click.IntRange(min=1024), help="Octets on the wire in one run.")
_private = click.option(
    "--allow-private/--no-allow-private", default=None, help="Permit addresses of private networks and this machine."
)


@click.group()
def link() -> None:
    """Links to other hubs. Nothing crosses without an agreement: see cybex agreement.

    Example: cybex link list
    """


@link.command()
@click.argument("handle", metavar="HUB")
@click.option("--url", help="Base of the other hub: https://hub-b.example/. Without it, it is carried by hand.")
@click.option("--push", is_flag=True, help="Send what the other hub may have.")
@click.option("--pull", is_flag=True, help="Fetch what the other hub has.")
@_token
@_private
@_bytes
@data_option
@json_option
def add(
    handle: str,
    url: str | None,
    push: bool,
    pull: bool,
    token_file: Path | None,
    allow_private: bool | None,
    max_bytes: int | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Set up how this hub reaches HUB, which is known by its card. The token is copied into secrets/links/.

    Example: cybex link add hub-b --url https://hub-b.example/ --token-file hub-b.token --push --pull
    """
    settings = config.load(data)
    token = None if token_file is None else _token_in(token_file)
    if token is None and (push or pull):
        raise click.UsageError("to send or fetch, give --token-file: the other hub's operator issues the token")
    hub = open_hub(settings)
    made = service.add(
        hub,
        LOCAL_OPERATOR,
        handle,
        url=url,
        push=push,
        pull=pull,
        allow_private=bool(allow_private),
        max_bytes=max_bytes,
    )
    if token is not None:
        link_tokens.keep(settings.secrets, handle, token)
    _print(made, as_json=as_json)


@link.command("set")
@click.argument("handle", metavar="HUB")
@click.option("--url", help="Base of the other hub.")
@click.option("--push/--no-push", default=None, help="Send, or send no longer.")
@click.option("--pull/--no-pull", default=None, help="Fetch, or fetch no longer.")
@_token
@_private
@_bytes
@click.option("--unbounded", is_flag=True, help="Take the bound of --max-bytes away.")
@data_option
@json_option
def set_(
    handle: str,
    url: str | None,
    push: bool | None,
    pull: bool | None,
    token_file: Path | None,
    allow_private: bool | None,
    max_bytes: int | None,
    unbounded: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Change what is named of the link to HUB; one that waits after failures is tried again at once.

    Example: cybex link set hub-b --token-file new.token
    """
    settings = config.load(data)
    token = None if token_file is None else _token_in(token_file)
    given = {"url": url, "push": push, "pull": pull, "allow_private": allow_private, "max_bytes": max_bytes}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if unbounded:
        changes["max_bytes"] = None
    changed = service.update(open_hub(settings), LOCAL_OPERATOR, handle, **changes)
    if token is not None:
        link_tokens.keep(settings.secrets, handle, token)
    _print(changed, as_json=as_json)


@link.command("list")
@data_option
@json_option
def list_(data: Path | None, as_json: bool) -> None:
    """List the links, and how each is doing.

    Example: cybex link list
    """
    rows = [resource(one) for one in service.listed(open_hub(config.load(data)), LOCAL_OPERATOR)]
    print_rows(rows, COLUMNS, as_json=as_json)


@link.command()
@click.argument("handle", metavar="HUB")
@data_option
@json_option
def show(handle: str, data: Path | None, as_json: bool) -> None:
    """Show one link, and how far each collection has come.

    Example: cybex link show hub-b
    """
    _print(service.shown(open_hub(config.load(data)), LOCAL_OPERATOR, handle), as_json=as_json)


@link.command()
@click.argument("handle", metavar="HUB")
@data_option
@json_option
def pause(handle: str, data: Path | None, as_json: bool) -> None:
    """Stop at once: nothing is sent or fetched, and nothing that HUB sends is taken, until it is resumed.

    Example: cybex link pause hub-b
    """
    _print(service.update(open_hub(config.load(data)), LOCAL_OPERATOR, handle, paused=True), as_json=as_json)


@link.command()
@click.argument("handle", metavar="HUB")
@data_option
@json_option
def resume(handle: str, data: Path | None, as_json: bool) -> None:
    """Go on where it stopped.

    Example: cybex link resume hub-b
    """
    _print(service.update(open_hub(config.load(data)), LOCAL_OPERATOR, handle, paused=False), as_json=as_json)


@link.command()
@click.argument("handle", metavar="HUB")
@data_option
@json_option
def remove(handle: str, data: Path | None, as_json: bool) -> None:
    """Take the link to HUB and its token away. How far it came is kept; the agreement stays until it is ended.

    Example: cybex link remove hub-b
    """
    settings = config.load(data)
    service.remove(open_hub(settings), LOCAL_OPERATOR, handle)
    link_tokens.forget(settings.secrets, handle)
    print_one({"peer": handle, "removed": True}, as_json=as_json)


def _print(shown: service.Shown, *, as_json: bool) -> None:
    row = resource(shown)
    if as_json:
        print_one(row, as_json=True)
        return
    print_one({name: value for name, value in row.items() if name != "collections"}, as_json=False)
    if row["collections"]:
        click.echo()
        print_rows(row["collections"], PROGRESS, as_json=False)


def _token_in(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read", field="token-file") from None
