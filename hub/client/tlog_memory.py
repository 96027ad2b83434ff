"""What a client remembers of a log: its key, and the last checkpoint; whatever comes later has to follow from them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from hub.client import tlog
from hub.client.tlog import LogMisbehaved, Seen
from hub.client.transport import Transport
from hub.domain.canonical import parse
from hub.domain.checkpoint import Checkpoint
from hub.domain.signed_note import VerifierKey, parse_key
from hub.errors import ConfigError, CybexError, MalformedJson

MAX_FILE: Final = 1024 * 1024
"""Octets of a state file: a key and one note, which has at most 256 KiB."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The latest checkpoint, which follows from the one before; None when this was the first."""

    seen: Seen
    before: Checkpoint | None


def remember(transport: Transport, url: str, state_file: Path, *, key: VerifierKey | None = None) -> Remembered:
    """Return the log's latest checkpoint once it is known to follow from the remembered one, and remember it.

    When this returns, the state file is on disk. When the log misbehaves, the file stays as it was, and the notes that
    prove it lie beside it (``….evidence-…``). Without a key, the one the hub names at first sight is believed from then
    on: compare it with the operator once, by another way.

    Raises:
        LogMisbehaved: as `hub.client.tlog` says. RemoteError: the log cannot be read.
        ConfigError: the file is unreadable, or of another log.
    """
    known = _load(state_file)
    if known is not None and (known[0] != url or (key is not None and known[1].text != key.text)):
        raise ConfigError(f"{state_file} remembers another log or key; give another file", field="state")
    believed = key or (known[1] if known is not None else tlog.log_key(transport, url))
    before = None
    try:
        latest = tlog.fetch(transport, url, believed)
        if known is not None:
            old = tlog.seen(known[2], believed)
            tlog.check_consistent(transport, url, old, latest)
            before = old.checkpoint
    except LogMisbehaved as error:
        kept = _keep(state_file, ([] if known is None else [known[2]]) + list(error.evidence))
        raise type(error)(f"{error.detail}; the proof is in {kept}", *error.evidence) from None
    _write(state_file, _state(url, latest))
    return Remembered(latest, before)


def _state(url: str, latest: Seen) -> bytes:
    kept = {"url": url, "verifier_key": latest.key.text, "note": latest.note.decode()}
    return orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _load(path: Path) -> tuple[str, VerifierKey, bytes] | None:
    """Return address, key and note; None when there is no file yet."""
    try:
        with path.open("rb") as file:
            state = parse(file.read(MAX_FILE))
    except FileNotFoundError:
        return None
    except (OSError, MalformedJson):
        raise ConfigError(f"{path} is no file in which a log is remembered", field="state") from None
    try:
        if not isinstance(state, dict):
            raise TypeError
        return str(state["url"]), parse_key(str(state["verifier_key"])), str(state["note"]).encode()
    except (KeyError, TypeError, CybexError):
        raise ConfigError(f"{path} is no file in which a log is remembered", field="state") from None


def _keep(state_file: Path, notes: list[bytes]) -> str:
    """Leave each note in a file of its own beside the state file; return their names."""
    names = []
    for note in dict.fromkeys(notes):
        path = state_file.with_name(f"{state_file.name}.evidence-{hashlib.sha256(note).hexdigest()[:16]}")
        _write(path, note)
        names.append(str(path))
    return ", ".join(names)


def _write(path: Path, data: bytes) -> None:
    """Leave the file whole or as it was: written aside, synced, then renamed over."""
    aside = path.with_name(f"{path.name}.part-{os.getpid()}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", field="state") from None
