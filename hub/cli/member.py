"""``cybex member``: who is in a trust group, with which rights."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.domain.membership import Right
from hub.services import members as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

COLUMNS = ("handle", "name", "rights", "suspended", "joined_at")
RIGHTS = ",".join(right.value for right in Right)


class Rights(click.ParamType[frozenset[Right]]):
    """A set of rights: their names with commas between them, or ``none``."""

    name = "rights"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[Right]:
        """Return the rights."""
        if isinstance(value, frozenset):
            return value
        names = [] if value == "none" else [name.strip() for name in str(value).split(",")]
        try:
            return frozenset(Right(name) for name in names)
        except ValueError:
            self.fail(f"use names out of {RIGHTS} with commas between them, or none", param, ctx)


@click.group()
def member() -> None:
    """Members of a trust group and their rights.

    Example: cybex member list alpha
    """


@member.command()
@click.argument("slug", metavar="GROUP")
@click.argument("handle", metavar="PEER")
@click.option(
    "--rights", type=Rights(), default="read,write", show_default=True, help=f"Out of {RIGHTS}; none for no right."
)
@data_option
@json_option
def put(slug: str, handle: str, rights: frozenset[Right], data: Path | None, as_json: bool) -> None:
    """Add a peer to a group, or set all rights of one that is a member.

    Example: cybex member put alpha aa --rights read,write,moderate
    """
    who, membership, _ = service.put(open_hub_at(data), LOCAL_OPERATOR, slug, handle, rights)
    print_one(resources.member((who, membership)), as_json=as_json)


member.add_command(put, "add")


@member.command("list")
@click.argument("slug", metavar="GROUP")
@data_option
@json_option
def list_(slug: str, data: Path | None, as_json: bool) -> None:
    """List the members of a group, suspended ones too.

    Example: cybex member list alpha --json
    """
    _, rows = service.listed(open_hub_at(data), LOCAL_OPERATOR, slug)
    print_rows([resources.member(row) for row in rows], COLUMNS, as_json=as_json)


@member.command()
@click.argument("slug", metavar="GROUP")
@click.argument("handle", metavar="PEER")
@data_option
@json_option
def suspend(slug: str, handle: str, data: Path | None, as_json: bool) -> None:
    """Take a member out of every read and write of the group, keeping his rights for later.

    Example: cybex member suspend alpha aa
    """
    print_one(resources.member(service.suspend(open_hub_at(data), LOCAL_OPERATOR, slug, handle)), as_json=as_json)


@member.command()
@click.argument("slug", metavar="GROUP")
@click.argument("handle", metavar="PEER")
@data_option
@json_option
def restore(slug: str, handle: str, data: Path | None, as_json: bool) -> None:
    """Let a suspended member back in with the rights he had.

    Example: cybex member restore alpha aa
    """
    print_one(resources.member(service.restore(open_hub_at(data), LOCAL_OPERATOR, slug, handle)), as_json=as_json)


@member.command()
@click.argument("slug", metavar="GROUP")
@click.argument("handle", metavar="PEER")
@data_option
@json_option
def remove(slug: str, handle: str, data: Path | None, as_json: bool) -> None:
    """End a membership; what the peer has published stays.

    Example: cybex member remove alpha aa
    """
    service.remove(open_hub_at(data), LOCAL_OPERATOR, slug, handle)
    print_one({"group": slug, "handle": handle, "member": False}, as_json=as_json)
