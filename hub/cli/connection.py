"""The options with which a CIRT's commands reach a hub: address, credential, what to trust.

A secret comes from a file or the environment, never from the command line, where every user of the machine sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hub.client.transport import Login, Transport, check_address
from hub.errors import ConfigError

_FILE = click.Path(path_type=Path, dir_okay=False)

_OPTIONS = (
    click.option("--url", required=True, envvar="CYBEX_CLIENT_URL", help="API root: https://hub.example/alpha/"),
    click.option("--collection", default="incidents", show_default=True, help="Collection, by id or alias."),
    click.option("--token-file", type=_FILE, help="File that holds a bearer token (or CYBEX_CLIENT_TOKEN)."),
    click.option("--username", envvar="CYBEX_CLIENT_USERNAME", help="User name for HTTP Basic."),
    click.option("--password-file", type=_FILE, help="File that holds the password (or CYBEX_CLIENT_PASSWORD)."),
    click.option("--certificate", type=_FILE, help="Client certificate, PEM; with --certificate-key."),
    click.option("--certificate-key", type=_FILE, help="Key of the client certificate, PEM."),
    click.option("--ca", type=_FILE, help="Certification authority to trust instead of the system's, PEM."),
    click.option("--allow-http", is_flag=True, help="Permit plain http to other machines (private networks only)."),
    click.option("--token", envvar="CYBEX_CLIENT_TOKEN", hidden=True, expose_value=True),
    click.option("--password", envvar="CYBEX_CLIENT_PASSWORD", hidden=True, expose_value=True),
)


def connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which hands them all to `transport`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def optional_connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same options to a command that works on the hub's own machine when there is no --url."""
    address = click.option("--url", envvar="CYBEX_CLIENT_URL", help="API root of a hub: https://hub.example/alpha/")
    for option in (*reversed(_OPTIONS[1:]), address):
        command = option(command)
    return command


def transport(options: dict[str, Any], notice: Callable[[str], None]) -> Transport:
    """Return a session with the hub. Raises ConfigError when the address or the credential cannot be used."""
    check_address(options["url"], allow_http=options["allow_http"])
    ca_file = str(options["ca"]) if options["ca"] is not None else None
    return Transport(login_of(options), allow_http=options["allow_http"], ca_file=ca_file, notice=notice)


def login_of(options: dict[str, Any]) -> Login:
    """Return the credential that the options give. Raises ConfigError when it cannot be used."""
    certificate, key = options["certificate"], options["certificate_key"]
    if (certificate is None) != (key is None):
        raise ConfigError("a client certificate and its key go together", field="certificate")
    return Login(
        token=_secret(options["token_file"]) or options["token"],
        username=options["username"],
        password=_secret(options["password_file"]) or options["password"],
        certificate=(str(certificate), str(key)) if certificate is not None else None,
    )


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read") from None
    if not text:
        raise ConfigError(f"{path} is empty")
    return text
