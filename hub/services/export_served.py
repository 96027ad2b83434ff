"""Which part of a collection an export gave its reader, as the delivery ledger notes it."""

from __future__ import annotations

from hub.domain import limits
from hub.domain.served import How
from hub.services.delivery_buffer import Delivery


class Served:
    """Follows one collection by date: stretches of which everything was given, between what was left out.

    :param types: of the objects that were looked at; None is every type. :param begun_at: microseconds.
    """

    def __init__(self, collection_id: int, types: tuple[str, ...] | None, begun_at: int) -> None:
        self.collection_id = collection_id
        self._types = None if types is None else frozenset(types)
        self._begun_at = begun_at
        self._spans: list[tuple[int, int]] = []
        self._last = 0
        self._open: int | None = None
        self._many = False

    def note(self, date_added: int, *, given: bool) -> None:
        """Note what became of the object with this date, the next that the reader may see."""
        if given and self._open is None:
            self._open = self._last
        elif not given:
            self._close()
        self._last = date_added

    def delivery(self, peer_id: int, now: int) -> Delivery | None:
        """Return what the ledger notes, None when nothing was given.

        With many gaps, the whole is noted as presumed: the ledger never says more than was served, and whoever may have
        something is told of its retraction.
        """
        self._close()
        if not self._spans:
            return None
        how: How = "page"
        spans = tuple(self._spans)
        if self._many:
            how = "presumed"
        return Delivery(self.collection_id, peer_id, how, spans, self._types, self._begun_at, now)

    def _close(self) -> None:
        if self._open is None:
            return
        if len(self._spans) >= limits.EXPORT_SERVED_RUNS:
            self._many = True
            self._spans = [(self._spans[0][0], self._last)]
        elif self._many:
            self._spans = [(self._spans[0][0], self._last)]
        else:
            self._spans.append((self._open, self._last))
        self._open = None
