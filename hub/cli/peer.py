"""``cybex peer``: the organisations the hub knows."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.domain.membership import PeerKind, QuantumSafe
from hub.domain.naming import ITU_REGIONS
from hub.services import peers as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

COLUMNS = ("handle", "name", "kind", "country", "itu_region", "suspended", "identity")
KINDS = click.Choice([kind.value for kind in PeerKind])


@click.group()
def peer() -> None:
    """Peers: the organisations the hub knows.

    Example: cybex peer list
    """


@peer.command()
@click.argument("handle")
@click.option("--name", required=True, help="Its name, as others read it.")
@click.option("--kind", type=KINDS, default=PeerKind.NATIONAL.value, show_default=True)
@click.option("--identity", help="Its STIX identity id, when it has one already; a new one without it.")
@click.option("--country", help="Two capital letters (ISO 3166-1).")
@click.option("--region", type=click.Choice(ITU_REGIONS), help="ITU region.")
@data_option
@json_option
def add(
    handle: str,
    name: str,
    kind: str,
    identity: str | None,
    country: str | None,
    region: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make a peer known to the hub. HANDLE is its short name in URLs and user names.

    Example: cybex peer add aa --name "CIRT of Aaland" --country FI --region europe
    """
    made = service.add(
        open_hub_at(data),
        LOCAL_OPERATOR,
        handle=handle,
        name=name,
        kind=PeerKind(kind),
        identity=identity,
        country=country,
        itu_region=region,
    )
    print_one(resources.peer(made), as_json=as_json)


@peer.command("list")
@data_option
@json_option
def list_(data: Path | None, as_json: bool) -> None:
    """List all peers.

    Example: cybex peer list --json
    """
    rows = [resources.peer(row) for row in service.listed(open_hub_at(data), LOCAL_OPERATOR)]
    print_rows(rows, COLUMNS, as_json=as_json)


@peer.command()
@click.argument("handle")
@data_option
@json_option
def show(handle: str, data: Path | None, as_json: bool) -> None:
    """Show one peer.

    Example: cybex peer show aa
    """
    print_one(resources.peer(service.shown(open_hub_at(data), LOCAL_OPERATOR, handle)), as_json=as_json)


@peer.command()
@click.argument("handle")
@click.option("--name", help="New name.")
@click.option("--kind", type=KINDS, help="New kind.")
@click.option("--country", help="New country; an empty text removes it.")
@click.option("--region", type=click.Choice(["", *ITU_REGIONS]), help="New ITU region; an empty text removes it.")
@click.option(
    "--quantum-safe", type=click.Choice([each.value for each in QuantumSafe]), help="A second signature with ML-DSA-65."
)
@data_option
@json_option
def update(
    handle: str,
    name: str | None,
    kind: str | None,
    country: str | None,
    region: str | None,
    quantum_safe: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Change what is given and leave the rest. Handle and identity never change.

    Example: cybex peer update aa --name "Aaland National CIRT"
    """
    changed = service.update(
        open_hub_at(data),
        LOCAL_OPERATOR,
        handle,
        name=... if name is None else name,
        kind=... if kind is None else PeerKind(kind),
        country=... if country is None else country or None,
        itu_region=... if region is None else region or None,
        quantum_safe=... if quantum_safe is None else quantum_safe,
    )
    print_one(resources.peer(changed), as_json=as_json)


@peer.command()
@click.argument("handle")
@data_option
@json_option
def suspend(handle: str, data: Path | None, as_json: bool) -> None:
    """Refuse every credential of a peer, at once, until it is restored.

    Example: cybex peer suspend aa
    """
    changed = service.update(open_hub_at(data), LOCAL_OPERATOR, handle, suspended=True)
    print_one(resources.peer(changed), as_json=as_json)


@peer.command()
@click.argument("handle")
@data_option
@json_option
def restore(handle: str, data: Path | None, as_json: bool) -> None:
    """Let a suspended peer in again.

    Example: cybex peer restore aa
    """
    changed = service.update(open_hub_at(data), LOCAL_OPERATOR, handle, suspended=False)
    print_one(resources.peer(changed), as_json=as_json)
