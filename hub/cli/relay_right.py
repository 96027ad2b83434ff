"""``cybex relay-right``: who may make versions for an author who is another peer."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.services import relay_rights as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

COLUMNS = ("handle", "author_identity")


@click.group()
def relay_right() -> None:
    """Who may make versions for another author.

    Example: cybex relay-right list alpha
    """


@relay_right.command()
@click.argument("slug", metavar="GROUP")
@click.argument("handle", metavar="PEER")
@click.argument("author", metavar="AUTHOR")
@data_option
@json_option
def grant(slug: str, handle: str, author: str, data: Path | None, as_json: bool) -> None:
    """Let PEER publish, in GROUP, new versions of what AUTHOR (a STIX identity id) made.

    Example: cybex relay-right grant alpha aa identity--f431f809-377b-45e0-aa1c-6a4751cae5ff
    """
    right, _ = service.grant(open_hub_at(data), LOCAL_OPERATOR, slug, handle, author)
    print_one(resources.relay_right(right), as_json=as_json)


@relay_right.command("list")
@click.argument("slug", metavar="GROUP")
@data_option
@json_option
def list_(slug: str, data: Path | None, as_json: bool) -> None:
    """List the relay rights of a group.

    Example: cybex relay-right list alpha
    """
    rows = [resources.relay_right(row) for row in service.listed(open_hub_at(data), LOCAL_OPERATOR, slug)]
    print_rows(rows, COLUMNS, as_json=as_json)


@relay_right.command()
@click.argument("slug", metavar="GROUP")
@click.argument("handle", metavar="PEER")
@click.argument("author", metavar="AUTHOR")
@data_option
@json_option
def revoke(slug: str, handle: str, author: str, data: Path | None, as_json: bool) -> None:
    """Take a relay right back; what was published under it stays.

    Example: cybex relay-right revoke alpha aa identity--f431f809-377b-45e0-aa1c-6a4751cae5ff
    """
    service.revoke(open_hub_at(data), LOCAL_OPERATOR, slug, handle, author)
    print_one({"handle": handle, "author_identity": author, "revoked": True}, as_json=as_json)
