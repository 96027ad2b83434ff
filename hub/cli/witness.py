"""``cybex witness``: watch a hub's log from another machine, and cosign what it shows as long as it only grows."""

from __future__ import annotations

import time
from pathlib import Path

import click

from hub.cli.tlog_options import crying_out, given_key, required, tlog_options, transport
from hub.client import keyfile
from hub.client.tlog_memory import Remembered
from hub.client.transport import RemoteError
from hub.client.witness import Witness, watch
from hub.errors import InvalidRequest

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--key", type=_FILE, required=True, help="The witness's own Ed25519 key, PEM: cybex key new makes one.")
@click.option("--name", required=True, help="Name of the witness, like cirt.example/witness; the same for ever.")
@click.option("--every", type=click.IntRange(1, 86_400), help="Go on, looking every so many seconds; without it once.")
@click.option("--once", is_flag=True, help="Look once (the default).")
@click.option("--show-key", is_flag=True, help="Only print the verifier key that the log's operator registers.")
@tlog_options
def witness(
    key: Path,
    name: str,
    every: int | None,
    once: bool,
    show_key: bool,
    url: str | None,
    state: Path | None,
    log_key: str | None,
    ca: Path | None,
    allow_http: bool,
) -> None:
    """Check that the log at URL only grew since the last look, cosign its checkpoint and hand the cosignature in.

    Exit code 3: the log was rewound, or shows different things to different people. Both checkpoints then lie beside
    the state file, and nothing was cosigned.

    Example: cybex witness --url https://hub.example/tlog/ --name cirt.example/witness --key witness.pem --state hub.log
    """
    if once and every is not None:
        raise InvalidRequest("it goes on, or it looks once: give one of --once and --every", field="every")
    me = Witness(name, keyfile.read(key))
    public = me.verifier_key.text
    if show_key:
        click.echo(public)
        return
    url, state = required(url, state)
    session, believed = transport(url, ca=ca, allow_http=allow_http), given_key(log_key)
    with crying_out():
        while True:
            try:
                _tell(watch(session, url, state, me, now=int(time.time()), log_key=believed))
            except RemoteError as error:
                if every is None:
                    raise
                click.echo(f"{error.title}: {error.detail}", err=True)
            if every is None:
                return
            time.sleep(every)


def _tell(remembered: Remembered) -> None:
    size, before = remembered.seen.checkpoint.size, remembered.before
    if before is None:
        click.echo(f"first look: from now on this key is believed: {remembered.seen.key.text}", err=True)
    grown = "" if before is None else f", {size - before.size} more than last time"
    click.echo(f"cosigned {size} leaves of {remembered.seen.checkpoint.origin}{grown}")
