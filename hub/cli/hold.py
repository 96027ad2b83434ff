"""``cybex hold``: what has to stay as evidence although it is withdrawn, on the hub's own machine."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from hub.bootstrap import open_hub_at
from hub.cli.output import Row, data_option, json_option, print_one, print_rows
from hub.domain.taxii_time import format_timestamp
from hub.services import holds as service
from hub.services.actor import LOCAL_OPERATOR
from hub.store.holds import Hold, Kept

COLUMNS = ("uuid", "group", "collection", "object", "placed_at", "released_at", "reason")
KEPT = ("object", "version", "group", "submitter", "kept_at", "sha256")


@click.group()
def hold() -> None:
    """Legal holds: keep what is withdrawn, and serve it to nobody.

    Example: cybex hold list
    """


@hold.command()
@click.argument("slug", metavar="GROUP")
@click.option("--collection", help="Its id or alias; without it every collection of the group.")
@click.option("--object", "stix_id", help="STIX id; without it everything there.")
@click.option("--reason", required=True, help="Why, in one line.")
@data_option
@json_option
def place(
    slug: str, collection: str | None, stix_id: str | None, reason: str, data: Path | None, as_json: bool
) -> None:
    """Keep from now on what is withdrawn from GROUP.

    Example: cybex hold place alpha --object incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa --reason "court order 7"
    """
    hub = open_hub_at(data)
    made = service.place(hub, LOCAL_OPERATOR, slug, collection=collection, stix_id=stix_id, reason=reason)
    print_one(_row(made), as_json=as_json)


@hold.command("list")
@data_option
@json_option
def list_(data: Path | None, as_json: bool) -> None:
    """List the holds, released ones included.

    Example: cybex hold list --json
    """
    print_rows([_row(one) for one in service.listed(open_hub_at(data), LOCAL_OPERATOR)], COLUMNS, as_json=as_json)


@hold.command()
@click.argument("uuid", metavar="HOLD")
@data_option
@json_option
def release(uuid: str, data: Path | None, as_json: bool) -> None:
    """End HOLD; what was kept under it stays until it is purged.

    Example: cybex hold release 0b1d3a52-7a2d-4d57-9a0e-6d7f3a1f5c11
    """
    print_one(_row(service.release(open_hub_at(data), LOCAL_OPERATOR, uuid)), as_json=as_json)


@hold.command()
@click.argument("stix_id", metavar="[OBJECT]", required=False)
@data_option
@json_option
def show(stix_id: str | None, data: Path | None, as_json: bool) -> None:
    """List what is kept, of OBJECT or all of it, without its content.

    Example: cybex hold show incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa
    """
    rows = [_kept(one) for one in service.kept(open_hub_at(data), LOCAL_OPERATOR, stix_id)]
    print_rows(rows, KEPT, as_json=as_json)


@hold.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--object", "stix_id", help="STIX id; without it everything that is kept.")
@data_option
def export(target: Path, stix_id: str | None, data: Path | None) -> None:
    """Write what is kept into FILE, one JSON document a line: the stored bytes as they are, and where they came from.

    Example: cybex hold export evidence.jsonl
    """
    rows = service.kept(open_hub_at(data), LOCAL_OPERATOR, stix_id)
    with target.open("xb") as out:
        target.chmod(0o600)
        for one in rows:
            line = {**_kept(one), "content": one.body.decode()}
            out.write(orjson.dumps(line) + b"\n")
    click.echo(f"wrote {len(rows)} versions to {target}")


@hold.command()
@data_option
def purge(data: Path | None) -> None:
    """Destroy what was kept and is under no hold any more. It cannot be brought back.

    Example: cybex hold purge
    """
    click.echo(f"destroyed {service.purge(open_hub_at(data), LOCAL_OPERATOR)} versions")


def _row(one: Hold) -> Row:
    return {
        "uuid": one.uuid,
        "group": one.group,
        "collection": one.collection,
        "object": one.stix_id,
        "reason": one.reason,
        "placed_at": format_timestamp(one.placed_at),
        "released_at": None if one.released_at is None else format_timestamp(one.released_at),
    }


def _kept(one: Kept) -> Row:
    return {
        "object": one.stix_id,
        "version": one.version,
        "date_added": format_timestamp(one.date_added),
        "group": one.group,
        "collection": one.collection,
        "submitter": one.submitter,
        "submission": one.submission_uuid,
        "sha256": one.sha256.hex(),
        "log_index": one.log_index,
        "kept_at": format_timestamp(one.kept_at),
    }
