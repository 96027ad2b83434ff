"""What was answered and is not noted in the delivery ledger yet: kept in memory, so that no reader waits for a write.

Each process has its own. What a crash takes with it is the last second of readings.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import Final

import structlog

from hub.domain import limits
from hub.domain.served import How

log = structlog.get_logger()

LARGE: Final = 1_000
"""Answers after which nobody waits for the second to be over."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One answer that held objects of a collection.

    :param spans: (after, upto] of the dates it covers. :param types: its type filter; None is every type.
    :param begun_at: when it was asked for. :param ended_at: when it had been read; microseconds since the epoch.
    """

    collection_id: int
    peer_id: int
    how: How
    spans: tuple[tuple[int, int], ...]
    types: frozenset[str] | None
    begun_at: int
    ended_at: int


class DeliveryBuffer:
    """A queue of `Delivery`; once it is `started`, a thread writes what is in it at the latest a second later.

    Without `start` nothing is written by itself: whoever wants it written calls `hub.services.deliveries.flush`.
    """

    def __init__(self) -> None:
        self._waiting: deque[Delivery] = deque(maxlen=limits.DELIVERIES_BUFFERED)
        self._write: Callable[[], object] | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._soon = threading.Event()
        _buffers.add(self)

    def add(self, delivery: Delivery) -> None:
        """Note an answer; this costs the reader a microsecond."""
        self._waiting.append(delivery)
        if self._write is None:
            return
        if self._thread is None:
            self._start_thread()
        if len(self._waiting) >= LARGE:
            self._soon.set()

    def take(self) -> list[Delivery]:
        """Return what is waiting, oldest first, and wait for it no longer."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def put_back(self, deliveries: list[Delivery]) -> None:
        """Let these wait again: they could not be written. The oldest are lost when there are too many."""
        room = limits.DELIVERIES_BUFFERED - len(self._waiting)
        self._waiting.extendleft(reversed(deliveries[max(0, len(deliveries) - room) :]))

    def start(self, write: Callable[[], object]) -> None:
        """Have everything written by itself from now on, also when the process ends in an orderly way.

        :param write: takes what is waiting and writes it; it raises nothing that could be foreseen.
        """
        self._write = write
        # Runs at the end of this process, whether multiprocessing started it or a shell; a plain atexit only in the
        # latter.
        Finalize(self, _finish, args=(write,), exitpriority=10)

    def forget(self) -> None:
        """Start empty in a process that was forked: what was waiting is the parent's, and so is its thread."""
        self._waiting.clear()
        self._thread = None
        self._starting = threading.Lock()
        self._soon = threading.Event()

    def _start_thread(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._write is not None:
            self._soon.wait(limits.DELIVERY_FLUSH_SECONDS)
            self._soon.clear()
            if self._waiting:
                _guarded(self._write)


def _finish(write: Callable[[], object]) -> None:
    _guarded(write)


def _guarded(write: Callable[[], object]) -> None:
    try:
        write()
    except Exception:  # the thread must go on, and what it could not write waits for the next time
        log.exception("deliveries.failed")


_buffers: weakref.WeakSet[DeliveryBuffer] = weakref.WeakSet()


def _forget_all() -> None:
    for one in list(_buffers):
        one.forget()


os.register_at_fork(after_in_child=_forget_all)
