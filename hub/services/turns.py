"""How many requests with a body are under way for each peer: one that sends slowly cannot take every thread.

A request without a body takes the milliseconds of its answer, whatever its client does. One with a body takes as long
as the client likes; so a server has some threads that take bodies of whoever comes, and a few more that take them only
of peers with nothing else under way.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hub.domain import limits
from hub.errors import TooManyRequests


class Turns:
    """Counts the bodies under way in this process, by peer.

    :param threads: so many may be one peer's; None is no bound, for servers whose threads the hub does not know.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads
        self._change = threading.Condition()
        self._running: Counter[int] = Counter()
        self._all = 0
        self._patient = 0

    @contextmanager
    def of(self, peer_id: int) -> Iterator[None]:
        """Count one body of this peer while the block runs; a few may wait a moment for it.

        Raises TooManyRequests.
        """
        with self._change:
            if not self._free(peer_id) and not self._wait(peer_id):
                raise TooManyRequests(
                    "too many requests of this peer are under way at once; send fewer side by side", retry_after=1
                )
            self._running[peer_id] += 1
            self._all += 1
        try:
            yield
        finally:
            with self._change:
                self._all -= 1
                self._running[peer_id] -= 1
                if not self._running[peer_id]:
                    del self._running[peer_id]
                self._change.notify_all()

    def _free(self, peer_id: int) -> bool:
        return self._threads is None or self._all < self._threads or not self._running[peer_id]

    def _wait(self, peer_id: int) -> bool:
        if self._patient >= limits.SPARE_THREADS // 2:  # who waits keeps a thread from others
            return False
        self._patient += 1
        try:
            return self._change.wait_for(lambda: self._free(peer_id), limits.TURN_SECONDS)
        finally:
            self._patient -= 1
