"""Handing over to another hub what has not gone there yet: lane by lane, in order, as far as there is a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from hub.client.relay import OutOfStep
from hub.client.remote import RemoteError
from hub.domain import limits
from hub.domain.membership import Peer
from hub.errors import Conflict
from hub.services import agreements
from hub.services.context import Hub
from hub.services.relay import handover, narrowing, outgoing, reaching
from hub.services.relay.making import Lane, Prepared
from hub.store import dead_letters, relay_batches

log = structlog.get_logger()

UNDIGESTED: Final = frozenset({400, 413, 422, 500})
"""Answers to a batch as a whole that halves of it may not get: one object of it is at fault, or their hub at it."""


class Taker(Protocol):
    """Another hub as `hub.client.relay.PartnerHub` calls it."""

    @property
    def sent(self) -> int:
        """Octets that have gone over the wire so far."""

    def push(self, octets: bytes, /) -> Mapping[str, Any]:
        """Hand a batch over; return the answer. Raises RemoteError, OutOfStep."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run did. :param objects: versions that were answered for. :param left: there is more for another run."""

    objects: int = 0
    batches: int = 0
    left: bool = False


def run(
    hub: Hub, to: Peer, taker: Taker, *, max_bytes: int | None = None, told: Callable[[], None] = lambda: None
) -> Ran:
    """Hand over what there is, replayed dead letters first; stop cleanly before the budget is spent.

    :param max_bytes: octets on the wire; a batch under way is finished. :param told: called after every batch.
    :raises RemoteError: the other hub did not take it; everything answered for so far stays so.
    :raises Conflict: no agreement is in force.
    """
    with hub.db.read() as tx:
        agreement = agreements.in_force(tx, hub, to, hub.clock())
        lanes = [] if agreement is None else outgoing.lanes(tx, agreement, to)
    if agreement is None:
        raise Conflict("no agreement with this hub is in force; offer one: cybex agreement offer")
    objects = batches = 0
    for lane in lanes:
        while True:
            if max_bytes is not None and taker.sent >= max_bytes:
                return Ran(objects, batches, left=True)
            done, more = _once(hub, lane, taker)
            objects, batches = objects + done, batches + bool(done)
            told()
            if not more:
                break
    return Ran(objects, batches)


def refresh(hub: Hub, to: Peer, taker: Taker) -> bool:
    """Tell the other hub what has changed of the keys of authors it knows from here, and ask about withdrawals.

    Say whether there was anything to tell or to ask.
    """
    with hub.db.read() as tx:
        agreement = agreements.in_force(tx, hub, to, hub.clock())
        lanes = [] if agreement is None else outgoing.lanes(tx, agreement, to)
        prepared = outgoing.changed_introductions(tx, hub, lanes[0]) if lanes else None
        waiting = reaching.open_with(tx, hub, to)
    if prepared is None or (prepared.empty and not waiting):
        return False
    answer = taker.push(prepared.batch.octets())
    with hub.db.write() as tx:
        handover.note_introduced(tx, to, answer.get("introduced"), now=hub.clock())
    reaches = answer.get("reaches")
    if isinstance(reaches, list):
        reaching.take(hub, to, reaches)
    return True


def _once(hub: Hub, lane: Lane, taker: Taker) -> tuple[int, bool]:
    """Hand one batch over; return how many versions were in it, and whether there may be more."""
    again = _replayed(hub, lane, taker)
    if again:
        return again, True
    most = limits.RELAY_BATCH_OBJECTS
    while True:
        with hub.db.read() as tx:
            prepared = outgoing.prepare(tx, hub, lane, outgoing.position(tx, lane), max_objects=most)
        narrowing.withdraw_superseded(hub, lane, prepared.passed_over)  # its notice comes after what is prepared
        if prepared.empty:
            with hub.db.write() as tx:
                handover.skip(tx, prepared, now=hub.clock())
            return 0, prepared.more
        try:
            _hand_over(hub, prepared, taker)
        except OutOfStep as error:
            _step_back(hub, lane, error.position)
            return 0, True
        except RemoteError as error:
            if error.http_status not in UNDIGESTED:
                raise
            if len(prepared.rows) <= 1:
                _bury(hub, prepared, error)
                return 0, True
            most = len(prepared.rows) // 2  # one object of these is at fault: find it
            continue
        return len(prepared.rows), prepared.more


def _replayed(hub: Hub, lane: Lane, taker: Taker) -> int:
    """Send again what an operator wants sent again; return how many versions that were."""
    with hub.db.read() as tx:
        letters = dead_letters.to_be_sent(tx, lane.to.id, lane.collection.id, limit=limits.RELAY_BATCH_OBJECTS)
        keys = relay_batches.sent_digests(tx, lane.to.id, lane.collection.id, sorted({one.stix_id for one in letters}))
        wanted = [(one.stix_id, key) for one in letters for key in keys.get((one.stix_id, one.sha256 or b""), ())]
        prepared = outgoing.repeat(tx, hub, lane, wanted) if wanted else None
    if not letters:
        return 0
    if prepared is not None and not prepared.empty:
        _hand_over(hub, prepared, taker)
    with hub.db.write() as tx:  # what is refused again is open again; the rest has arrived, is gone, or may not cross
        dead_letters.sent(tx, [one.id for one in letters], now=hub.clock())
    return 0 if prepared is None else len(prepared.rows)


def _hand_over(hub: Hub, prepared: Prepared, taker: Taker) -> None:
    octets = prepared.batch.octets()
    with hub.db.write() as tx:
        batch_id = handover.begin(tx, prepared, "push", now=hub.clock(), octets=len(octets))
    answer = taker.push(octets)
    with hub.db.write() as tx:
        handover.confirm(tx, hub, prepared, batch_id, answer)


def _step_back(hub: Hub, lane: Lane, position: str) -> None:
    """Go on from where the other hub is, which has been restored from a backup or begun anew."""
    if not (position.isascii() and position.isdecimal()):
        raise RemoteError("the other hub names a position that is none")
    log.warning("relay.stepped_back", to=lane.to.handle, collection=lane.alias)
    with hub.db.write() as tx:
        ours = outgoing.position(tx, lane)
        if int(position) >= ours:
            raise RemoteError("the other hub lacks what this one has not sent; are there two of it?")
        relay_batches.advance(tx, lane.to.id, lane.collection.id, "out", position, objects=0, now=hub.clock())


def _bury(hub: Hub, prepared: Prepared, error: RemoteError) -> None:
    with hub.db.write() as tx:
        handover.bury(tx, hub, prepared, error.detail, now=hub.clock())
