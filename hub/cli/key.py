"""``cybex key``: signing keys. What needs a hub's database is added to this group elsewhere; ``new`` works offline."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from hub.client import keyfile
from hub.domain.key_material import ALGORITHMS, ED25519
from hub.errors import Conflict


@click.group()
def key() -> None:
    """Signing keys.

    Example: cybex key new --out aa.pem --identity identity--f431f809-377b-45e0-aa1c-6a4751cae5ff
    """


@key.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where to put the private key; its public part goes beside it (aa.pem: aa.pub.json).",
)
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default=ED25519, show_default=True)
@click.option("--identity", help="STIX identity whose key it is, kept in the public part.")
@click.option("--json", "as_json", is_flag=True, help="Print the public part as JSON.")
def new(out: Path, algorithm: str, identity: str | None, as_json: bool) -> None:
    """Make a key pair on this machine; the private key never leaves it.

    Give the public part to the hub's operator, who enrols it. Nothing is ever overwritten.

    Example: cybex key new --out aa.pem
    """
    if keyfile.public_path(out).exists():  # else a private key would be left whose public part is another's
        raise Conflict("the public part beside it exists already; choose another name or remove it", field="out")
    pair = keyfile.generate(algorithm)
    keyfile.write(out, pair)
    public = keyfile.write_public(out, pair, identity)
    part = keyfile.public_part(pair, identity)
    if as_json:
        click.echo(orjson.dumps(part, option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(f"private key  {out} (keep it; only you can read it)")
    click.echo(f"public part  {public} (give it to the hub's operator)")
    for name, value in part.items():
        click.echo(f"{name:12} {value}")
