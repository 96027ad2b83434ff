"""Wait for news of collections in the thread of the caller; a server has `hub.web.waiting`, which costs no thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from functools import partial

from hub.services.context import Hub
from hub.services.waiting_room import Wait
from hub.store import news

NOBODY = 0
"""No peer's id: what the hub itself waits for counts against nobody's bound."""


def wait_for_news(hub: Hub, collection_ids: Collection[int], after: int, seconds: float) -> bool:
    """Return once something was added to one of these collections after a date, or the time is over.

    What was added may be nothing that the caller may see: whoever waits looks again, and waits again.

    :param after: `date_added` in microseconds. :param seconds: the longest time to wait.
    :return: True when one of the collections has moved past ``after``.
    """
    end = time.monotonic() + seconds
    while not _moved(hub, collection_ids, after):
        left = end - time.monotonic()
        if left <= 0 or hub.waiting.closed:
            return False
        called = threading.Event()
        wait = Wait(NOBODY, dict.fromkeys(collection_ids, after), end, partial(_set, called))
        hub.waiting.add(hub.db, wait)
        called.wait(left)
        hub.waiting.remove(wait)
    return True


def _set(called: threading.Event, last: bool) -> None:
    del last  # whoever waits asks the room himself
    called.set()


def _moved(hub: Hub, collection_ids: Collection[int], after: int) -> bool:
    with hub.db.read() as tx:
        return any(last > after for last in news.last_dates(tx, collection_ids).values())
