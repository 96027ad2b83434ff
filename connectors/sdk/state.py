"""A connector's folder: who runs it now, how it is, and the reports of its last runs. Nobody else may read it.

Every file is whole or as it was: written aside, synced, renamed.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from connectors.sdk import limits
from connectors.sdk.breaker import Breaker, State
from hub.errors import ConfigError, Conflict

STATUS: Final = "status.json"
RUNS: Final = "runs"
OWN: Final = "own"
"""The subfolder that is lent to the connector; the rest is the runner's."""

_RUN: Final = re.compile(r"[0-9]{20}-[0-9a-f-]{36}\.json")


class Status(msgspec.Struct, frozen=True):
    """How a connector is. Times are microseconds since the epoch.

    :param failures: in a row. :param lag_seconds: how far behind it was when it ended: 0 when nothing was left.
    :param objects: of all runs, as the two after it.
    """

    state: State = State.NEW
    run: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    last_success_at: int | None = None
    last_error: str | None = None
    failures: int = 0
    retry_at: int | None = None
    lag_seconds: int | None = None
    objects: int = 0
    withdrawn: int = 0
    refused: int = 0

    @property
    def breaker(self) -> Breaker:
        """What decides when it is tried again."""
        return Breaker(self.failures, self.retry_at)


class Folder:
    """The folder of one connector."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Leave the folder there, readable by its owner only. Raises ConfigError."""
        try:
            for each in (self.path, self.path / RUNS, self.path / OWN):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
                each.chmod(0o700)
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be made: {error.strerror}") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only run of this connector; the lock ends with the process. Raises Conflict while another one runs."""
        with (self.path / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"the connector {self.path.name} is running already; wait for its end") from None
            yield

    def status(self) -> Status:
        """Return how it is; that of one that has never run when there is nothing, or nothing readable."""
        try:
            return msgspec.json.decode((self.path / STATUS).read_bytes(), type=Status)
        except (OSError, msgspec.MsgspecError):
            return Status()

    def save(self, status: Status) -> None:
        """Keep how it is."""
        _write(self.path / STATUS, msgspec.json.encode(status))

    def keep_run(self, record: dict[str, Any]) -> None:
        """Keep the record of a run, and drop the oldest ones."""
        name = f"{record['started_at']:020d}-{record['run']}.json"
        _write(self.path / RUNS / name, orjson.dumps(record, option=orjson.OPT_INDENT_2))
        for old in self._runs()[: -limits.RUNS_KEPT]:
            old.unlink(missing_ok=True)

    def run(self, begins: str | None = None) -> dict[str, Any]:
        """Return the record of a run, the last one unless its id, or how it begins, is given. Raises ConfigError."""
        found = [path for path in self._runs() if begins is None or path.name[21:].startswith(begins.lower())]
        if not found or (begins is not None and len(found) != 1):
            raise ConfigError(
                f"there is no such run of {self.path.name}, or more than one; see cybex connector report --list"
            )
        return _record(found[-1])

    def runs(self) -> list[dict[str, Any]]:
        """Return the records of the last runs, oldest first."""
        return [_record(path) for path in self._runs()]

    def _runs(self) -> list[Path]:
        try:
            return sorted(path for path in (self.path / RUNS).iterdir() if _RUN.fullmatch(path.name))
        except OSError:
            return []


def _record(path: Path) -> dict[str, Any]:
    try:
        record = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raise ConfigError(f"{path} is damaged; remove it") from None
    if not isinstance(record, dict):
        raise ConfigError(f"{path} is damaged; remove it")
    return record


def _write(path: Path, data: bytes) -> None:
    aside = path.with_name(path.name + ".part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
