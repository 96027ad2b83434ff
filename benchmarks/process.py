"""Starts a server for one run, waits until it listens, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def listening(
    command: Sequence[str], *, port: int, log: Path, cwd: Path, variables: Mapping[str, str]
) -> Iterator[int]:
    """Give the id of a process that listens on the port; it is gone afterwards.

    :param variables: added to the environment.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command), env={**os.environ, **variables}, stdout=output, stderr=subprocess.STDOUT, cwd=cwd
        )
    try:
        wait_for_port(port)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, *, seconds: float = 30.0) -> None:
    """Return when something listens on the port. Raises RuntimeError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port} after {seconds:.0f} s")
