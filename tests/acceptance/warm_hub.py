"""Hub processes that start in milliseconds, so that a test can afford to kill many of them.

One warm process has everything imported and compiled, and no connection to the database. For each hub it forks the two
processes that `cybex serve` has, a web server and a worker, in a process group of their own; `kill -9` takes all of it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from hub import bootstrap, config, worker, wsgi
from hub.config import Settings
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas
from hub.web.app import create_app
from tests.acceptance.processes import Probe, free_port


class WarmHub:
    """A forked hub; it answers when this is returned by `WarmProcess.start`."""

    def __init__(self, process_group: int, base_url: str) -> None:
        self.process_group = process_group
        self.base_url = base_url

    def kill(self) -> None:
        """End web server and worker at once, as a power failure would."""
        os.killpg(self.process_group, signal.SIGKILL)


class WarmProcess:
    """The process that hubs are forked from."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self) -> WarmHub:
        """Fork a hub and return once it is ready."""
        port = free_port()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{port}\n")
        self._process.stdin.flush()
        process_group = int(self._process.stdout.readline())
        hub = WarmHub(process_group, f"http://127.0.0.1:{port}/")
        ready = Probe(f"{hub.base_url}readyz")
        while not ready():
            os.killpg(process_group, 0)  # it must be there
        return hub


@contextmanager
def warm_process(data: Path, environment: Mapping[str, str]) -> Iterator[WarmProcess]:
    """Give a process that forks hubs of this data directory; it and whatever is left of them is gone afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(data)],
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield WarmProcess(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def main(data: Path) -> None:
    """Fork a hub for each port that standard input names, until it ends; then kill those that still run."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    groups = []
    with mock.patch.object(bootstrap, "StixValidator", return_value=StixValidator(read_schemas())):
        _warm_up(config.load(data))
        while line := sys.stdin.readline():
            child = os.fork()
            if child == 0:
                os.setsid()
                os.write(1, f"{os.getpid()}\n".encode())
                _serve(data, int(line))
            groups.append(child)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _warm_up(settings: Settings) -> None:
    """Load what a hub needs for its first answer; no connection to the database is left open."""
    hub = bootstrap.open_hub(settings)
    assert create_app(hub).test_client().get("/readyz").status_code == 200
    hub.db.close()


def _serve(data: Path, port: int) -> None:
    """Be a hub: this process serves, its child works. Never returns."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *line: object) -> None:
            """The hub writes its own line."""

    os.close(0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    settings = config.load(data)
    if os.fork() == 0:
        worker.serve(settings)
        os._exit(0)
    make_server("127.0.0.1", port, wsgi.application(settings), threaded=True, request_handler=Handler).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
