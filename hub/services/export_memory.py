"""What a process remembers of the exports it made: that nothing has changed since, and how many it is making."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hub.domain import limits
from hub.errors import Busy
from hub.store.export_state import State

Scope = tuple[object, ...]
"""Whose export of what: peer, collections, format, options."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An export that was made. :param until: from then on the same objects make another one; None is never.

    :param changed_at: when this content was first seen here; microseconds.
    """

    state: State
    until: int | None
    digest: str
    changed_at: int


@dataclass(slots=True)
class ExportMemory:
    """The exports of one process; bounded, and lost with it: then they are made once more."""

    _known: OrderedDict[Scope, Remembered] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(limits.EXPORTS_AT_ONCE)
    )

    def unchanged(self, scope: Scope, state: State, now: int) -> Remembered | None:
        """Return what was made of this state, if it would be the same now."""
        with self._lock:
            found = self._known.get(scope)
        if found is None or found.state != state or (found.until is not None and found.until <= now):
            return None
        return found

    def remember(self, scope: Scope, state: State, until: int | None, digest: str, now: int) -> Remembered:
        """Remember an export; it has changed at its making unless it is the same as the last one."""
        with self._lock:
            before = self._known.pop(scope, None)
            changed_at = before.changed_at if before is not None and before.digest == digest else now
            made = self._known[scope] = Remembered(state, until, digest, changed_at)
            while len(self._known) > limits.EXPORTS_REMEMBERED:
                self._known.popitem(last=False)
        return made

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one of the few places in which exports are made. Raises Busy when none is free in time."""
        if not self._turns.acquire(timeout=limits.EXPORT_PATIENCE_SECONDS):
            raise Busy("too many exports are being made; ask again")
        try:
            yield
        finally:
            self._turns.release()
