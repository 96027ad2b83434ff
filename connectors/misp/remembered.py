"""What was sent of each event: so that only what changed is sent again, and what is gone is withdrawn.

One file per event in the connector's folder. A file knows two states, that of the run that wrote it and the one before,
because it is written before the hub has answered: which of them counts is settled by the bookmark of the next run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from connectors.misp.mapping.shape import UUID, timestamp
from connectors.sdk.exchange import StixObject
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.domain.canonical import jcs, parse, sha256_hex
from hub.domain.stix import SCO_TYPES, instant_us
from hub.errors import MalformedJson

State = dict[str, list[str]]
"""STIX id -> [digest of everything but ``modified``, ``modified`` or empty]."""

_NEVER_WITHDRAWN: Final = ("identity--", "marking-definition--")
"""Other events are by the same organisation and carry the same markings."""


class Remembered:
    """The states of the events of one source.

    :param run: the last run whose batches the hub has answered for; 0 forgets everything.
    """

    def __init__(self, folder: Path, run: int) -> None:
        self._folder, self._journal, self._run = folder / "events", folder / "unanswered", run
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if run == 0:
            for path in self._folder.glob("*.json"):
                path.unlink()
        elif self._journal.exists():
            for name in self._journal.read_text(encoding="ascii").split():
                self._roll_back(name)
        self._journal.unlink(missing_ok=True)

    def events(self) -> set[str]:
        """Return the uuids of events of which something was sent."""
        names = {path.stem for path in self._folder.glob("*.json") if UUID.fullmatch(path.stem)}
        return {name for name in names if self.state(name)}

    def state(self, event: str) -> State:
        """Return what the hub has answered for."""
        kept = self._read(event)
        state = {} if kept is None else kept["objects"] if kept["run"] <= self._run else kept["before"]
        return {str(name): list(value) for name, value in state.items()}

    def seen(self, event: str, at: int) -> bool:
        """Say whether an event was looked at since that instant, whatever became of it."""
        kept = self._read(event)
        return kept is not None and kept["run"] <= self._run and kept["at"] == at

    def changes(self, event: str, objects: Sequence[StixObject], report: Report) -> tuple[list[StixObject], State]:
        """Return the objects that are new or changed since, and the state once they are sent.

        An object that changed though its event kept its timestamp (a sighting, another configuration) gets the next
        version: one version has one content.
        """
        before, after, fresh = self.state(event), {}, []
        for one in objects:
            digest = sha256_hex(jcs({name: value for name, value in one.items() if name != "modified"}))[:32]
            modified = str(one.get("modified", ""))
            known = before.get(one["id"])
            if known is not None and known[0] == digest:
                after[one["id"]] = known
                continue
            if known is not None and modified and instant_us(known[1]) >= instant_us(modified):
                modified = _next(known[1])
                report.guessed("Event.timestamp", "modified", "it changed without a new timestamp; one millisecond on")
                one = {**one, "modified": modified}
            after[one["id"]] = [digest, modified]
            fresh.append(one)
        return fresh, after

    def gone(self, event: str, after: Mapping[str, Any]) -> list[str]:
        """Return the ids that were sent of an event and are not in it any more, nor in another one."""
        left = [one for one in self.state(event) if one not in after and not one.startswith(_NEVER_WITHDRAWN)]
        shared = {one for one in left if one.split("--")[0] in SCO_TYPES}
        if shared:
            shared &= self._elsewhere(event, shared)
        return [one for one in left if one not in shared]

    def keep(self, event: str, state: State, run: int, at: int) -> None:
        """Write the state that counts once the hub has answered for a run. Atomic."""
        before = self.state(event)
        with self._journal.open("a", encoding="ascii") as file:
            file.write(f"{event}\n")
        self._write(event, {"run": run, "at": at, "objects": state, "before": before})

    def _roll_back(self, event: str) -> None:
        """Forget what was written for a run that the hub never answered for."""
        kept = self._read(event) if UUID.fullmatch(event) else None
        if kept is not None and kept["run"] > self._run:
            self._write(event, {"run": self._run, "at": -1, "objects": kept["before"], "before": {}})

    def _elsewhere(self, event: str, ids: Iterable[str]) -> set[str]:
        wanted, found = set(ids), set()
        for path in self._folder.glob("*.json"):
            if path.stem != event:
                text = path.read_text(encoding="utf-8")
                found |= {one for one in wanted if f'"{one}"' in text}
        return found

    def _read(self, event: str) -> dict[str, Any] | None:
        try:
            kept = parse((self._folder / f"{event}.json").read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, MalformedJson):
            raise ConnectorError(
                "a file of the connector's own state cannot be read; remove it, and the event is sent again"
            ) from None
        if not isinstance(kept, dict) or not {"run", "at", "objects", "before"} <= kept.keys():
            raise ConnectorError(
                "a file of the connector's own state is not one; remove it, and the event is sent again"
            )
        return kept

    def _write(self, event: str, content: Mapping[str, Any]) -> None:
        write(self._folder / f"{event}.json", jcs(dict(content)))


def write(path: Path, octets: bytes) -> None:
    """Write a file so that it is there in full or as it was before."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise ConnectorError("the connector's folder cannot be written; check its owner and the disk") from None


def in_pieces(objects: Sequence[StixObject], size: int) -> Iterator[Sequence[StixObject]]:
    """Yield objects in pieces, at least one."""
    yield objects[:size]
    for start in range(size, len(objects), size):
        yield objects[start : start + size]


def _next(modified: str) -> str:
    instant = instant_us(modified) // 1000 + 1

    return f"{timestamp(instant // 1000)[:-4]}{instant % 1000:03d}Z"
