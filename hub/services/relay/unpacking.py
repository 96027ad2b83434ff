"""Taking a pack that was carried here: the whole file is checked, then each batch goes through the same door as any.

Each batch is one transaction, so a run that was ended goes on where it was. The pack counts as taken when all of it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import orjson
import structlog
from sqlalchemy import Connection

from hub.domain.canonical import Json, jcs, sha256_hex
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer
from hub.domain.pack import Pack, PackReceipt, read_manifest, signed_receipt
from hub.domain.pack_file import Part, Source, bodies, head, packed, part_of, read_head
from hub.domain.statement import check_statement
from hub.errors import Conflict, CybexError, InvalidRequest
from hub.services import audit
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.services.relay import carried, incoming, reaching
from hub.services.relay.carried import Contents, read_contents
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import keys as key_store
from hub.store import packs, relay_batches
from hub.store import peers as peer_store
from hub.store.packs import StoredPack

log = structlog.get_logger()

Opener = Callable[[], AbstractContextManager[Source]]
"""Opens the file anew, at its beginning: it is read twice, once to be checked and once to be taken."""


class PackGap(Conflict):
    """A pack stands upon one that has not come."""

    code = "pack-gap"
    title = "Something between is missing here"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a pack.

    :param again: it had been taken before, and nothing has changed. :param skipped: numbers that never came; what
        they held is in this one. :param receipt: the manifest of the receipt, signed.
    """

    peer: Peer
    pack: Pack
    accepted: int
    duplicates: int
    refused: int
    held: int
    again: bool
    skipped: tuple[int, ...]
    receipt: Mapping[str, Json]


def read(hub: Hub, opener: Opener) -> tuple[Peer, Pack | PackReceipt, Mapping[str, Json]]:
    """Return what a file says of itself, and by which hub; it is signed by that hub, for this one.

    Raises:
        InvalidRequest, PackDamaged: it is no pack. SignatureError: it is not signed as it should be.
    """
    with opener() as source:
        said, document = read_manifest(read_head(source))
    with hub.db.read() as tx:
        via = peer_store.by_identity(tx, said.sender)
        own = hub_identity(tx)
        if via is None or not via.partner_hub or via.abroad:
            raise InvalidRequest("it is of a hub that is not known here: cybex hub-card adopt", field="manifest.from")
        if said.to != own:
            raise InvalidRequest("it is for another hub", field="manifest.to")
        ring = KeyRing(key_store.of_peer(tx, via.id), allow_test_key=hub.allow_test_key)
        check_statement(document, ring, signee=via.identity, now=hub.clock())
    return via, said, document


def take(
    hub: Hub, actor: Actor, opener: Opener, *, told: Callable[[int, int], None] = lambda _one, _two: None
) -> Taken:
    """Store what a pack brings, and make its receipt; what is reported stored is durable.

    1. It is of a partner, for this hub, signed by him, under the agreement in force.
    2. One that was taken before is answered as it was the first time, and changes nothing.
    3. It stands upon what has come: numbers and digests chain, and no collection begins after what is here.
    4. Every part is whole, and the one that the manifest names.
    5. The batches are taken in order, each in a transaction of its own: a run that was ended is run again.
    6. The number, the receipt and the audit line are stored together.

    :param told: called after every batch with how many of how many are done.
    :raises InvalidRequest, SignatureError, PackDamaged, PackGap, Conflict, Forbidden: it is not taken, or not further.
    """
    require_operator(actor)
    via, pack, document = read(hub, opener)  # 1
    if isinstance(pack, PackReceipt):
        raise InvalidRequest("it is a receipt, not a pack", field="manifest.type")
    digest = sha256_hex(jcs(dict(document)))
    with hub.db.read() as tx:
        known = packs.get(tx, via.id, "in", pack.number)
        if known is not None:  # 2
            if known.sha256.hex() != digest:
                raise Conflict(
                    "another pack with this number was taken from this hub: has it been restored from a backup? "
                    f"It goes on with cybex pack --number {_next(tx, via)} --everything",
                    field="manifest.number",
                )
        else:
            skipped = _stands(tx, hub, via, pack)  # 3
    if known is not None and known.receipt is not None:
        return _again(hub, via, pack, known)
    whole(opener)  # 4
    introduced: dict[str, str] = {}
    with opener() as source:  # 5
        read_head(source)
        for number, body in enumerate(bodies(source, pack.parts)):
            try:
                introduced |= incoming.take(hub, via, body, how="pack").introduced
            except CybexError as error:
                # Its class says what is wrong; where in the pack, only we know.
                error.detail = f"batch {number + 1} of {len(pack.parts)}: {error.detail or error.title}"
                error.args = (error.detail,)
                raise
            told(number + 1, len(pack.parts))
    reaching.take(hub, via, pack.reaches)
    with hub.db.read() as tx:
        parts = [one for one, _ in answers(tx, via, [part.id for part in pack.parts])]
        reaches = reaching.due(tx, hub, via, again=True)
        own = hub_identity(tx)
    receipt = PackReceipt(pack.id, pack.number, digest, own, via.identity, hub.clock(), introduced, parts, reaches)
    signed = signed_receipt(receipt, hub.signing_key, uuid=uuid4(hub.token_bytes))
    _keep(hub, actor, via, pack, digest, signed)  # 6
    return _counted(hub, via, pack, signed, skipped=skipped)


def whole(opener: Opener) -> int:
    """Return how many objects a file names, once every part of it was read and is whole. Raises PackDamaged."""
    with opener() as source:
        said, _ = read_manifest(read_head(source))
        for _ in bodies(source, said.parts):
            continue
    return sum(part.objects for part in said.parts)


