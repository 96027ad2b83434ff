"""A collection with the faults of real servers, each of which can be switched on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.taxii.paging import Page
from hub.client.remote import RemoteError

NOW = 1_795_348_800_000_000


@dataclass
class FeignedServer:
    """Objects by the date they were added; ``fetch`` is what a connection would be.

    :param cap: the most it puts on a page. :param next: ``none``, ``stateless``, ``popped`` (as medallion: asking
        takes the page away), ``constant`` (the same text for ever) or ``ignored`` (page one again and again).
    :param lost: numbers of the requests whose answers are lost on the way.
    """

    dates: Sequence[int]
    cap: int = 3
    next: str = "stateless"
    dated: bool = True
    inclusive: bool = False
    lost: frozenset[int] = frozenset()
    asked: int = 0
    _popped: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    @property
    def everything(self) -> list[str]:
        return [f"object-{place}" for place in range(len(self.dates))]

    def fetch(self, after: int | None, token: str | None, limit: int) -> Page:
        self.asked += 1
        assert self.asked < 3_000, "it asks for ever"
        rows = sorted(zip(self.dates, self.everything, strict=True), key=lambda row: row[0])
        edge = -1 if after is None else after - self.inclusive
        matching = [row for row in rows if row[0] > edge]
        size = min(limit, self.cap)
        if token is None or self.next == "ignored":
            page, rest = matching[:size], matching[size:]
        elif self.next == "popped":
            if token not in self._popped:
                raise RemoteError("400 next not valid", http_status=400)
            page, rest = self._popped[token][:size], self._popped[token][size:]
            self._popped[token] = rest
        elif self.next == "constant":
            place = self._popped["place"].pop()[0] if self._popped.get("place") else 0
            page, rest = matching[place : place + size], matching[place + size :]
            self._popped["place"] = [(place + len(page), "")]
        else:
            page, rest = matching[int(token) :][:size], matching[int(token) + size :]
        following = self._next(token, page, rest)
        if self.asked in self.lost:
            raise RemoteError("no answer: ConnectionError")
        known = self.dated and page
        return Page(
            objects=[{"id": name} for _, name in page],
            unreadable=0,
            first=page[0][0] if known else None,
            last=page[-1][0] if known else None,
            more=bool(rest),
            next=following,
            asked=NOW,
        )

    def _next(self, token: str | None, page: list[tuple[int, str]], rest: list[tuple[int, str]]) -> str | None:
        if not rest or self.next == "none":
            return None
        if self.next == "popped":
            key = token or f"t{self.asked}"
            self._popped[key] = rest
            return key
        if self.next in ("constant", "ignored"):
            if token is None:
                self._popped["place"] = [(len(page), "")]
            return "again"
        return str(int(token or 0) + len(page))
