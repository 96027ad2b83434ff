"""Answering another hub that asks for the next batch: what it has not had, and what it says of those it had."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from hub.domain import limits
from hub.domain.canonical import Json
from hub.domain.fields import UUID4, Fields
from hub.domain.membership import Peer
from hub.errors import Forbidden, InvalidRequest, ReceiptError
from hub.services import agreements
from hub.services.context import Hub
from hub.services.relay import handover, narrowing, outgoing, pauses, reaching
from hub.services.relay.making import Lane
from hub.store import relay_batches, relay_feed

log = structlog.get_logger()

MAX_LANES: Final = 1_000
MAX_ANSWERS: Final = 100
_POSITION: Final = re.compile(r"([a-z0-9-]{1,63}/[^,:/\s]{1,64}):([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a hub asks for.

    :param positions: by ``group/alias``, the group's slug at the hub that asks; a lane without one begins anew.
    :param max_bytes: octets of objects; one object always goes.
    """

    positions: Mapping[str, int]
    max_bytes: int = limits.RELAY_BATCH_BYTES


@dataclass(frozen=True, slots=True)
class News:
    """Where to wait for what follows, when there is nothing now. ``after`` is a `date_added` in microseconds."""

    collection_ids: Sequence[int]
    after: int


def read_positions(text: str) -> dict[str, int]:
    """Return positions out of ``group/alias:number,group/alias:number``. Raises InvalidRequest."""
    found: dict[str, int] = {}
    for one in text.split(",") if text else ():
        match = _POSITION.fullmatch(one)
        if match is None or len(found) >= MAX_LANES:
            raise InvalidRequest("it must be group/alias:number, separated by commas", field="positions")
        found[match[1]] = int(match[2])
    return found


@dataclass(frozen=True, slots=True)
class Reports:
    """What another hub says unasked.

    :param answers: what became of batches that it fetched, by their ids. :param reaches: how far withdrawals have come.
    :param introduced: digest of what it knows of authors, in hex.
    """

    answers: Sequence[tuple[str, Mapping[str, Any]]]
    reaches: Sequence[Json]
    introduced: Mapping[str, Json]


def read_reports(document: Json) -> Reports:
    """Return what a hub reports. Raises InvalidRequest, naming the member."""
    fields = Fields.of(document, "reports").only("answers", "reaches", "introduced")
    answers = [
        (one.only("id", "answer").matching("id", UUID4), one.inner("answer").document)
        for one in fields.objects("answers", most=MAX_ANSWERS)
    ]
    return Reports(answers, fields.list("reaches", most=limits.RELAY_REACHES), fields.inner("introduced").document)


def take_reports(hub: Hub, to: Peer, reports: Reports) -> None:
    """Keep what the other hub reports; what proves nothing is logged and passed over."""
    for uuid, answer in reports.answers:
        try:
            with hub.db.write() as tx:
                handover.confirm_later(tx, hub, to, uuid, answer)
        except ReceiptError as error:  # else a hub that errs once could never fetch again
            log.warning("relay.receipt_refused", by=to.handle, batch=uuid, reason=error.detail)
    if reports.introduced:
        with hub.db.write() as tx:
            handover.note_introduced(tx, to, reports.introduced, now=hub.clock())
    if reports.reaches:
        reaching.take(hub, to, reports.reaches)


def next_batch(hub: Hub, to: Peer, asked: Asked) -> bytes | News:
    """Return the octets of the next batch, or what to wait for. It is noted as handed over before it leaves.

    Raises Forbidden: no agreement is in force, or the link is paused.
    """
    with hub.db.read() as tx:
        pauses.require_open(tx, to)
        agreement = agreements.in_force(tx, hub, to, hub.clock())
        if agreement is None:
            raise Forbidden("no agreement between our hubs is in force")
        lanes = outgoing.lanes(tx, agreement, to)
        dates = relay_feed.last_dates(tx, [lane.collection.id for lane in lanes])
    for lane in lanes:
        octets = _of_lane(hub, lane, asked)
        if octets is not None:
            return octets
    if lanes:
        with hub.db.read() as tx:
            introductions = outgoing.changed_introductions(tx, hub, lanes[0])
        if not introductions.empty:
            return introductions.batch.octets()
    return News(list(dates), max(dates.values(), default=0))


def _of_lane(hub: Hub, lane: Lane, asked: Asked) -> bytes | None:
    after = asked.positions.get(f"{lane.terms.there}/{lane.alias}", 0)
    _note_position(hub, lane, after)
    begun = after
    while True:
        with hub.db.read() as tx:
            prepared = outgoing.prepare(tx, hub, lane, begun, max_bytes=asked.max_bytes, since=after)
        narrowing.withdraw_superseded(hub, lane, prepared.passed_over)  # its notice comes after what is prepared
        if not prepared.empty or not prepared.more:
            break
        begun = prepared.upto if prepared.upto is not None else begun
    moved = (prepared.upto or 0) - after
    if prepared.empty and moved <= 0:
        return None
    octets = prepared.batch.octets()
    if not prepared.empty:
        with hub.db.write() as tx:
            handover.begin(tx, prepared, "pull", now=hub.clock(), octets=len(octets))
    return octets


def _note_position(hub: Hub, lane: Lane, after: int) -> None:
    """Keep how far the other hub has come, for those who look at the link."""
    with hub.db.read() as tx:
        known = outgoing.position(tx, lane)
    if known != after:
        with hub.db.write() as tx:
            relay_batches.advance(tx, lane.to.id, lane.collection.id, "out", str(after), objects=0, now=hub.clock())
