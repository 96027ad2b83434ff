"""``cybex collection``: the collections of a trust group, and what single members may do in them."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.duration import DURATION, Duration
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.services import collections as service
from hub.services.actor import LOCAL_OPERATOR
from hub.services.retention import checked
from hub.web.api import resources

COLUMNS = ("alias", "id", "title", "allowed_types")
RIGHTS_COLUMNS = ("handle", "can_read", "can_write", "effective")
CHOICE = click.Choice(["yes", "no", "inherit"])


@click.group()
def collection() -> None:
    """Collections of a trust group.

    Example: cybex collection list alpha
    """


def _shown(row: resources.Resource) -> resources.Resource:
    # can_read and can_write are those of who asks, and the operator at this machine is nobody's member.
    return {name: value for name, value in row.items() if name not in ("can_read", "can_write")}


@collection.command()
@click.argument("slug", metavar="GROUP")
@click.option("--title", required=True, help="Its title, shown to the members.")
@click.option("--description", help="What it is for, shown to the members.")
@click.option("--alias", help="A name that may stand in URLs in place of its id.")
@click.option("--type", "types", multiple=True, help="A STIX type it takes, again for more; every type without it.")
@data_option
@json_option
def add(
    slug: str,
    title: str,
    description: str | None,
    alias: str | None,
    types: tuple[str, ...],
    data: Path | None,
    as_json: bool,
) -> None:
    """Add a collection to a group.

    Example: cybex collection add alpha --title Sightings --alias sightings --type sighting
    """
    made = service.add(
        open_hub_at(data),
        LOCAL_OPERATOR,
        slug,
        title=title,
        description=description,
        alias=alias,
        allowed_types=types or None,
    )
    print_one(_shown(resources.collection((made, None))), as_json=as_json)


@collection.command("list")
@click.argument("slug", metavar="GROUP")
@data_option
@json_option
def list_(slug: str, data: Path | None, as_json: bool) -> None:
    """List the collections of a group.

    Example: cybex collection list alpha --json
    """
    _, rows = service.listed(open_hub_at(data), LOCAL_OPERATOR, slug)
    print_rows([_shown(resources.collection(row)) for row in rows], COLUMNS, as_json=as_json)


@collection.command()
@click.argument("slug", metavar="GROUP")
@click.argument("ref", metavar="COLLECTION")
@click.option("--title", help="New title.")
@click.option("--description", help="New description; an empty text removes it.")
@click.option("--keep", type=DURATION, help="How long versions stay after they were added: 90d, or forever.")
@click.option("--keep-after-valid-until", type=DURATION, help="How long after their valid_until: 30d, or forever.")
@click.option("--keep-after-revoked", type=DURATION, help="How long after a version says revoked: 30d, or forever.")
@data_option
@json_option
def update(
    slug: str,
    ref: str,
    title: str | None,
    description: str | None,
    keep: Duration | None,
    keep_after_valid_until: Duration | None,
    keep_after_revoked: Duration | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Change what is given and leave the rest. What is kept no longer goes within the hour; see `cybex retention`.

    Example: cybex collection update alpha indicators --keep 365d --keep-after-valid-until 30d --keep-after-revoked 30d
    """
    hub = open_hub_at(data)
    before, _ = service.shown(hub, LOCAL_OPERATOR, slug, ref)
    kept = service.retention_seconds(before.retention)
    changed = service.update(
        hub,
        LOCAL_OPERATOR,
        slug,
        ref,
        title=... if title is None else title,
        description=... if description is None else description or None,
        retention=checked(
            _kept(keep, kept["added"]),
            _kept(keep_after_valid_until, kept["expired"]),
            _kept(keep_after_revoked, kept["revoked"]),
        ),
    )
    print_one(_shown(resources.collection((changed, None))), as_json=as_json)


def _kept(given: Duration | None, before: int | None) -> int | None:
    return before if given is None else given.seconds


@collection.command()
@click.argument("slug", metavar="GROUP")
@click.argument("ref", metavar="COLLECTION")
@click.argument("handle", metavar="[PEER]", required=False)
@click.option("--read", type=CHOICE, help="May the member read here?")
@click.option("--write", type=CHOICE, help="May the member write here?")
@data_option
@json_option
def rights(
    slug: str, ref: str, handle: str | None, read: str | None, write: str | None, data: Path | None, as_json: bool
) -> None:
    """Show what each member may do in a collection, or set it for one PEER; `inherit` is as in the group.

    Example: cybex collection rights alpha indicators aa --write no
    """
    hub = open_hub_at(data)
    rows = service.rights(hub, LOCAL_OPERATOR, slug, ref)
    if handle is None:
        if read is not None or write is not None:
            raise click.UsageError("name the PEER whose rights are to change")
        print_rows([resources.member_rights(row) for row in rows], RIGHTS_COLUMNS, as_json=as_json)
        return
    before = next((row.override for row in rows if row.peer.handle == handle), (None, None))
    override = (_chosen(read, before[0]), _chosen(write, before[1]))
    row = service.set_rights(hub, LOCAL_OPERATOR, slug, ref, handle, override)
    print_one(resources.member_rights(row), as_json=as_json)


def _chosen(choice: str | None, before: bool | None) -> bool | None:
    return before if choice is None else {"yes": True, "no": False, "inherit": None}[choice]
