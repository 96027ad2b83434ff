"""The delivery ledger: who was served what. Written behind the answers, in batches; it never says more than was served.

What it may miss is the last second before a crash. Retraction misses nobody all the same: whoever may read something is
told of its retraction anyway, and whoever loses the right to read is noted here at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.audience import Audience
from hub.domain.served import How, ServedRange, merged
from hub.errors import Busy
from hub.services.context import Hub
from hub.services.delivery_buffer import Delivery
from hub.store import entries as entry_store
from hub.store import members as member_store
from hub.store import served as store
from hub.store.pages import Selection
from hub.store.served import Reader

log = structlog.get_logger()

PATIENCE_MS = 5_000
"""How long a batch waits for another writer before it is tried again later."""


def holders(tx: Connection, collection_id: int, entries: Sequence[tuple[int, str, Audience]]) -> frozenset[int]:
    """Return the peers that were, or may have been, served any of these entries, whether or not they are members still.

    :param entries: (date_added, type, first audience) of each.
    """
    if not entries:
        return frozenset()
    dates = [date_added for date_added, _, _ in entries]
    found: set[int] = set()
    for peer_id, served in store.covering(tx, collection_id, min(dates), max(dates)):
        if peer_id not in found and any(
            served.covers(date_added, stix_type) and audience.admits(peer_id)
            for date_added, stix_type, audience in entries
        ):
            found.add(peer_id)
    return frozenset(found)


def presume(tx: Connection, reader: Reader, *, now: int) -> None:
    """Note that the reader, who loses the right to read now, may have read the collection up to its end.

    Nothing is added to the collection until this transaction ends, so there is nothing he could read after its end.
    """
    last = entry_store.lock(tx, reader.collection_id)
    if last:
        store.replace(tx, reader, store.presumed(tx, reader), [ServedRange(0, last, "presumed", None, now, now)])


@contextmanager
def noting_loss(tx: Connection, peer_id: int, *, now: int) -> Iterator[None]:
    """Note, once the block has changed what a peer may do, every collection that he may read in no longer.

    Nothing may be locked after the log: the block changes, and whoever records the change does so after it.
    """
    before = member_store.readable(tx, peer_id)
    yield
    for collection_id in sorted(before - member_store.readable(tx, peer_id)):
        presume(tx, Reader(collection_id, peer_id), now=now)


def of_page(selection: Selection, dates: Sequence[int], now: int) -> Delivery:
    """Return what the ledger notes of a page with objects of these dates, at least one, that has been read by now.

    A page of the latest versions, or of all, is everything there was from where it was asked for up to its last object,
    and nothing after that: an empty page is not noted. A page of chosen objects or versions is what is on it.
    """
    wanted, types = selection.versions, selection.types
    latest = wanted.last and not wanted.first and not wanted.exact
    long = types is not None and sum(len(one) + 1 for one in types) > limits.SERVED_TYPES_LENGTH
    how: How = "versions" if wanted.all else "page"
    spans: tuple[tuple[int, int], ...] = ((max(selection.added_after or 0, selection.position or 0), dates[-1]),)
    if selection.ids is not None or long or not (wanted.all or latest):
        how, types, spans = "object", None, tuple((date - 1, date) for date in dates)
    return Delivery(
        selection.collection_id,
        selection.peer_id,
        how,
        spans,
        None if types is None else frozenset(types),
        selection.now,
        now,
    )


def write_behind(hub: Hub) -> None:
    """Have what this process answers noted by itself from now on, within a second, and when the process ends."""
    hub.deliveries.start(lambda: flush(hub))


def flush(hub: Hub) -> int:
    """Write what this process has answered and not noted yet; return how many answers that were.

    What cannot be written now waits for the next time.
    """
    waiting = hub.deliveries.take()
    if not waiting:
        return 0
    try:
        with hub.db.write(patience_ms=PATIENCE_MS) as tx:
            for reader, ranges in _by_reader(waiting):
                _extend(tx, reader, ranges)
    except BaseException as error:
        hub.deliveries.put_back(waiting)
        if not isinstance(error, Busy):
            raise
        log.warning("deliveries.busy", waiting=len(waiting))
        return 0
    return len(waiting)


def compact(hub: Hub) -> int:
    """Make one range of a day's ranges once they are old; return how many rows that saved.

    Only what became old lately is looked at: before that it is done.
    """
    before = hub.clock() - limits.SERVED_OLD_AFTER_US
    since = before - limits.SERVED_LOOK_BACK_US
    saved = 0
    with hub.db.read() as tx:
        crowded = store.crowded(tx, since, before)
    for reader in crowded:
        with hub.db.write() as tx:
            rows = store.old(tx, reader, since, before)
            fewer = merged((one for _, one in rows), limits.SERVED_OLD_WINDOW_US)
            if len(fewer) < len(rows):
                store.replace(tx, reader, [row_id for row_id, _ in rows], fewer)
                saved += len(rows) - len(fewer)
    return saved


def _by_reader(deliveries: Iterable[Delivery]) -> list[tuple[Reader, list[ServedRange]]]:
    """Return what each reader was given, already merged; in one order everywhere, so that processes do not deadlock."""
    found: dict[tuple[int, int], list[ServedRange]] = {}
    for one in deliveries:
        found.setdefault((one.collection_id, one.peer_id), []).extend(
            ServedRange(after, upto, one.how, one.types, one.begun_at, one.ended_at) for after, upto in one.spans
        )
    return [(Reader(*ids), merged(ranges, limits.SERVED_WINDOW_US)) for ids, ranges in sorted(found.items())]


def _extend(tx: Connection, reader: Reader, ranges: Sequence[ServedRange]) -> None:
    """Add ranges to what is known of a reader, in the rows that are there where that is possible."""
    kinds: dict[tuple[str, frozenset[str] | None], list[ServedRange]] = {}
    for one in ranges:
        kinds.setdefault((one.how, one.types), []).append(one)
    for some in kinds.values():
        since = max(one.last_at for one in some) - limits.SERVED_WINDOW_US
        rows = dict(store.touching(tx, reader, some, since=since))
        store.replace(tx, reader, rows, merged([*rows.values(), *some], limits.SERVED_WINDOW_US))
