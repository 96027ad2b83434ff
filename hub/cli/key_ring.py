"""``cybex key``: making key pairs (`hub.cli.key`), and the key ring of the hub on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from hub.bootstrap import open_hub_at
from hub.cli.key import key
from hub.cli.key import new as new_pair
from hub.cli.output import INSTANT, data_option, json_option, print_one, print_rows
from hub.client import keyfile
from hub.domain.canonical import parse
from hub.domain.key_material import ALGORITHMS, ED25519
from hub.domain.keys import SigningKey
from hub.errors import InvalidRequest
from hub.services import keys as service
from hub.services import peers as peer_service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

COLUMNS = ("kid", "algorithm", "valid_from", "valid_until", "revoked_at", "revocation_reason")
MAX_FILE = 64 * 1024
"""Octets of a public key file; a real one has about 300."""


@key.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where to put the private key; its public part goes beside it (aa.pem: aa.pub.json).",
)
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default=ED25519, show_default=True)
@click.option("--identity", help="STIX identity whose key it is, kept in the public part.")
@click.option("--peer", "handle", metavar="PEER", help="On the hub's machine: enrol the key for this peer at once.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the public part as JSON.")
@click.pass_context
def new(
    ctx: click.Context,
    out: Path,
    algorithm: str,
    identity: str | None,
    handle: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make a key pair on this machine; the private key never leaves it. Nothing is ever overwritten.

    Without --peer it needs no hub: give the public part to the hub's operator, who enrols it with `cybex key add`.

    Example: cybex key new --out aa.pem
    """
    if handle is None:
        ctx.invoke(new_pair, out=out, algorithm=algorithm, identity=identity, as_json=as_json)
        return
    hub = open_hub_at(data)
    own = peer_service.shown(hub, LOCAL_OPERATOR, handle).identity
    if identity not in (None, own):
        raise InvalidRequest("this peer has another identity on the hub; leave the option out", field="identity")
    ctx.invoke(new_pair, out=out, algorithm=algorithm, identity=own, as_json=as_json)
    service.enrol(hub, LOCAL_OPERATOR, handle, public_key=keyfile.read(out).public.text)
    if not as_json:
        click.echo(f"enrolled for {handle}; it signs from now on")


@key.command()
@click.argument("handle", metavar="PEER")
@click.argument("file", type=click.File("rb"))
@click.option("--valid-from", type=INSTANT, help="Date or time; now without it.")
@click.option("--valid-until", type=INSTANT, help="Date or time; open without it.")
@data_option
@json_option
def add(
    handle: str, file: IO[bytes], valid_from: int | None, valid_until: int | None, data: Path | None, as_json: bool
) -> None:
    """Enrol a peer's public key: the file that `cybex key new` made beside the private key, or PEM; - is stdin.

    Example: cybex key add aa aa.pub.json
    """
    text = public_key_in(file.read(MAX_FILE))
    row = service.enrol(
        open_hub_at(data), LOCAL_OPERATOR, handle, public_key=text, valid_from=valid_from, valid_until=valid_until
    )
    print_one(resources.key(row), as_json=as_json)


def public_key_in(content: bytes) -> str:
    """Return the public key in a file, PEM or JSON. Raises InvalidRequest, also for a private key."""
    if b"PRIVATE KEY" in content:
        raise InvalidRequest("this is a private key, which stays with its owner; give its public part", field="FILE")
    if content.lstrip().startswith(b"{"):
        part = parse(content)
        text = part.get("public_key") if isinstance(part, dict) else None
        if isinstance(text, str):
            return text
        raise InvalidRequest("the JSON has no public_key; give the file that cybex key new made", field="FILE")
    return content.decode("ascii", "replace")


@key.command("list")
@click.argument("handle", metavar="[PEER]", required=False)
@data_option
@json_option
def list_(handle: str | None, data: Path | None, as_json: bool) -> None:
    """List the keys of a peer, or of all peers, revoked ones too.

    Example: cybex key list aa
    """
    hub = open_hub_at(data)
    handles = [peer.handle for peer in peer_service.listed(hub, LOCAL_OPERATOR)] if handle is None else [handle]
    rows = [
        {"handle": each} | resources.key(row)
        for each in handles
        for row in service.of_peer(hub, LOCAL_OPERATOR, each)[1]
    ]
    print_rows(rows, ("handle", *COLUMNS), as_json=as_json)


@key.command()
@click.argument("handle", metavar="PEER")
@click.argument("kid")
@data_option
@json_option
def show(handle: str, kid: str, data: Path | None, as_json: bool) -> None:
    """Show one key; KID is what `cybex key list` shows, or how it begins if no other does.

    Example: cybex key show aa 3f0f7f1c
    """
    hub = open_hub_at(data)
    row = one_of(service.of_peer(hub, LOCAL_OPERATOR, handle)[1], kid)
    print_one(resources.key(row), as_json=as_json)


def one_of(rows: list[SigningKey], kid: str) -> SigningKey:
    """Return the one key that begins so. Raises InvalidRequest when there is none, or more than one."""
    found = [row for row in rows if row.kid.startswith(kid.lower())]
    if len(kid) < 8 or len(found) != 1:
        raise InvalidRequest("give 8 or more digits that one key of this peer begins with; see cybex key list")
    return found[0]
