"""Taking the receipt of a pack that was carried back: positions move as if the answers had come over a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from hub.domain.canonical import Json, jcs, parse
from hub.domain.membership import Peer
from hub.domain.pack import PackReceipt
from hub.domain.pack_file import bodies, read_head
from hub.domain.reach import octets as reach_octets
from hub.errors import InvalidRequest, ReceiptError
from hub.services import audit
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.services.relay import handover, reaching, unpacking
from hub.services.relay.carried import read_contents
from hub.services.relay.unpacking import Opener
from hub.store import dead_letters, packs, reaches, relay_batches
from hub.store.packs import StoredPack
from hub.store.reaches import StoredReach

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a receipt has settled. :param again: it was known, and nothing has changed."""

    peer: Peer
    number: int
    objects: int
    again: bool


def take(hub: Hub, actor: Actor, opener: Opener) -> Confirmed:
    """Keep what the other hub has answered for, and move the positions; each batch is one transaction.

    1. The receipt is of a partner, for this hub, signed by him, and of a pack that was made here.
    2. One that is known changes nothing: neither can an old one be brought again.
    3. Every answer is whole, and they are to the batches of the pack, in their order.
    4. Each holds a receipt of the submission, signed, about the objects that were in the batch.
    5. With the last one: what was introduced, what was reported, and the dead letters that were sent again.

    :raises InvalidRequest, SignatureError, PackDamaged, ReceiptError: it is not taken, or not further.
    """
    require_operator(actor)
    via, receipt, document = unpacking.read(hub, opener)  # 1
    if not isinstance(receipt, PackReceipt):
        raise InvalidRequest("it is a pack, not a receipt", field="manifest.type")
    with hub.db.read() as tx:
        made = packs.get(tx, via.id, "out", receipt.number)
    if made is None or (made.uuid, made.sha256.hex()) != (receipt.id, receipt.pack):
        raise ReceiptError("it is of a pack that was not made here", field="manifest.pack")
    objects = sum(part.objects for part in receipt.parts)
    if made.answered_at is not None:  # 2
        return Confirmed(via, receipt.number, objects, again=True)
    contents = read_contents(made.positions)
    if [part.id for part in receipt.parts] != list(contents.batches):  # 3
        raise ReceiptError("it does not answer the batches that were in the pack", field="manifest.parts")
    unpacking.whole(opener)
    with opener() as source:  # 4
        read_head(source)
        for part, body in zip(receipt.parts, bodies(source, receipt.parts), strict=True):
            answer = parse(body)
            _answered(hub, via, part.id, answer if isinstance(answer, dict) else {})
    reaching.take(hub, via, receipt.reaches)  # 5
    _settle(hub, actor, via, made, receipt, document)
    return Confirmed(via, receipt.number, objects, again=False)


def _answered(hub: Hub, via: Peer, uuid: str, answer: Mapping[str, Json]) -> None:
    """Settle one batch; the position moves with it, and never back."""
    now = hub.clock()
    with hub.db.write() as tx:
        batch = relay_batches.get(tx, via.id, "out", uuid)
        if batch is None:  # it only introduced authors
            return
        handover.confirm_later(tx, hub, via, uuid, answer)
        if batch.upto is None or batch.receipt is not None:
            return
        reached = relay_batches.position(tx, via.id, batch.collection_id, "out") or "0"
        further = str(max(int(batch.upto), int(reached)))
        relay_batches.advance(tx, via.id, batch.collection_id, "out", further, objects=batch.objects, now=now)


def _settle(
    hub: Hub, actor: Actor, via: Peer, made: StoredPack, receipt: PackReceipt, document: Mapping[str, Json]
) -> None:
    now, contents = hub.clock(), read_contents(made.positions)
    with hub.db.write() as tx:
        handover.note_introduced(tx, via, receipt.introduced, now=now)
        dead_letters.sent(tx, contents.letters, now=now)
        for one in contents.reaches:
            told = StoredReach(one["act"], via.id, "out", one["holders"], one["removed"], now, reach_octets(one))
            reaches.keep(tx, told)
        packs.answer(tx, made, jcs(dict(document)), now=now)
        detail = {"sha256": made.sha256.hex(), "uuid": made.uuid}
        audit.record(tx, hub, actor, "pack.answer", f"packs/{via.handle}/out/{made.number}", via.id, **detail)
    log.info("pack.answered", by=via.handle, number=made.number)
