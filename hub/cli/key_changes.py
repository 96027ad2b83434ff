"""``cybex key``, what changes keys: over the network as a peer, signed by its keys, or on the hub's own machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from hub.bootstrap import open_hub_at
from hub.cli.connection import connection_options, optional_connection_options, transport
from hub.cli.duration import DURATION, Duration
from hub.cli.key import key
from hub.cli.key_ring import MAX_FILE, one_of, public_key_in
from hub.cli.output import INSTANT, data_option, json_option, print_one
from hub.client import keyfile
from hub.client.own_keys import OwnKeys
from hub.domain.key_material import PrivateKey
from hub.domain.keys import COMPROMISED
from hub.errors import ConfigError
from hub.services import keys as service
from hub.services import peers as peer_service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

_FILE = click.Path(path_type=Path, dir_okay=False)


@key.command()
@click.option("--key", "key_path", type=_FILE, required=True, help="The new key, as cybex key new made it.")
@json_option
@connection_options
def enrol(key_path: Path, as_json: bool, **options: Any) -> None:
    """Enrol a further key of one's own over the network: the key signs that you have it.

    It needs a credential with the role admin. The first key of a peer is best enrolled by the hub's operator.

    Example: cybex key enrol --url https://hub.example/alpha/ --token-file aa.token --key aa2.pem
    """
    print_one(_own(options).enrol(keyfile.read(key_path), at=_now()), as_json=as_json)


@key.command()
@click.argument("handle", metavar="[PEER]", required=False)
@click.argument("kid", required=False)
@click.argument("file", type=_FILE, required=False)
@click.option("--key", "key_path", type=_FILE, help="The key to be replaced.")
@click.option("--out", type=_FILE, help="Where to put the new private key; one that is there is used.")
@click.option("--overlap", type=DURATION, help="How long the old key signs on, such as 7d; not at all without it.")
@data_option
@json_option
@optional_connection_options
def rotate(
    handle: str | None,
    kid: str | None,
    file: Path | None,
    key_path: Path | None,
    out: Path | None,
    overlap: Duration | None,
    data: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Replace a key by a new one; what the old key has signed stays valid.

    As a peer: makes the new key, signs with both that one replaces the other, and sends that. Repeat the command after
    an interruption. On the hub's machine: give PEER, the KID to be replaced, and the FILE of the new public key.

    Example: cybex key rotate --url https://hub.example/alpha/ --token-file aa.token --key aa.pem --out aa2.pem
    """
    if overlap is not None and overlap.seconds is None:
        raise click.UsageError("a key that signs on for ever is not replaced; give a time such as 7d")
    lasting = 0 if overlap is None else (overlap.seconds or 0) * 1_000_000
    if options["url"] is None:
        if handle is None or kid is None or file is None:
            raise click.UsageError("give PEER KID FILE on the hub's machine, or --url, --key and --out as a peer")
        hub = open_hub_at(data)
        old = one_of(service.of_peer(hub, LOCAL_OPERATOR, handle)[1], kid)
        text, until = public_key_in(_read(file)), hub.clock() + lasting
        made = service.rotate(hub, LOCAL_OPERATOR, handle, old.kid, public_key=text, replaced_until=until)
        print_one(resources.key(made), as_json=as_json)
        return
    if key_path is None or out is None:
        raise click.UsageError("give --key, the key to be replaced, and --out, where the new one goes")
    if key_path.resolve() == out.resolve():
        raise click.UsageError("give another file than --key: a private key is never overwritten")
    own, old_pair = _own(options), keyfile.read(key_path)
    if not out.exists():
        new = keyfile.generate(old_pair.algorithm)
        keyfile.write(out, new)
        keyfile.write_public(out, new, own.peer)
    print_one(own.rotate(old_pair, keyfile.read(out), at=_now(), overlap=lasting), as_json=as_json)


@key.command()
@click.argument("handle", metavar="PEER")
@click.argument("kid")
@click.option(
    "--reason",
    type=click.Choice(service.REASONS),
    required=True,
    help="compromised also refuses what was signed before and arrives later.",
)
@click.option("--at", type=INSTANT, help="From when on it counts no more; now without it.")
@click.option("--key", "key_path", type=_FILE, help="As a peer: a key that stands, to sign this with.")
@data_option
@json_option
@optional_connection_options
def revoke(
    handle: str,
    kid: str,
    reason: str,
    at: int | None,
    key_path: Path | None,
    data: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Revoke a key; it cannot be undone. With --url as the peer itself, else on the hub's machine.

    Example: cybex key revoke aa 3f0f7f1c --reason superseded
    """
    if options["url"] is not None:
        own = _own(options)
        if own.handle != handle:
            raise ConfigError("this credential belongs to another peer", field="PEER")
        print_one(own.revoke(kid, reason=reason, at=_now(), since=at, key=_pair(key_path)), as_json=as_json)
        return
    hub = open_hub_at(data)
    row = one_of(service.of_peer(hub, LOCAL_OPERATOR, handle)[1], kid)
    print_one(
        resources.key(service.revoke(hub, LOCAL_OPERATOR, handle, row.kid, reason=reason, at=at)), as_json=as_json
    )


@key.command()
@click.argument("kid")
@click.option("--since", type=INSTANT, required=True, help="Nothing counts that was signed from then on.")
@click.option("--key", "key_path", type=_FILE, help="As a peer: a key that stands, to sign this with.")
@data_option
@json_option
@optional_connection_options
def compromise(kid: str, since: int, key_path: Path | None, data: Path | None, as_json: bool, **options: Any) -> None:
    """Say that a key is in wrong hands since a time; it cannot be undone. KID may be how it begins.

    What it signed before that time and the hub had already stays valid. Whatever comes from now on is refused, because
    a thief can date back.

    Example: cybex key compromise 3f0f7f1c --since 2026-11-01T00:00:00Z
    """
    if options["url"] is not None:
        made = _own(options).revoke(kid, reason=COMPROMISED, at=_now(), since=since, key=_pair(key_path))
        print_one(made, as_json=as_json)
        return
    hub = open_hub_at(data)
    rows = {
        row.kid: (row, peer.handle)
        for peer in peer_service.listed(hub, LOCAL_OPERATOR)
        for row in service.of_peer(hub, LOCAL_OPERATOR, peer.handle)[1]
    }
    row, handle = rows[one_of([row for row, _ in rows.values()], kid).kid]
    done = service.revoke(hub, LOCAL_OPERATOR, handle, row.kid, reason=COMPROMISED, at=since)
    print_one(resources.key(done), as_json=as_json)


def _own(options: dict[str, Any]) -> OwnKeys:
    return OwnKeys.of(transport(options, lambda text: click.echo(text, err=True)), options["url"])


def _pair(path: Path | None) -> PrivateKey | None:
    return None if path is None else keyfile.read(path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", field="FILE") from None


def _now() -> int:
    return time.time_ns() // 1000
