"""``cybex gateway``: a TAXII address on this machine that signs for a system which cannot, and hands on to a hub."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from hub.cli.connection import connection_options, login_of
from hub.cli.serve import HEADER_MILLISECONDS, is_loopback
from hub.client import keyfile
from hub.client.gateway import Gateway, Voucher
from hub.client.transport import check_address
from hub.errors import ConfigError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--listen", default="127.0.0.1:8090", show_default=True, help="Address and port to listen on.")
@click.option("--key", "key_path", type=_FILE, required=True, help="The gateway's private key.")
@click.option("--second-key", "second_path", type=_FILE, help="Its quantum-safe key (ML-DSA-65).")
@click.option("--identity", help="STIX identity of the gateway's peer; default: the one beside the key.")
@click.option(
    "--for",
    "authors",
    multiple=True,
    required=True,
    metavar="IDENTITY",
    help="Vouch for objects by this author, and those that name none; may be given several times.",
)
@click.option(
    "--open-to-network", is_flag=True, help="Permit an address other than loopback; needs a login of its own."
)
@click.option("--login-file", type=_FILE, help="One line `user:password` that callers of the gateway must give.")
@connection_options
def gateway(
    listen: str,
    key_path: Path,
    second_path: Path | None,
    identity: str | None,
    authors: tuple[str, ...],
    open_to_network: bool,
    login_file: Path | None,
    **options: Any,
) -> None:
    """Hand TAXII requests on to a hub; what is posted without a signature gets the gateway's beside it.

    Point the system that cannot sign at http://127.0.0.1:8090/<group>/ instead of the hub. Readers see "vouched by" the
    gateway's peer, which needs the relay right for authors that are peers of the hub.

    Example: cybex gateway --url https://hub.example/alpha/ --token-file gw.token --key gw.pem --for identity--…
    """
    host, port = _address(listen)
    credential = _login(login_file)
    if not is_loopback(host) and not (open_to_network and credential is not None):
        raise ConfigError(
            "everybody who reaches this address could post in your name: listen on 127.0.0.1, or give --open-to-network"
            " and --login-file, and put a proxy that speaks TLS in front",
            field="listen",
        )
    check_address(options["url"], allow_http=options["allow_http"])
    key = keyfile.read(key_path)
    signer = identity or keyfile.identity_beside(key_path, key)
    if signer is None:
        raise click.UsageError("say who signs: --identity identity--... (there is none beside the key)")
    second = None if second_path is None else keyfile.read(second_path)
    application = Gateway(
        options["url"],
        login_of(options),
        Voucher(key, signer, frozenset(authors), second),
        hosts=frozenset({host, "localhost", "127.0.0.1", "::1"}),
        credential=credential,
        ca_file=None if options["ca"] is None else str(options["ca"]),
    )
    click.echo(f"listening on http://{listen}/ for {options['url']}, as {signer}", err=True)
    _serve(application, host, port)


def _serve(application: Gateway, host: str, port: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings

    server: Any = Granian(  # its class is generic over a private type
        target="hub.client.gateway:Gateway",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        websockets=False,
        log_enabled=False,
    )
    server.serve(target_loader=partial(_loaded, application), wrap_loader=False)


def _loaded(application: Gateway) -> Gateway:
    return application


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError("give an address and a port: 127.0.0.1:8090", field="listen")
    return host.strip("[]"), int(port)


def _login(path: Path | None) -> tuple[str, str] | None:
    if path is None:
        return None
    try:
        user, _, password = path.read_text(encoding="utf-8").strip().partition(":")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"it cannot be read: {type(error).__name__}", field="login_file") from None
    if not user or len(password) < 12:
        raise ConfigError(
            "write user:password on one line; the password has at least 12 characters", field="login_file"
        )
    return user, password
