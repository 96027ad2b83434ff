"""Which keys the readers of a group have seen at work: written when an object is stored, free once it is known."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.audience import Audience
from hub.domain.submission import Decided
from hub.store import key_shown as store

Shown = tuple[int, int, int]
"""Group, key and audience, by their ids in the database."""


def seen_in(group_id: int, served: Iterable[Decided], audience_ids: Mapping[Audience, int]) -> set[Shown]:
    """Return what the readers of a group see at work once these objects are stored."""
    found: set[Shown] = set()
    for item in served:
        attestation, audience = item.verified.attestation, item.verdict.audience
        if attestation is None or audience is None:
            continue
        for key in (attestation.key, attestation.second):
            if key is not None:
                found.add((group_id, key.id, audience_ids[audience]))
    return found


class ShownKeys:
    """What this process has found stored in `key_shown`, so that nothing is asked for an object of a known key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored: set[Shown] = set()

    def note(self, tx: Connection, seen: set[Shown]) -> None:
        """Write what is new. Another transaction may have to end first, so call it before the lock of the log."""
        new = seen - self._stored
        if not new:
            return
        # What this transaction writes may still be rolled back: it is remembered when it is found stored next time.
        found = {one for one in sorted(new) if not store.add(tx, *one)}
        with self._lock:
            if len(self._stored) > limits.SHOWN_KEYS_REMEMBERED:
                self._stored.clear()
            self._stored |= found
