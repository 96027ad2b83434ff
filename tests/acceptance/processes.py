"""Real hub processes for tests: made by `cybex init`, started by `cybex serve`, ready when `/readyz` says so."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

START_SECONDS = 60.0
"""Generous: a start takes about two seconds on an idle machine, and tests share theirs."""

STOP_SECONDS = 30.0
KILLS = int(os.environ.get("CYBEX_TEST_KILLS", "10"))
"""How often each of the tests that kill a hub over and over does so: enough for every change; 25 for a release."""

BIN = Path(sys.executable).parent


@dataclass
class RunningProcess:
    """A process and what it has written so far; standard error is read as it comes, so that no pipe fills up."""

    process: subprocess.Popen[bytes]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        """Everything written so far."""
        return "\n".join(self.lines)

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Ask it to stop, and return its exit code; kill it when it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not stop in {STOP_SECONDS:.0f} s:\n{self.log}") from None
        self._reader.join(5)
        return self.process.returncode

    def kill(self) -> None:
        """End it and everything it has started, at once, as a power failure would."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.process.wait()

    def wait_until(self, ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Return once it is ready; fail, with what it wrote, when it ends before or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                self._reader.join(5)
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.log}")
            if time.monotonic() > deadline:
                raise AssertionError(f"it was not ready in {seconds:.0f} s:\n{self.log}")
            time.sleep(0.02)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))


@dataclass(frozen=True)
class Probe:
    """Asks a URL whether it answers 200."""

    url: str
    verify: str | bool = True

    def __call__(self) -> bool:
        try:
            return requests.get(self.url, timeout=5, verify=self.verify).status_code == 200
        except requests.RequestException:
            return False


@dataclass(frozen=True)
class Operator:
    """The credential `cybex init` showed."""

    username: str
    password: str


@dataclass
class RunningHub:
    """A hub that answers.

    :param base_url: with a slash at the end.
    """

    base_url: str
    data_dir: Path
    operator: Operator
    running: RunningProcess
    environment: Mapping[str, str]

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of `cybex serve`."""
        return self.running.process

    def cybex(self, *arguments: str) -> str:
        """Run a `cybex` command on this hub's data; return what it prints."""
        return cybex(*arguments, data=self.data_dir, environment=self.environment)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(database_url: str | None = None, **more: str) -> dict[str, str]:
    """Return this process's environment without any setting of a hub, apart from these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CYBEX_", "PROMETHEUS_"))}
    if database_url is not None:
        kept["CYBEX_DATABASE_URL"] = database_url
    return {**kept, **more}


def cybex(*arguments: str, data: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a `cybex` command to its end; return what it prints, fail when it does."""
    done = run_cybex(*arguments, data=data, environment=environment)
    assert done.returncode == 0, f"cybex {arguments[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_cybex(
    *arguments: str, data: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a `cybex` command to its end, whatever that is."""
    return subprocess.run(
        [BIN / "cybex", *arguments, "--data", data],
        env=dict(environment or clean_environment()),
        capture_output=True,
        text=True,
        timeout=120,
    )


def start(command: list[str | Path], environment: Mapping[str, str]) -> RunningProcess:
    """Start a process in a group of its own, so that it can be killed with all it starts."""
    process = subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    return RunningProcess(process)


def init_hub(data: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Operator:
    """Make a hub in a directory; return its operator."""
    made = json.loads(cybex("init", "--json", *arguments, data=data, environment=environment))
    return Operator(made["operator"]["username"], made["operator"]["password"])


def serve_hub(
    data: Path,
    port: int,
    environment: Mapping[str, str],
    *arguments: str,
    scheme: str = "http",
    verify: str | bool = True,
) -> RunningProcess:
    """Start `cybex serve` and return once it is ready. :param arguments: more of the command."""
    running = start([BIN / "cybex", "serve", "--data", data, "--port", str(port), *arguments], environment)
    try:
        running.wait_until(Probe(f"{scheme}://127.0.0.1:{port}/readyz", verify))
    except AssertionError:
        running.kill()
        raise
    return running


@contextmanager
def running_hub(
    tmp_path: Path,
    database_url: str | None = None,
    *arguments: str,
    scheme: str = "http",
    verify: str | bool = True,
    **settings: str,
) -> Iterator[RunningHub]:
    """Give a hub made in ``tmp_path/hub`` that answers on a free port; stop it at the end, and see that it stops well.

    :param database_url: None is SQLite.
    :param arguments: for `cybex init`.
    :param settings: environment of the process, such as ``CYBEX_SYNC_CONTENT_LENGTH="4096"``.
    """
    environment = clean_environment(database_url, **settings)
    data, port = tmp_path / "hub", free_port()
    operator = init_hub(data, *arguments, environment=environment)
    running = serve_hub(data, port, environment, scheme=scheme, verify=verify)
    try:
        yield RunningHub(f"{scheme}://127.0.0.1:{port}/", data, operator, running, environment)
    finally:
        if running.process.poll() is None:
            assert running.stop() == 0, running.log
