"""``cybex peer``: the organisations the hub knows."""

from __future__ import annotations

from pathlib import Path
from types import EllipsisType

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import data_option, json_option, print_one, print_rows
from hub.domain.membership import PeerKind, QuantumSafe
from hub.domain.naming import ITU_REGIONS
from hub.services import peers as service
from hub.services import quotas
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import quotas as quota_resources
from hub.web.api import resources

COLUMNS = ("handle", "name", "kind", "country", "itu_region", "suspended", "identity")
KINDS = click.Choice([kind.value for kind in PeerKind])
QUOTA_COLUMNS = ("peer", "objects_used", "objects_bound", "octets_used", "octets_bound", "resets_at")


class _Quota(click.ParamType[int | str]):
    name = "number"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """Return the number; an empty text stays one."""
        if value == "":
            return value
        if not value.isascii() or not value.isdigit() or len(value) > 16:
            self.fail("a whole number, or an empty text for the hub's own bound", param, ctx)
        return int(value)


QUOTA = _Quota()


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
@data_option
@json_option
def welcome(handle: str, data: Path | None, as_json: bool) -> None:
    """Make an author whom another hub introduced a peer of this one, which then answers for its keys.

    Example: cybex peer welcome dd-at-hub-b
    """
    print_one(resources.peer(service.welcome(open_hub_at(data), LOCAL_OPERATOR, handle)), as_json=as_json)


@peer.command()
@click.argument("handle")
@click.option("--name", help="New name.")
@click.option("--kind", type=KINDS, help="New kind.")
@click.option("--country", help="New country; an empty text removes it.")
@click.option("--region", type=click.Choice(["", *ITU_REGIONS]), help="New ITU region; an empty text removes it.")
@click.option(
    "--quantum-safe", type=click.Choice([each.value for each in QuantumSafe]), help="A second signature with ML-DSA-65."
)
@click.option("--quota-objects", type=QUOTA, help="Objects it may hand in within an hour; an empty text: the default.")
@click.option("--quota-octets", type=QUOTA, help="Octets it may hand in within an hour; an empty text: the default.")
@data_option
@json_option
def update(
    handle: str,
    name: str | None,
    kind: str | None,
    country: str | None,
    region: str | None,
    quantum_safe: str | None,
    quota_objects: int | str | None,
    quota_octets: int | str | None,
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
        quota_objects=_quota(quota_objects),
        quota_octets=_quota(quota_octets),
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


@peer.command("quota")
@click.argument("handle", required=False)
@data_option
@json_option
def quota(handle: str | None, data: Path | None, as_json: bool) -> None:
    """Show what each peer, or one, has handed in within this hour, and what it may.

    Example: cybex peer quota aa
    """
    hub = open_hub_at(data)
    if handle is not None:
        found = quotas.shown(hub, LOCAL_OPERATOR, handle)
        print_one(quota_resources.flat(quota_resources.standing(found, hub.clock())), as_json=as_json)
        return
    rows = [quota_resources.standing(one, hub.clock()) for one in quotas.listed(hub, LOCAL_OPERATOR)]
    print_rows([quota_resources.flat(row) for row in rows], QUOTA_COLUMNS, as_json=as_json)


def _quota(value: int | str | None) -> int | EllipsisType | None:
    """Return the change: nothing given is none, an empty text is the hub's own bound."""
    if value is None:
        return ...
    return None if isinstance(value, str) else value
