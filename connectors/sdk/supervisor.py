"""Runs connectors by their schedules, each run a process of its own: what crashes, leaks or hangs ends only itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.sdk import config, limits
from connectors.sdk.breaker import SECOND, stagger
from connectors.sdk.config import Connector
from connectors.sdk.hub_side import jitter
from connectors.sdk.outcome import interrupted, stopped
from connectors.sdk.run import TIMED_OUT
from connectors.sdk.state import Folder, Status
from hub.errors import ConfigError

GRACE_SECONDS: Final = 30
"""A run ends itself when its time is over; after so many seconds more it is killed."""

FIRST_SECONDS: Final = 3
"""Before the first run: `cybex serve` starts the worker and the server together, and the hub has to be there."""

OUTPUT: Final = "output.log"

Notice = Callable[[str, str], None]
"""Is told (name of the connector, what happened)."""


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    started_at: int


class Supervisor:
    """The schedule of some connectors.

    :param command: gives the command line of one run of a connector.
    :param clock: microseconds since the epoch. :param show: the runs write to our standard error; else to a file in
        the connector's folder.
    """

    def __init__(
        self,
        connectors: Sequence[Connector],
        command: Callable[[str], Sequence[str]],
        *,
        clock: Callable[[], int],
        notice: Notice,
        show: bool = False,
    ) -> None:
        self._connectors = {one.name: one for one in connectors if one.table.enabled and one.every_seconds is not None}
        self._command, self._clock, self._notice, self._show = command, clock, notice, show
        self._born = clock()
        self._running: dict[str, _Running] = {}

    @property
    def names(self) -> list[str]:
        """The connectors that have a schedule."""
        return sorted(self._connectors)

    @property
    def running(self) -> list[str]:
        """Those of them that run now."""
        return sorted(self._running)

    def tick(self) -> None:
        """Record the runs that have ended, kill those that do not end, start those that are due."""
        now = self._clock()
        for name in list(self._running):
            self._look_after(name, now)
        for name, connector in self._connectors.items():
            if len(self._running) >= limits.PARALLEL_RUNS:
                return
            if name not in self._running and now >= self.due_at(connector):
                self._start(connector, now)

    def due_at(self, connector: Connector) -> int:
        """Return when a connector runs next, in microseconds since the epoch."""
        return due_at(Folder(connector.folder).status(), connector, self._born)

    def stop(self, seconds: float) -> None:
        """End every run: ask, wait so long for all together, then kill. What they had done is kept."""
        for one in self._running.values():
            _signal(one.process, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        for name, one in self._running.items():
            try:
                one.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(one.process, signal.SIGKILL)
                one.process.wait()
            stopped(Folder(self._connectors[name].folder), now=self._clock())
        self._running.clear()

    def _start(self, connector: Connector, now: int) -> None:
        folder = Folder(connector.folder)
        folder.make()
        with _output(folder.path, show=self._show) as output:
            process = subprocess.Popen(  # noqa: S603 - our own program, and a name out of the configuration
                [*self._command(connector.name)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # so that it can be killed with all it starts
            )
        self._running[connector.name] = _Running(process, now)

    def _look_after(self, name: str, now: int) -> None:
        one, connector = self._running[name], self._connectors[name]
        code = one.process.poll()
        if code is None:
            if now - one.started_at > (connector.table.max_seconds + GRACE_SECONDS) * SECOND:
                _signal(one.process, signal.SIGKILL)
                one.process.wait()
                self._ended(name, "it did not end and was killed")
            return
        self._ended(name, _how(code))

    def _ended(self, name: str, how: str) -> None:
        one = self._running.pop(name)
        folder = Folder(self._connectors[name].folder)
        why = how if self._show else f"{how}; see {folder.path / OUTPUT}"
        interrupted(folder, why, since=one.started_at, now=self._clock(), jitter=jitter())
        status = folder.status()
        self._notice(name, status.state.value if status.last_error is None else status.last_error)


def configured(
    tables: Mapping[str, Mapping[str, Any]], file: Path, problem: Callable[[str, ConfigError], None]
) -> list[Connector]:
    """Return the connectors of a file that are right; the others are reported, and stop none.

    :param problem: is told (name of the connector, what is wrong).
    """
    found = []
    for name, table in tables.items():
        try:
            found.append(config.read(name, config.tables({name: table})[name], file.parent))
        except ConfigError as error:
            problem(name, error)
    return found


def due_at(status: Status, connector: Connector, born: int) -> int:
    """Return when a connector is due.

    :param born: when its schedule began to be looked after, microseconds since the epoch.
    """
    every = (connector.every_seconds or 0) * SECOND
    first = born + FIRST_SECONDS * SECOND + stagger(connector.name, every)
    if status.failures and status.retry_at is not None:
        return max(status.retry_at, born)
    if status.started_at is None:
        return first
    following = status.started_at + every
    return following if following >= born else first


def command(file: Path, *more: str) -> Callable[[str], Sequence[str]]:
    """Return how one run is started with this interpreter; it ends with the process that started it."""
    parent = str(os.getpid())
    start = [sys.executable, "-m", "hub.cli", "connector", "run"]
    return lambda name: [*start, name, "--config", str(file), "--parent", parent, *more]


@contextmanager
def _output(path: Path, *, show: bool) -> Iterator[int | None]:
    """Give the file that a run writes to, emptied; None for our own standard error."""
    if show:
        yield None
        return
    file = os.open(path / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a run and all it has started; it may be gone already."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _how(code: int) -> str:
    if code == TIMED_OUT:
        return "it took too long and was ended"
    return f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}"
