"""All pages of a collection, on servers that page as TAXII 2.1 §3.5 says and on those that do not.

What is known of real servers: one date for a thousand objects; `more` without `next`; a `next` that is used up by being
sent, expires within seconds, or never changes; no dates; `added_after` that includes; pages that repeat. The order
below loses nothing on any of these and ends on all of them; what comes twice is harmless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from connectors.taxii import bookmark
from hub.client.remote import RemoteError

LARGEST_PAGE: Final = 10_000
"""Objects asked for when a server gives no way past those of one date: more than real submissions have."""

STALE_PAGES: Final = 40
"""Pages in a row without anything new before we give up: deletions leave a few empty ones (TAXII 2.1 §3.5)."""

RESTARTS: Final = 5
"""How often a run begins anew because a `next` was not understood; what was published stays so, and the next run goes
on."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. Dates are microseconds since the epoch, None when the server does not say.

    :param last: `date_added` of the latest object on it. :param asked: the server's clock when it answered.
    """

    objects: Sequence[Any]
    unreadable: int
    first: int | None
    last: int | None
    more: bool
    next: str | None
    asked: int | None


@dataclass(frozen=True, slots=True)
class Given:
    """What is new on a page.

    :param floor: everything dated up to here has been given now; None when that is not known.
    """

    objects: Sequence[Any]
    unreadable: int
    floor: int | None


Fetch = Callable[[int | None, str | None, int], Page]
"""Asks for the objects added after an instant, the rest of a ``next``, and at most so many."""


class Pages:
    """One run through a collection.

    :param fetch: raises RemoteError. :param now: microseconds. :param overlap: see `bookmark.safe`.
    """

    def __init__(self, fetch: Fetch, *, limit: int, now: int, overlap: int) -> None:
        self._fetch, self._limit, self._now, self._overlap = fetch, limit, now, overlap
        self._recent: list[tuple[int | None, set[bytes]]] = []
        self.unsorted = False
        self.skipped = 0

    def read(self, after: int | None) -> Iterator[Given]:
        """Yield what was added after an instant; the floor of the last one is where to go on.

        :param after: microseconds; None for everything. :raises RemoteError: the server fails, or makes no sense.
        """
        floor, query, token = after, after, None
        latest: int | None = None
        chain: int | None = None  # the same, since the last request without `next`
        begun: int | None = None
        stale = restarts = 0
        while True:
            try:
                page = self._fetch(query, token, self._limit)
            except RemoteError:
                if token is None or restarts == RESTARTS:
                    raise
                # Whether the page was used up or the token expired, only asking by date is sure to give it again.
                restarts += 1
                query, token, chain = floor, None, None
                self._recent.clear()
                continue
            begun = page.asked if begun is None else begun
            if page.first is not None and chain is not None and page.first < chain:
                self.unsorted, floor = True, after
            latest, chain = _greater(latest, page.last), page.last
            new = self._new(page)
            stale = 0 if new else stale + 1
            if not page.more:
                yield Given(new, page.unreadable, self._end(after, floor, latest, begun))
                return
            if stale > STALE_PAGES:
                raise RemoteError("the server gives the same page again and again; its administrator should know")
            if latest is not None and not self.unsorted:
                floor = _greater(floor, bookmark.safe(latest, self._now, self._overlap))
                self._forget(floor)
            yield Given(new, page.unreadable, floor)
            circling = bool(page.objects) and not new
            token = None if circling else page.next
            if token is None:
                query, chain = self._by_date(query, page, bool(new)), None

    def _by_date(self, query: int | None, page: Page, new: bool) -> int:
        """Return after what to ask next when there is no `next` that leads on (§3.5)."""
        if page.last is None:
            raise RemoteError("the server says there is more, but gives neither `next` nor dates to get it with")
        step = bookmark.before(page.last)
        if query is None or step > query:
            return step
        if new or self._limit < LARGEST_PAGE:
            if not new:
                self._limit = min(self._limit * 2, LARGEST_PAGE)
            return query
        # More objects of one date than the server gives at once, and no way to name the rest: go past them, and say so.
        self.skipped += 1
        return max(page.last, query + 1)

    def _end(self, after: int | None, floor: int | None, latest: int | None, begun: int | None) -> int | None:
        if latest is not None:
            return _greater(after, bookmark.safe(latest, self._now, self._overlap))
        if begun is not None and self._recent and any(seen for _, seen in self._recent):
            return _greater(after, min(begun, self._now) - bookmark.UNDATED_SECONDS * bookmark.SECOND)
        return floor

    def _new(self, page: Page) -> list[Any]:
        new: list[Any] = []
        seen: set[bytes] = set()
        for obj in page.objects:
            digest = hashlib.blake2b(orjson.dumps(obj, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
            if digest not in seen and not any(digest in others for _, others in self._recent):
                new.append(obj)
            seen.add(digest)
        self._recent.append((page.last, seen))
        return new

    def _forget(self, floor: int | None) -> None:
        """Keep in mind only what may come again: what is dated after the floor."""
        if floor is not None:
            self._recent = [one for one in self._recent if one[0] is None or one[0] > floor]


def _greater(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)
