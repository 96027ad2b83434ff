"""Writing into files what another hub may have since its last receipt: a link that is carried by hand.

Positions move when the receipt comes back, not before: what was lost on the way is in the next pack again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.canonical import jcs, sha256_hex
from hub.domain.membership import Peer
from hub.domain.pack import Pack, Previous, Span, signed_pack
from hub.domain.pack_file import Part, head, packed, part_of
from hub.services import audit
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.services.relay import carried, handover, narrowing, outgoing, pack_output, reaching
from hub.services.relay.carried import Contents, read_contents
from hub.services.relay.making import Lane, Prepared
from hub.services.relay.pack_output import Sealing, Spool
from hub.store import dead_letters, introductions, packs, relay_batches
from hub.store.packs import StoredPack

log = structlog.get_logger()

ABOUT_EACH: Final = 700
"""Octets that an object needs in a pack, at least: how many are tried at once where a file must be small."""

_MANIFEST: Final = 4_096  # octets that a manifest with one batch takes, at most; the rest is counted
_ENTRY: Final = 250


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator wants.

    :param max_bytes: octets of one file; what is more goes into further ones. One batch always goes.
    :param assume_delivered: begin after the newest pack, although its receipt has not come back.
    :param everything: begin at the beginning: the other hub has been restored, or begun anew.
    :param number: of the first file, for a hub whose own count has gone back with a backup.
    """

    max_bytes: int | None = None
    assume_delivered: bool = False
    everything: bool = False
    number: int | None = None
    sealing: Sealing | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One file that was written. :param sha256: of the manifest, in hex. :param octets: of the file."""

    path: Path
    number: int
    id: str
    sha256: str
    batches: int
    objects: int
    octets: int


@dataclass
class _File:
    """What is gathered for one file."""

    spool: Spool
    parts: list[Part] = field(default_factory=list)
    spans: dict[int, Span] = field(default_factory=dict)
    letters: list[int] = field(default_factory=list)


def write(
    hub: Hub,
    actor: Actor,
    handle: str,
    folder: Path,
    wanted: Wanted,
    *,
    spool: Path,
    told: Callable[[int], None] = lambda _: None,
) -> list[Written]:
    """Write what a hub may have into one or more files, indicators before bulk; none when there is nothing.

    Each version counts as handed over from now on, so that a retraction follows it even if no receipt ever comes.

    :param spool: folder on this machine where the files are put together: what lies there is not sealed yet.
    :param told: called with the number of objects after every batch.
    :raises NotFound, Conflict, Forbidden: there is no such hub, nothing agreed, or its link is paused.
    """
    require_operator(actor)
    with hub.db.read() as tx:
        to = carried.partner(tx, handle)
        agreement = carried.agreed(tx, hub, to)
        lanes = outgoing.lanes(tx, agreement, to)
        newest = packs.newest(tx, to.id, "out")
        stands_on = newest if wanted.assume_delivered else packs.newest(tx, to.id, "out", answered=True)
        starts = {lane.collection.id: _start(tx, lane, newest, wanted) for lane in lanes}
        reaches = reaching.due(tx, hub, to)
        asking = reaching.open_with(tx, hub, to)
    if wanted.everything:
        stands_on = None
    making = _Making(hub, actor, to, agreement.id, folder, spool, wanted, starts, reaches)
    making.previous = None if stands_on is None else Previous(stands_on.number, stands_on.sha256.hex())
    making.number = max(wanted.number or 1, 1 if newest is None else newest.number + 1)
    try:
        making.introductions(lanes)
        for lane in lanes:
            making.lane(lane, told)
        return making.finished(asking=asking or bool(reaches))
    finally:
        making.file.spool.close()


def _start(tx: Connection, lane: Lane, newest: StoredPack | None, wanted: Wanted) -> int:
    """Return after what a lane begins: what the other hub has for certain, or is taken to have."""
    if wanted.everything:
        return 0
    if wanted.assume_delivered and newest is not None:
        ends = read_contents(newest.positions).ends
        if lane.collection.id in ends:
            return ends[lane.collection.id]
    answered = relay_batches.answered_upto(tx, lane.to.id, lane.collection.id)
    # A live link moves its position past what may not cross; the other hub has not come that far.
    return min(outgoing.position(tx, lane), 0 if answered is None else int(answered))


class _Making:
    """Files in the making: batches are added, and a file is closed when the next would not fit."""

    def __init__(
        self,
        hub: Hub,
        actor: Actor,
        to: Peer,
        agreement: str,
        folder: Path,
        spool: Path,
        wanted: Wanted,
        starts: dict[int, int],
        reaches: list[dict[str, Any]],
    ) -> None:
        self.hub, self.actor, self.to, self.agreement = hub, actor, to, agreement
        self.folder, self.spool, self.wanted = folder, spool, wanted
        self.ends, self.reaches = dict(starts), reaches
        self.previous: Previous | None = None
        self.number = 1
        self.file = _File(Spool(spool))
        self.written: list[Written] = []

    def introductions(self, lanes: list[Lane]) -> None:
        """Add what has changed of the keys of authors: a revocation stands before what it concerns."""
        if lanes:
            with self.hub.db.read() as tx:
                known = introductions.sent_to(tx, self.to.id)
                prepared = outgoing.changed_introductions(tx, self.hub, lanes[0])
            if known and not prepared.empty:  # who has been told nothing has nothing that is stale
                self._add(prepared, prepared.batch.octets())

    def lane(self, lane: Lane, told: Callable[[int], None]) -> None:
        """Add everything of one collection."""
        self._again(lane)
        for prepared in self._prepared(lane):
            octets = prepared.batch.octets()
            with self.hub.db.write() as tx:
                handover.begin(tx, prepared, "pack", now=self.hub.clock(), octets=len(octets))
            self._add(prepared, octets)
            told(len(prepared.rows))

    def finished(self, *, asking: bool) -> list[Written]:
        """Close the last file. :param asking: one without batches is worth its way."""
        if self.file.parts or (asking and not self.written):
            self._close()
        return self.written

    def _prepared(self, lane: Lane) -> Iterator[Prepared]:
        most_bytes, most = limits.RELAY_BATCH_BYTES, limits.RELAY_BATCH_OBJECTS
        if self.wanted.max_bytes is not None:
            most_bytes = min(most_bytes, 2 * self.wanted.max_bytes)
            most = max(1, min(most, self.wanted.max_bytes // ABOUT_EACH))
        begun = self.ends[lane.collection.id]
        while True:
            since = self.ends[lane.collection.id]
            with self.hub.db.read() as tx:
                prepared = outgoing.prepare(
                    tx, self.hub, lane, begun, max_objects=most, max_bytes=most_bytes, since=since
                )
            narrowed = narrowing.withdraw_superseded(self.hub, lane, prepared.passed_over)
            if not prepared.empty:
                yield prepared
            begun = begun if prepared.upto is None else prepared.upto
            if not prepared.more and not narrowed:  # the notice of what was narrowed comes after what is prepared
                return

    def _again(self, lane: Lane) -> None:
        """Add what an operator wants sent again. It is settled when the receipt is there."""
        with self.hub.db.read() as tx:
            letters, wanted = _letters(tx, lane)
            prepared = outgoing.repeat(tx, self.hub, lane, wanted) if wanted else None
        if prepared is not None and not prepared.empty:
            octets = prepared.batch.octets()
            with self.hub.db.write() as tx:
                handover.begin(tx, prepared, "pack", now=self.hub.clock(), octets=len(octets))
            self._add(prepared, octets)
        self.file.letters += letters  # also of what is gone, or may not cross any more

    def _add(self, prepared: Prepared, octets: bytes) -> None:
        part, frame = part_of(prepared.id, octets, len(prepared.rows)), packed(octets)
        most, file = self.wanted.max_bytes, self.file
        size = _MANIFEST + _ENTRY * (len(file.parts) + 1) + file.spool.size + len(frame)
        if file.parts and ((most is not None and size > most) or len(file.parts) >= limits.PACK_PARTS):
            self._close()
        self.file.spool.add(frame)
        self.file.parts.append(part)
        if prepared.after is None or prepared.upto is None:
            return
        lane, known = prepared.lane, self.file.spans.get(prepared.lane.collection.id)
        before = str(prepared.after) if known is None else known.before
        self.file.spans[lane.collection.id] = Span(lane.terms.there, lane.alias, before, str(prepared.upto))
        self.ends[lane.collection.id] = prepared.upto

    def _close(self) -> None:
        """Write one file. It is complete under another name before it is noted, and noted before it has its own."""
        hub, file, now = self.hub, self.file, self.hub.clock()
        with hub.db.read() as tx:
            own = hub_identity(tx)
        pack = Pack(
            id=uuid4(hub.token_bytes),
            number=self.number,
            sender=own,
            to=self.to.identity,
            agreement=self.agreement,
            made_at=now,
            previous=self.previous,
            spans=list(file.spans.values()),
            parts=file.parts,
            reaches=self.reaches,
        )
        manifest = signed_pack(pack, hub.signing_key, uuid=uuid4(hub.token_bytes))
        digest = sha256_hex(jcs(manifest))
        contents = Contents([one.id for one in file.parts], self.ends, file.letters, self.reaches)
        path = self.folder / f"cybex-{self.to.handle}-{self.number:06}.pack"
        octets = _octets(head(manifest), file.spool)
        with pack_output.becoming(path, octets, self.wanted.sealing, hub.token_bytes) as output:
            row = StoredPack(
                self.to.id, "out", pack.number, pack.id, bytes.fromhex(digest), now, None, contents.octets(), None
            )
            with hub.db.write() as tx:
                packs.add(tx, row)
                told = {"sha256": digest, "uuid": pack.id, "batches": len(file.parts)}
                audit.record(
                    tx, hub, self.actor, "pack.make", f"packs/{self.to.handle}/out/{pack.number}", self.to.id, **told
                )
        objects = sum(one.objects for one in file.parts)
        self.written.append(Written(path, pack.number, pack.id, digest, len(file.parts), objects, output.size))
        log.info("pack.written", to=self.to.handle, number=pack.number, objects=objects, octets=output.size)
        file.spool.close()
        self.previous, self.number = Previous(pack.number, digest), pack.number + 1
        self.file, self.reaches = _File(Spool(self.spool)), []


def _letters(tx: Connection, lane: Lane) -> tuple[list[int], list[tuple[str, str]]]:
    """Return the dead letters of a lane that are to be sent again, and the versions that they are about."""
    letters = dead_letters.to_be_sent(tx, lane.to.id, lane.collection.id, limit=limits.RELAY_BATCH_OBJECTS)
    keys = relay_batches.sent_digests(tx, lane.to.id, lane.collection.id, sorted({one.stix_id for one in letters}))
    wanted = [(one.stix_id, key) for one in letters for key in keys.get((one.stix_id, one.sha256 or b""), ())]
    return [one.id for one in letters], wanted


def _octets(begin: bytes, spool: Spool) -> Iterator[bytes]:
    yield begin
    yield from spool.octets()
