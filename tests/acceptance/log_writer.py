"""Processes that write leaves and sign checkpoints as fast as they can, forked from a warm one, to be killed."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hub import config
from hub.bootstrap import open_hub
from hub.config import Settings
from hub.errors import Busy
from hub.services import checkpoints
from hub.services.context import Hub
from tests.services.log_world import write_leaves


class Writers:
    """The process that writers are forked from."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self) -> int:
        """Fork a writer and return its process id once it has written and signed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def writers(data: Path, environment: Mapping[str, str]) -> Iterator[Writers]:
    """Give a process that forks writers on this hub."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(data)],
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Writers(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def main(data: Path) -> None:
    """Fork a writer for each line of standard input, until it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    settings = config.load(data)
    open_hub(settings).db.close()  # everything is loaded, and no connection is open
    while sys.stdin.readline():
        if os.fork() == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            _write(settings)


def _write(settings: Settings) -> None:
    """Write in one thread and sign in another, until killed. Never returns."""
    hub = open_hub(settings)
    answer = os.dup(1)
    os.dup2(2, 1)  # what is logged goes nowhere
    _once(hub, 1)
    os.write(answer, f"{os.getpid()}\n".encode())

    def sign() -> None:
        while True:
            try:
                checkpoints.make(hub)
            except Busy:
                continue

    threading.Thread(target=sign, daemon=True).start()
    for count in itertools.count(os.getpid()):
        _once(hub, 1 + count * 37 % 300)


def _once(hub: Hub, count: int) -> None:
    try:
        write_leaves(hub, count)
        checkpoints.make(hub)
    except Busy:
        return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
