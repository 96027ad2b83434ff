"""How many requests are being answered for each peer: one slow or hostile peer cannot take every thread.

A server has some threads that serve whoever comes, and a few more that serve only peers with nothing else under way.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hub.errors import TooManyRequests


class Turns:
    """Counts the requests under way in this process, by peer.

    :param threads: so many may be one peer's; None is no bound, for servers whose threads the hub does not know.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._running: Counter[int] = Counter()
        self._all = 0

    @contextmanager
    def of(self, peer_id: int) -> Iterator[None]:
        """Count one request of this peer while the block runs. Raises TooManyRequests."""
        with self._lock:
            if self._threads is not None and self._all >= self._threads and self._running[peer_id]:
                raise TooManyRequests(
                    "too many requests of this peer are being answered at once; send fewer side by side", retry_after=1
                )
            self._running[peer_id] += 1
            self._all += 1
        try:
            yield
        finally:
            with self._lock:
                self._all -= 1
                self._running[peer_id] -= 1
                if not self._running[peer_id]:
                    del self._running[peer_id]