def receipt_octets(hub: Hub, taken: Taken) -> Iterator[bytes]:
    """Yield the receipt of a pack as the file that is carried back."""
    yield head(taken.receipt)
    with hub.db.read() as tx:
        for _, body in answers(tx, taken.peer, [part.id for part in taken.pack.parts]):
            yield packed(body)


def answers(tx: Connection, via: Peer, batch_ids: list[str]) -> Iterator[tuple[Part, bytes]]:
    """Yield the answer to each batch, as it is now, and how a manifest names it."""
    for uuid in batch_ids:
        batch = relay_batches.get(tx, via.id, "in", uuid)
        answer: dict[str, object] = {"receipt": None, "failures": []}  # to one that only introduces
        if batch is not None and batch.receipt is not None:
            whole = incoming.answer_of(tx, batch.receipt)
            answer = {"receipt": whole["receipt"], "failures": whole["failures"]}
        body = jcs(answer)
        yield part_of(uuid, body, 0 if batch is None else batch.objects), body


def _stands(tx: Connection, hub: Hub, via: Peer, pack: Pack) -> tuple[int, ...]:
    """Return the numbers that never came and need not; refuse what is missing, or late."""
    agreement = carried.agreed(tx, hub, via)
    if agreement.id != pack.agreement:
        raise Conflict(
            "it was made under another agreement than the one in force: have another pack made",
            field="manifest.agreement",
        )
    newest = packs.newest(tx, via.id, "in")
    last = 0 if newest is None else newest.number
    if pack.number < last:
        raise Conflict(
            f"pack {last} has been taken, which came after it and holds what it held: there is nothing to do",
            field="manifest.number",
        )
    if pack.previous is not None:
        before = packs.get(tx, via.id, "in", pack.previous.number)
        if before is None:
            first = last + 1
            upto = pack.previous.number
            missing = f"pack {first}" if first >= upto else f"packs {first} to {upto}"
            raise PackGap(
                f"take {missing} first; if that is lost, have another pack made, with --everything if this hub was "
                "restored from a backup",
                field="manifest.previous.number",
            )
        if before.sha256.hex() != pack.previous.sha256:
            raise PackGap(
                f"it stands upon another pack {before.number} than the one that was taken here: have another one made "
                "with --everything",
                field="manifest.previous.sha256",
            )
    lacking = [
        text for text in (_lacks(tx, via, span.group, span.collection, span.before) for span in pack.spans) if text
    ]
    if lacking:
        raise PackGap(
            f"{'; '.join(lacking)}: have another pack made; with --everything if this hub was restored from a backup",
            field="manifest.positions",
        )
    return tuple(range(last + 1, pack.number))[:100]


def _lacks(tx: Connection, via: Peer, slug: str, alias: str, before: str) -> str | None:
    """Return what is missing in a collection, in words; None when nothing is, or batches will say that it is not."""
    group = group_store.by_slug(tx, slug)
    found = [] if group is None else [one for one in collection_store.of_group(tx, group.id) if one.alias == alias]
    if not found:
        return None
    reached = relay_batches.position(tx, via.id, found[0].id, "in") or "0"
    return (
        f"{slug}/{alias} is here up to {reached}, and the pack begins after {before}"
        if int(before) > int(reached)
        else None
    )


def _next(tx: Connection, via: Peer) -> int:
    newest = packs.newest(tx, via.id, "in")
    return 1 if newest is None else newest.number + 1


def _again(hub: Hub, via: Peer, pack: Pack, known: StoredPack) -> Taken:
    """Return the receipt of a pack that was taken before: the same, unless what it repeats has been removed since."""
    document = orjson.loads(known.receipt or b"{}")
    with hub.db.read() as tx:
        parts = [one for one, _ in answers(tx, via, list(read_contents(known.positions).batches))]
    said, _ = read_manifest(document)
    if isinstance(said, PackReceipt) and list(said.parts) != parts:  # statuses, with the reasons in them, are not kept
        renewed = replace(said, parts=parts, made_at=hub.clock())
        document = signed_receipt(renewed, hub.signing_key, uuid=uuid4(hub.token_bytes))
    return replace(_counted(hub, via, pack, document, skipped=()), again=True)


def _keep(hub: Hub, actor: Actor, via: Peer, pack: Pack, digest: str, signed: Mapping[str, Json]) -> None:
    contents = Contents([one.id for one in pack.parts])
    now = hub.clock()
    with hub.db.write() as tx:
        packs.add(
            tx,
            StoredPack(
                via.id, "in", pack.number, pack.id, bytes.fromhex(digest), pack.made_at, now, contents.octets(),
                jcs(dict(signed)),
            ),
        )  # fmt: skip
        told = {"sha256": digest, "uuid": pack.id, "batches": len(pack.parts)}
        audit.record(tx, hub, actor, "pack.take", f"packs/{via.handle}/in/{pack.number}", via.id, **told)
    log.info("pack.taken", by=via.handle, number=pack.number, batches=len(pack.parts))


def _counted(hub: Hub, via: Peer, pack: Pack, receipt: Mapping[str, Json], *, skipped: tuple[int, ...]) -> Taken:
    counts = {"accepted": 0, "duplicate": 0, "refused": 0, "held": 0}
    with hub.db.read() as tx:
        for _, body in answers(tx, via, [one.id for one in pack.parts]):
            for line in (orjson.loads(body)["receipt"] or {"objects": []})["objects"]:
                counts[line["decision"]] = counts.get(line["decision"], 0) + 1
    return Taken(
        peer=via,
        pack=pack,
        accepted=counts["accepted"],
        duplicates=counts["duplicate"],
        refused=counts["refused"],
        held=counts["held"],
        again=False,
        skipped=skipped,
        receipt=receipt,
    )
