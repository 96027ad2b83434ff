"""``cybex credential``: how a peer proves who it is. Secrets are shown once, on standard output."""

from __future__ import annotations

from pathlib import Path

import click

from hub.bootstrap import open_hub_at
from hub.cli.output import INSTANT, data_option, json_option, print_one, print_rows
from hub.domain.membership import CredentialKind, Role
from hub.services import credentials as service
from hub.services.actor import LOCAL_OPERATOR
from hub.web.api import resources

COLUMNS = ("id", "kind", "role", "username", "label", "expires_at", "revoked_at", "last_used_at")


@click.group()
def credential() -> None:
    """Credentials of a peer.

    Example: cybex credential list aa
    """


@credential.command()
@click.argument("handle", metavar="PEER")
@click.option("--kind", type=click.Choice([kind.value for kind in CredentialKind]), default="basic", show_default=True)
@click.option("--role", type=click.Choice([role.value for role in Role]), default="analyst", show_default=True)
@click.option("--label", default="made with cybex credential add", help="What it is for, such as the program's name.")
@click.option("--username", help="Of basic: the handle, a dot, and more; made up without it.")
@click.option("--fingerprint", help="Of certificate: SHA-256 of the certificate, as `openssl x509` prints it.")
@click.option("--expires", type=INSTANT, help="Date or time; 400 days from now without it.")
@click.option("--never-expires", is_flag=True, help="It lives until it is revoked.")
@data_option
@json_option
def add(
    handle: str,
    kind: str,
    role: str,
    label: str,
    username: str | None,
    fingerprint: str | None,
    expires: int | None,
    never_expires: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make a credential and print its secret, which nobody can show again.

    Example: cybex credential add aa --role feed --kind bearer --label misp --expires 2027-06-30
    """
    issued = service.add(
        open_hub_at(data),
        LOCAL_OPERATOR,
        handle,
        kind=CredentialKind(kind),
        role=Role(role),
        label=label,
        username=username,
        fingerprint=fingerprint,
        expires_at=expires,
        never_expires=never_expires,
    )
    print_one(resources.issued(issued), as_json=as_json)
    if issued.secret is not None:
        click.echo("Hand the secret over now: it is not kept and cannot be shown again.", err=True)


@credential.command("list")
@click.argument("handle", metavar="PEER")
@data_option
@json_option
def list_(handle: str, data: Path | None, as_json: bool) -> None:
    """List the credentials of a peer, revoked ones too.

    Example: cybex credential list aa
    """
    _, rows = service.listed(open_hub_at(data), LOCAL_OPERATOR, handle)
    print_rows([resources.credential(row) for row in rows], COLUMNS, as_json=as_json)


@credential.command()
@click.argument("handle", metavar="PEER")
@click.argument("number", type=click.IntRange(1, 10**18), metavar="ID")
@data_option
@json_option
def revoke(handle: str, number: int, data: Path | None, as_json: bool) -> None:
    """Refuse a credential from the next request on. ID is what `cybex credential list` shows.

    Example: cybex credential revoke aa 7
    """
    row = service.revoke(open_hub_at(data), LOCAL_OPERATOR, handle, number)
    print_one(resources.credential(row), as_json=as_json)
