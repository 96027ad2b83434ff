"""Lets a request tell the worker of the same process that there is something to do, without waiting for its tick."""

from __future__ import annotations

import threading


class Wakeup:
    """An event that is set by whoever leaves work behind and awaited by the worker. Workers elsewhere poll."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Let the waiting worker run."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait until there may be work, at most so many seconds; True when it was announced."""
        announced = self._event.wait(seconds)
        self._event.clear()
        return announced
