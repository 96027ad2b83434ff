"""``cybex verify``: verify the signatures of STIX objects, without asking any hub."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, BinaryIO

import click
import orjson

from hub.domain.bundle_verification import Checked, Signer, Status, verify_objects
from hub.domain.canonical import parse
from hub.domain.key_directory import read_directory
from hub.domain.keys import KeyRing
from hub.domain.stix_document import objects_of
from hub.domain.taxii_time import format_timestamp
from hub.errors import CybexError

ALL_VERIFIED, SOME_FAILED, UNREADABLE = 0, 1, 2


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--keys", type=click.File("rb"), help="Key directory of a hub (JSON): whose keys to believe.")
@click.option("--json", "as_json", is_flag=True, help="Write the outcome as JSON.")
@click.pass_context
def verify(ctx: click.Context, file: BinaryIO, keys: BinaryIO | None, as_json: bool) -> None:
    """Verify every object of a STIX bundle, envelope or single object; FILE may be - for standard input.

    Without --keys it can only be shown that nothing was changed since signing ("intact"), not who signed; that is
    never a success. Exit code 0: all objects are verified; 1: some are not; 2: a file cannot be read.

    Example: cybex verify signed.json --keys directory.json
    """
    try:
        directory = None if keys is None else read_directory(parse(keys.read()))
        objects = objects_of(parse(file.read()))
    except CybexError as error:
        where = f" ({error.field})" if error.field else ""
        click.echo(f"cybex: {error.title}{where}: {error.detail}", err=True)
        ctx.exit(UNREADABLE)
    ring = None if directory is None else KeyRing(item.key for item in directory)
    handles = {item.key.identity: item.handle for item in directory or () if item.handle}
    checked = verify_objects(objects, ring, now=time.time_ns() // 1000)
    # An empty file proves nothing: no objects is not "all verified".
    verified = bool(checked) and all(item.status is Status.VERIFIED for item in checked)
    if as_json:
        report = {"verified": verified, "objects": [_as_json(item, handles) for item in checked]}
        click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        for item in checked:
            click.echo(_as_text(item, handles))
        if not checked:
            click.echo("there is no object to verify")
    ctx.exit(ALL_VERIFIED if verified else SOME_FAILED)


def _as_json(item: Checked, handles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": item.id,
        "version": item.version,
        "status": item.status.value,
        "reason": item.reason,
        "signers": [
            {
                "identity": signer.identity,
                "handle": handles.get(signer.identity),
                "carrier": signer.carrier,
                "form": signer.form,
                "signed_at": format_timestamp(signer.signed_at),
                "author": signer.author,
                "algorithms": list(signer.algorithms),
            }
            for signer in item.signers
        ],
    }


def _as_text(item: Checked, handles: Mapping[str, str]) -> str:
    line = f"{item.status.value:9}{item.id} {item.version}: {item.reason}"
    return "\n".join([line, *(f"{'':9}{_signer(signer, handles)}" for signer in item.signers)])


def _signer(signer: Signer, handles: Mapping[str, str]) -> str:
    name = handles.get(signer.identity)
    who = f"{name} ({signer.identity})" if name else signer.identity
    role = "its author" if signer.author else "not its author"
    algorithms = " and ".join(signer.algorithms)
    return f"by {who}, {role}, at {format_timestamp(signer.signed_at)}, {signer.carrier}, {algorithms}"
