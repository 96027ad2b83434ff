"""``cybex sign``: sign STIX objects with ITU-T X.590."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from hub.client import keyfile
from hub.domain.bundle_signing import SignedObject, sign_objects
from hub.domain.canonical import parse
from hub.domain.stix_document import objects_of, with_objects
from hub.domain.taxii_time import format_timestamp

_CARRIERS = {
    "inline": "signed inline",
    "detached": "signed beside it",
    "present": "was signed before",
}


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--key",
    "key_path",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Private key, as made by `cybex key new`.",
)
@click.option(
    "--second-key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Quantum-safe key (cybex key new --algorithm ML-DSA-65) that signs beside the other.",
)
@click.option("--identity", help="STIX identity of the signer; default: the one beside the key (aa.pub.json).")
@click.option(
    "--out", type=click.File("wb", lazy=True, atomic=True), default="-", help="Write here instead of standard output."
)
@click.option("--json", "as_json", is_flag=True, help="Report what was done as JSON (on standard error).")
def sign(
    file: BinaryIO, key_path: Path, second_key: Path | None, identity: str | None, out: BinaryIO, as_json: bool
) -> None:
    """Sign each object of a STIX bundle, envelope or single object; FILE may be - for standard input.

    Your own objects get their signature inside, all others a jss-signature object beside them. What you have signed
    before stays as it is. The signed document goes to standard output, the report to standard error.

    Example: cybex sign --key aa.pem incident.json > signed.json
    """
    key = keyfile.read(key_path)
    identity = identity or keyfile.identity_beside(key_path, key)
    if identity is None:
        raise click.UsageError("say who signs: --identity identity--... (there is none beside the key)")
    document = parse(file.read())
    signed, done = sign_objects(
        objects_of(document),
        key,
        identity=identity,
        created=_now(),
        new_uuid=lambda: str(uuid.uuid4()),
        second=None if second_key is None else keyfile.read(second_key),
    )
    out.write(orjson.dumps(with_objects(document, signed), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    _report(done, as_json)


def _now() -> str:
    """Return the time as X.590 6.3 writes it: three digits of a second."""
    return format_timestamp(time.time_ns() // 1000)[:23] + "Z"


def _report(done: tuple[SignedObject, ...], as_json: bool) -> None:
    if as_json:
        report = {"signed": [{"id": item.id, "carrier": item.carrier} for item in done]}
        click.echo(orjson.dumps(report).decode(), err=True)
        return
    for item in done:
        click.echo(f"{item.id}: {_CARRIERS[item.carrier]}", err=True)
