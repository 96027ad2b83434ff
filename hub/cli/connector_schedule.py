"""How a connector goes on by itself, and how a run that was started by something else ends with it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import click
import msgspec

from connectors.sdk import config as connector_config
from connectors.sdk.config import Connector
from connectors.sdk.hub_side import clock
from connectors.sdk.supervisor import Supervisor, command
from hub.errors import ConfigError

STOP_SECONDS = 10.0


def keep_running(one: Connector, place: Path, every: str, max_bytes: int | None) -> None:
    """Run a connector every so often until SIGTERM or SIGINT, each time in a process of its own."""
    try:
        connector_config.seconds(every)
    except ValueError as error:
        raise ConfigError(str(error), field="every") from None
    table = msgspec.structs.replace(one.table, every=every, enabled=True)
    connector = Connector(one.name, table, one.kind, one.settings, one.base, one.folder)
    more = [] if max_bytes is None else ["--max-bytes", str(max_bytes)]
    supervisor = Supervisor(
        [connector], command(place, *more), clock=clock, notice=lambda name, how: _say(f"{name}: {how}"), show=True
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.5):
        supervisor.tick()
    supervisor.stop(STOP_SECONDS)


def end_with(parent: int) -> None:
    """End this process soon after the one that started it is gone, however that ended, and when it asks."""
    # The worker waits for its signals with all of them blocked, and what it starts inherits that.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _say(text: str) -> None:
    click.echo(text, err=True)
