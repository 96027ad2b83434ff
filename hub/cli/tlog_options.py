"""The options of commands that follow a log over the network, which needs no credential; and how they cry out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from hub.client.tlog import LogMisbehaved
from hub.client.transport import Transport, check_address
from hub.domain.signed_note import VerifierKey, parse_key
from hub.errors import InvalidRequest

MISBEHAVED: Final = 3
"""Exit code when the log has been caught: not 1, which a bad line or a full disk gives too."""

_FILE = click.Path(path_type=Path, dir_okay=False)

_OPTIONS = (
    click.option("--url", help="Where the log is: https://hub.example/tlog/"),
    click.option("--state", type=_FILE, help="File in which the log's key and checkpoint are remembered."),
    click.option(
        "--log-key", help="The log's verifier key, name+id+base64; without it the first one seen is believed."
    ),
    click.option("--ca", type=_FILE, help="Certification authority to trust instead of the system's, PEM."),
    click.option("--allow-http", is_flag=True, help="Permit plain http to other machines (private networks only)."),
)


def tlog_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def required(url: str | None, state: Path | None) -> tuple[str, Path]:
    """Return address and state file. Raises InvalidRequest when one was not given."""
    if url is None:
        raise InvalidRequest("say where the log is: --url https://hub.example/tlog/", field="url")
    if state is None:
        raise InvalidRequest("give a file in which the log is remembered: --state hub.log", field="state")
    return url, state


def transport(url: str, *, ca: Path | None, allow_http: bool) -> Transport:
    """Return a session with the log. Raises ConfigError when the address cannot be used."""
    check_address(url, allow_http=allow_http)
    ca_file = None if ca is None else str(ca)
    return Transport(None, allow_http=allow_http, ca_file=ca_file, notice=lambda text: click.echo(text, err=True))


def given_key(text: str | None) -> VerifierKey | None:
    """Return the key of --log-key. Raises InvalidRequest."""
    return None if text is None else parse_key(text)


@contextmanager
def crying_out() -> Iterator[None]:
    """End the command with `MISBEHAVED` and one line that cannot be taken for a passing trouble."""
    try:
        yield
    except LogMisbehaved as error:
        click.echo(f"ALARM: {error.title}: {error.detail}", err=True)
        click.echo(
            "Keep these files, cosign nothing, and ask the hub's operator by another way than the hub.", err=True
        )
        sys.exit(MISBEHAVED)
