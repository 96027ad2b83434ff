"""``cybex pack``, ``cybex pack-key``, ``cybex packs``: a link that is carried by hand, at the giving end."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from hub import config
from hub.bootstrap import open_hub
from hub.cli.json_file import read_json
from hub.cli.output import data_option, json_option, print_rows
from hub.domain.taxii_time import format_timestamp
from hub.errors import ConfigError
from hub.services import event_log, pack_keys
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.services.relay import carried, pack_listing, packing
from hub.services.relay.pack_output import Sealing
from hub.services.relay.packing import Wanted

WRITTEN = ("file", "number", "objects", "batches", "octets")
LISTED = ("hub", "direction", "number", "batches", "made", "receipt")
_FILE = click.Path(path_type=Path, dir_okay=False)
passphrase_option = click.option(
    "--passphrase-file", type=_FILE, help="The first line of this file is the passphrase, of 16 characters or more."
)
recipient_option = click.option(
    "--recipient", type=_FILE, help="Encrypt to the other hub's key: what cybex pack-key printed there."
)


@click.command()
@click.argument("handle", metavar="HUB")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=".",
    show_default=True,
    help="Folder for the files, such as the mounted stick.",
)
@recipient_option
@passphrase_option
@click.option(
    "--max-bytes", type=click.IntRange(min=16_384), help="Octets of one file; the rest goes into further ones."
)
@click.option("--assume-delivered", is_flag=True, help="Begin after the newest pack, though its receipt is not here.")
@click.option("--everything", is_flag=True, help="Begin at the beginning; what HUB has already is a duplicate there.")
@click.option("--number", type=click.IntRange(min=1), help="Of the first file, when HUB says that its number is taken.")
@data_option
@json_option
def pack(
    handle: str,
    folder: Path,
    recipient: Path | None,
    passphrase_file: Path | None,
    max_bytes: int | None,
    assume_delivered: bool,
    everything: bool,
    number: int | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Write what HUB may have since its last receipt into signed files, indicators first.

    Positions move when `cybex unpack` takes the receipt that comes back; until then the next pack holds it all again.

    Example: cybex pack hub-b --to /media/stick --recipient hub-b.pack-key.json
    """
    settings = config.load(data)
    event_log.beside_output()
    hub = open_hub(settings)
    sealing = sealing_of(hub, handle, recipient, passphrase_file)
    wanted = Wanted(max_bytes, assume_delivered, everything, number, sealing)
    click.echo(f"packing for {handle} ...", err=True)
    total = 0

    def told(objects: int) -> None:
        nonlocal total
        total += objects
        click.echo(f"{total} objects", err=True)

    written = packing.write(hub, LOCAL_OPERATOR, handle, folder, wanted, spool=settings.data, told=told)
    rows = [
        {
            "file": str(one.path),
            "number": one.number,
            "id": one.id,
            "sha256": one.sha256,
            "objects": one.objects,
            "batches": one.batches,
            "octets": one.octets,
        }
        for one in written
    ]
    if not rows and not as_json:
        click.echo(f"{handle} has everything that it may have, as its last receipt says: no file was written", err=True)
        return
    print_rows(rows, WRITTEN, as_json=as_json)


@click.command("pack-key")
@click.option("--new", is_flag=True, help="Make another key; packs that are under way to the old one still open.")
@data_option
def pack_key(new: bool, data: Path | None) -> None:
    """Print this hub's public key for packs, signed by the hub: other hubs encrypt to it. It holds nothing secret.

    Example: cybex pack-key > hub-b.pack-key.json
    """
    settings = config.load(data)
    document = pack_keys.document(open_hub(settings), LOCAL_OPERATOR, settings.secrets, new=new)
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


@click.command()
@click.argument("handle", metavar="[HUB]", required=False)
@data_option
@json_option
def packs(handle: str | None, data: Path | None, as_json: bool) -> None:
    """List the packs that were made and taken, the newest first, and which receipts are not back yet.

    Example: cybex packs hub-b
    """
    rows = [
        {
            "hub": one.peer.handle,
            "direction": one.pack.direction,
            "number": one.pack.number,
            "id": one.pack.uuid,
            "sha256": one.pack.sha256.hex(),
            "batches": one.batches,
            "made": format_timestamp(one.pack.made_at),
            "receipt": None if one.pack.answered_at is None else format_timestamp(one.pack.answered_at),
        }
        for one in pack_listing.listed(open_hub(config.load(data)), LOCAL_OPERATOR, handle)
    ]
    print_rows(rows, LISTED, as_json=as_json)


def sealing_of(hub: Hub, handle: str, recipient: Path | None, passphrase_file: Path | None) -> Sealing | None:
    """Return for whom a file is encrypted, None for nobody; a recipient's key must be signed by that hub."""
    if recipient is not None and passphrase_file is not None:
        raise click.UsageError("give --recipient or --passphrase-file, not both")
    if passphrase_file is not None:
        return Sealing(passphrase=passphrase_in(passphrase_file))
    if recipient is None:
        return None
    with hub.db.read() as tx:
        to = carried.partner(tx, handle)
    try:
        with recipient.open("rb") as file:
            return Sealing(recipient=pack_keys.read_recipient(hub, to, read_json(file)))
    except OSError:
        raise ConfigError(f"{recipient} cannot be read", field="recipient") from None


def passphrase_in(path: Path) -> str:
    """Return the passphrase in a file. Raises ConfigError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read", field="passphrase-file") from None
    return lines[0].strip() if lines else ""
