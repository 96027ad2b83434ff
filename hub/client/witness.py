"""A witness of somebody else's log: sees that it only grows, says so under its own key, and hands that in.

The order makes it safe: what was seen is on disk before it is cosigned (C2SP tlog-witness), so that a witness that was
killed never cosigns two trees that contradict each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.client.tlog_memory import Remembered, remember
from hub.client.transport import Transport
from hub.domain import signed_note
from hub.domain.key_material import PrivateKey
from hub.domain.signed_note import COSIGNATURE, Note, VerifierKey
from hub.errors import ConfigError

_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns: a name like ``cirt.example/witness``, and a key that is used for nothing else."""

    name: str
    key: PrivateKey

    @property
    def verifier_key(self) -> VerifierKey:
        """What the log's operator registers. Raises SignatureError, InvalidRequest for a key or name that cannot be."""
        return signed_note.verifier_key(self.name, self.key.public, COSIGNATURE)


def watch(
    transport: Transport, url: str, state_file: Path, witness: Witness, *, now: int, log_key: VerifierKey | None = None
) -> Remembered:
    """Look at the log once; afterwards its checkpoint follows from the last one, and the log has our cosignature.

    :param now: seconds since the epoch.

    Raises:
        LogMisbehaved: nothing is cosigned, and the proof lies beside the state file.
        RemoteError: the log cannot be read, or does not take the cosignature.
        ConfigError: another witness uses the state file at this moment, or it is of another log.
    """
    with _alone(state_file):
        remembered = remember(transport, url, state_file, key=log_key)
        text = remembered.seen.checkpoint.text
        line = signed_note.cosigned(text, witness.name, witness.key, now)
        transport.hand_in(f"{url.rstrip('/')}/cosignatures", Note(text, (line,)).octets, content_type=_TEXT)
    return remembered


@contextmanager
def _alone(state_file: Path) -> Iterator[None]:
    """Keep every other witness from the state file: between reading and writing it, nobody else may cosign."""
    import fcntl  # not on every system; a witness runs where hubs do

    path = state_file.with_name(f"{state_file.name}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", field="state") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError("another witness is using this state file; give another", field="state") from None
        yield
    finally:
        os.close(handle)
