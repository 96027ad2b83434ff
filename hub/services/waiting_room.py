"""Readers that wait for news, with neither a thread nor a connection each: one thread per process looks after them all.

It hears of commits (`hub.store.news`), asks the database once for all who wait how far their collections are, and calls
those whose collection has moved, whose time is over, or whose rights may have changed. Who is called looks again
himself, with every check of any other request.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from hub.domain import limits
from hub.errors import Busy, TooManyRequests
from hub.services import measures
from hub.store import news
from hub.store.database import Database
from hub.store.news import Listener

log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class Wait:
    """One who waits.

    :param peer_id: whose bound it counts against.
    :param seen: the last `date_added` he has looked at, by collection id.
    :param until: when he waits no longer; seconds of `time.monotonic`.
    :param called: is called once, by a thread of the room, when there may be news or the time is over; True says that
        he may wait no longer in any case.
    :param request: what he asks for; the same request of the same peer may take his place.
    :param change: the last change of rights he was checked against; None is not called for changes.
    """

    peer_id: int
    seen: Mapping[int, int]
    until: float
    called: Callable[[bool], None]
    request: str = ""
    change: int | None = None
    since: float = field(default_factory=time.monotonic)


class WaitingRoom:
    """All who wait in this process. Its threads start with the first one, and end with `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: set[Wait] = set()
        self._by_peer: Counter[int] = Counter()
        self._new = False
        self._closed = False
        self._listener: Listener | None = None
        self._answerers: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return len(self._waits)

    @property
    def closed(self) -> bool:
        """Say whether nobody may wait any more."""
        return self._closed

    def make_room(self, peer_id: int, request: str) -> None:
        """Make sure that this peer may wait once more; the same request that waits already may have to go.

        Raises TooManyRequests.
        """
        with self._lock:
            if self._by_peer[peer_id] < limits.WAITS_PER_PEER and len(self._waits) < limits.WAITING_READERS:
                return
            before = time.monotonic() - limits.WAIT_REPLACED_SECONDS
            same = [
                one for one in self._waits if one.peer_id == peer_id and one.request == request and one.since <= before
            ]
            oldest = min(same, key=lambda one: one.since, default=None)
            if oldest is not None:
                self._take(oldest)
        if oldest is None:
            raise TooManyRequests(
                f"at most {limits.WAITS_PER_PEER} readers of a peer may wait at once; ask later, or do not wait",
                retry_after=int(limits.WAIT_REPLACED_SECONDS),
                field="Prefer",
            )
        self._call(oldest, last=True)

    def add(self, db: Database, wait: Wait) -> None:
        """Let him wait; he is called at once when there are news already, or the room is closed."""
        with self._lock:
            if self._closed:
                closed = True
            else:
                closed = False
                self._waits.add(wait)
                self._by_peer[wait.peer_id] += 1
                measures.waiting(len(self._waits))  # under the lock: an older number must not come last
                self._new = True
                if self._answerers is None:
                    self._open(db)
        if closed:
            wait.called(True)
            return
        if self._listener is not None:
            self._listener.poke()

    def remove(self, wait: Wait) -> bool:
        """Forget one who waits no longer; False when he has been called."""
        with self._lock:
            return self._take(wait)

    def close(self) -> None:
        """Call everybody, and let nobody wait any more; return when all have been answered."""
        with self._lock:
            self._closed = True
            waits = list(self._waits)
            for wait in waits:
                self._take(wait)
            answerers = self._answerers
        for wait in waits:
            self._call(wait, last=True)
        if answerers is not None:
            answerers.shutdown(wait=True)
        if self._listener is not None:
            self._listener.poke()

    def _open(self, db: Database) -> None:
        self._answerers = ThreadPoolExecutor(limits.WAIT_ANSWERERS, thread_name_prefix="waiting")
        threading.Thread(target=self._look_after, args=(db,), name="news", daemon=True).start()

    def _take(self, wait: Wait) -> bool:
        if wait not in self._waits:
            return False
        self._waits.remove(wait)
        self._by_peer[wait.peer_id] -= 1
        if not self._by_peer[wait.peer_id]:
            del self._by_peer[wait.peer_id]
        measures.waiting(len(self._waits))
        return True

    def _call(self, wait: Wait, *, last: bool = False) -> None:
        try:
            if self._answerers is not None:
                self._answerers.submit(_guarded, wait.called, last)
        except RuntimeError:  # the room has been closed meanwhile
            _guarded(wait.called, True)

    def _look_after(self, db: Database) -> None:
        """Run until the room is closed; a database that cannot be reached is asked again."""
        looked = 0.0
        while not self._closed:
            try:
                if self._listener is None:
                    self._listener = news.listener(db)
                heard = self._listener.heard(self._patience())
                now = time.monotonic()
                if self._waits and (heard or self._new or now - looked >= limits.WAIT_LOOK_SECONDS):
                    self._look(db)
                    looked = now
            except Busy:
                time.sleep(1.0)
            except Exception:  # without this thread nobody would ever be called
                log.exception("waiting.failed")
                time.sleep(1.0)
            self._release(_over(time.monotonic()))
        if self._listener is not None:
            self._listener.close()

    def _patience(self) -> float | None:
        """Return the seconds until the first time is over; None while nobody waits, for then `add` pokes."""
        with self._lock:
            first = min((wait.until for wait in self._waits), default=None)
        if first is None:
            return None
        if self._new:
            return 0.0
        return max(0.0, min(first - time.monotonic(), limits.WAIT_LOOK_SECONDS))

    def _look(self, db: Database) -> None:
        """Call whoever has news, and everybody when a right may have changed since he was checked."""
        with self._lock:
            self._new = False
            wanted = {collection_id for wait in self._waits for collection_id in wait.seen}
        with db.read() as tx:
            dates, latest = news.last_dates(tx, wanted), news.last_change(tx)
        self._release(
            lambda wait: (
                wait.change not in (None, latest)
                or any(dates.get(one, seen + 1) > seen for one, seen in wait.seen.items())
            )
        )

    def _release(self, due: Callable[[Wait], bool]) -> None:
        with self._lock:
            found = [wait for wait in self._waits if due(wait)]
            for wait in found:
                self._take(wait)
        for wait in found:
            self._call(wait)


def _over(now: float) -> Callable[[Wait], bool]:
    return lambda wait: wait.until <= now


def _guarded(called: Callable[[bool], None], last: bool) -> None:
    try:
        called(last)
    except Exception:  # one who cannot be answered must not cost the others their thread
        log.exception("waiting.unanswered")
