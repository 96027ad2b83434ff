"""``cybex unpack``: what was carried here, a pack or the receipt of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub import config
from hub.bootstrap import open_hub
from hub.cli.output import data_option, json_option, print_one
from hub.cli.pack import passphrase_in, passphrase_option, recipient_option, sealing_of
from hub.domain.pack import PackReceipt
from hub.domain.taxii_time import format_timestamp
from hub.services import event_log
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.services.relay import pack_answers, pack_output, unpacking
from hub.services.relay.pack_output import PackFile, Sealing

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--receipt", type=_FILE, help="Where the receipt of a pack goes; otherwise beside it, as FILE.receipt.")
@recipient_option
@passphrase_option
@click.option("--check", is_flag=True, help="Say what the file is, and whether it is whole; store nothing.")
@data_option
@json_option
def unpack(
    file: Path,
    receipt: Path | None,
    recipient: Path | None,
    passphrase_file: Path | None,
    check: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Verify FILE and take it in: a pack, whose receipt is written for the way back, or such a receipt.

    Run again it changes nothing, and goes on where it was ended. The receipt is encrypted to --recipient; that of a
    pack
    with a passphrase takes the same one.

    Example: cybex unpack /media/stick/cybex-hub-b-000001.pack
    """
    settings = config.load(data)
    event_log.beside_output()
    hub = open_hub(settings)
    passphrase = None if passphrase_file is None else passphrase_in(passphrase_file)
    opener = PackFile(file, secrets=settings.secrets, passphrase=passphrase)
    via, said, _ = unpacking.read(hub, opener)
    kind = "receipt" if isinstance(said, PackReceipt) else "pack"
    row: dict[str, Any] = {"hub": via.handle, "kind": kind, "number": said.number, "id": said.id}
    if check:
        objects = unpacking.whole(opener)
        print_one(row | {"made": format_timestamp(said.made_at), "objects": objects}, as_json=as_json)
        return
    if isinstance(said, PackReceipt):
        done = pack_answers.take(hub, LOCAL_OPERATOR, opener)
        print_one(row | {"objects": done.objects, "again": done.again}, as_json=as_json)
        return
    sealing = None
    if recipient is not None or opener.by_passphrase:
        sealing = sealing_of(hub, via.handle, recipient, None if recipient else passphrase_file)
    row |= _take(hub, opener, receipt or file.with_name(f"{file.name}.receipt"), sealing)
    print_one(row, as_json=as_json)


def _take(hub: Hub, opener: PackFile, receipt: Path, sealing: Sealing | None) -> dict[str, Any]:
    def told(done: int, total: int) -> None:
        click.echo(f"batch {done} of {total}", err=True)

    taken = unpacking.take(hub, LOCAL_OPERATOR, opener, told=told)
    with pack_output.becoming(receipt, unpacking.receipt_octets(hub, taken), sealing, hub.token_bytes):
        pass  # it is written on entering; nothing else has to happen before it has its name
    if taken.skipped:
        numbers = ", ".join(str(number) for number in taken.skipped)
        click.echo(f"never came, and need not any more: {numbers}", err=True)
    click.echo(f"carry {receipt} back: cybex unpack there", err=True)
    return {
        "accepted": taken.accepted,
        "duplicates": taken.duplicates,
        "refused": taken.refused,
        "held": taken.held,
        "again": taken.again,
        "receipt": str(receipt),
    }
