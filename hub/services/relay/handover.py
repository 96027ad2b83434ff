"""Handing a batch over: what is noted before it leaves, and what its receipt proves afterwards.

Before: each version counts as being there from now on, so that a retraction reaches it even if no answer ever comes.
After: the other hub's signed receipt says of each version what became of it; only then does the position move.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.canonical import jcs
from hub.domain.fields import IDENTITY
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer
from hub.domain.receipt import Receipt
from hub.domain.receipt_check import check_signature
from hub.errors import ReceiptError
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.services.relay.arrivals import LOOP
from hub.services.relay.making import Prepared
from hub.services.relay.narrowing import WITHDRAWN
from hub.store import dead_letters, introductions, relay_batches, removal
from hub.store import keys as key_store
from hub.store.relay_batches import Confirmed, How, Sent

log = structlog.get_logger()

SENT: Final = "sent"
"""Outcome of what has left and is not answered for: it may be there."""

REFUSED: Final = "refused"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def begin(tx: Connection, prepared: Prepared, how: How, *, now: int, octets: int) -> int:
    """Note that a batch is about to leave; return the row id under which its answer is kept."""
    lane = prepared.lane
    batch_id = relay_batches.add(
        tx,
        Confirmed(
            peer_id=lane.to.id,
            collection_id=lane.collection.id,
            direction="out",
            how=how,
            uuid=prepared.id,
            sha256=prepared.sha256,
            at=now,
            objects=len(prepared.rows),
            octets=octets,
            receipt=None,
            upto=None if prepared.upto is None else str(prepared.upto),
        ),
    )
    known = relay_batches.sent_of(
        tx, lane.collection.id, sorted({row.stix_id for row in prepared.rows}), peer_id=lane.to.id
    )
    anew = (REFUSED, WITHDRAWN)
    fresh = [row for row in prepared.rows if known.get((lane.to.id, row.stix_id, row.version_key), REFUSED) in anew]
    sent = [Sent(row.stix_id, row.version_key, row.sha256, SENT) for row in fresh]
    relay_batches.note_sent(tx, lane.to.id, lane.collection.id, batch_id, sent)
    return batch_id


def check(tx: Connection, hub: Hub, to: Peer, answer: Mapping[str, Any], *, now: int) -> Receipt:
    """Return the receipt in the answer of a hub: signed by it, for this hub. Raises ReceiptError."""
    ring = KeyRing(key_store.of_peer(tx, to.id), allow_test_key=hub.allow_test_key)
    receipt = check_signature(answer.get("receipt"), ring, hub=to.identity, now=now).receipt
    if receipt.submitter != hub_identity(tx):
        raise ReceiptError("it is for another hub", field="submitter")
    return receipt


def confirm(tx: Connection, hub: Hub, prepared: Prepared, batch_id: int, answer: Mapping[str, Any]) -> None:
    """Keep what the other hub has answered for, and move the lane's position past it; in one transaction.

    Raises ReceiptError: the receipt does not prove what was handed over, and nothing has moved.
    """
    lane, now = prepared.lane, hub.clock()
    receipt = check(tx, hub, lane.to, answer, now=now)
    if [line.sha256 for line in receipt.lines] != [row.sha256 for row in prepared.rows]:
        raise ReceiptError("it is about other objects than were handed over", field="objects")
    settle(tx, hub, lane.to, lane.collection.id, batch_id, receipt, answer, now=now)
    if prepared.upto is not None:
        relay_batches.advance(
            tx, lane.to.id, lane.collection.id, "out", str(prepared.upto), objects=len(prepared.rows), now=now
        )


def confirm_later(tx: Connection, hub: Hub, to: Peer, uuid: str, answer: Mapping[str, Any]) -> bool:
    """Keep the answer to a batch that was fetched, or carried, some time ago; say whether there is such a batch.

    Raises ReceiptError: the receipt is not that hub's, or about what was not in the batch.
    """
    confirmed, now = relay_batches.get(tx, to.id, "out", uuid), hub.clock()
    if confirmed is None:
        return False
    receipt = check(tx, hub, to, answer, now=now)
    stix_ids = sorted({line.stix_id for line in receipt.lines})
    sent = relay_batches.sent_digests(tx, to.id, confirmed.collection_id, stix_ids)
    if len(receipt.lines) != confirmed.objects or any(
        (line.stix_id, line.sha256) not in sent for line in receipt.lines if not line.stix_id.startswith("objects[")
    ):
        raise ReceiptError("it is about other objects than were handed over", field="objects")
    settle(tx, hub, to, confirmed.collection_id, confirmed.id, receipt, answer, now=now)
    return True


def settle(
    tx: Connection,
    hub: Hub,
    to: Peer,
    collection_id: int,
    batch_id: int,
    receipt: Receipt,
    answer: Mapping[str, Any],
    *,
    now: int,
) -> None:
    """Note what became of each version. What was refused is a dead letter, unless it had been there before."""
    relay_batches.answered(tx, batch_id, jcs(answer["receipt"]))
    keys = relay_batches.sent_digests(tx, to.id, collection_id, sorted({line.stix_id for line in receipt.lines}))
    known = relay_batches.sent_of(tx, collection_id, sorted({line.stix_id for line in receipt.lines}), peer_id=to.id)
    outcomes = [
        Sent(line.stix_id, key, line.sha256 or b"", line.decision, line.rule)
        for line in receipt.lines
        for key in keys.get((line.stix_id, line.sha256 or b""), ())
        if known.get((to.id, line.stix_id, key)) != WITHDRAWN  # it was told to remove it before it answered
    ]
    relay_batches.note_sent(tx, to.id, collection_id, batch_id, outcomes)
    note_introduced(tx, to, answer.get("introduced"), now=now)
    refused = _bury(tx, hub, to, collection_id, receipt, answer, now=now)
    log.info("relay.answered", to=to.handle, objects=len(receipt.lines), refused=refused)


def skip(tx: Connection, prepared: Prepared, *, now: int) -> None:
    """Move a position past versions of which none may cross: nobody has to be asked."""
    lane = prepared.lane
    if prepared.upto is not None and prepared.upto != prepared.after:
        relay_batches.advance(tx, lane.to.id, lane.collection.id, "out", str(prepared.upto), objects=0, now=now)


def bury(tx: Connection, hub: Hub, prepared: Prepared, reason: str, *, now: int) -> None:
    """Give up on a single version which the other hub cannot even answer for, and move on; an operator sees it."""
    lane = prepared.lane
    for row in prepared.rows:
        _letter(tx, hub, lane.to, lane.collection.id, row.stix_id, row.version, row.sha256, "transfer", reason, now=now)
    skip(tx, prepared, now=now)
    log.warning("relay.buried", to=lane.to.handle, collection=lane.alias, objects=len(prepared.rows))


def note_introduced(tx: Connection, to: Peer, said: object, *, now: int) -> None:
    """Note which introductions a hub has, as it says: digests in hex by identity. It need not be told again."""
    pairs = said.items() if isinstance(said, Mapping) else ()
    digests = {
        name: bytes.fromhex(digest) for name, digest in pairs if isinstance(digest, str) and _DIGEST.fullmatch(digest)
    }
    known = {name: digest for name, digest in digests.items() if IDENTITY.fullmatch(name)}
    introductions.note_sent(tx, to.id, dict(list(known.items())[: limits.RELAY_INTRODUCTIONS]), now=now)


def _bury(
    tx: Connection,
    hub: Hub,
    to: Peer,
    collection_id: int,
    receipt: Receipt,
    answer: Mapping[str, Any],
    *,
    now: int,
) -> int:
    failures = answer.get("failures")
    reasons = {
        one["index"]: str(one.get("message"))[: limits.MAX_REASON_LENGTH]
        for one in (failures if isinstance(failures, list) else [])
        if isinstance(one, dict) and isinstance(one.get("index"), int)
    }
    refused = [line for line in receipt.lines if line.decision == REFUSED and line.rule != LOOP]
    here = removal.of_objects(tx, collection_id, [line.stix_id for line in refused])  # what was withdrawn need not go
    refused = [line for line in refused if line.stix_id in here or line.stix_id.startswith("objects[")]
    for line in refused:
        reason = "".join(ch for ch in reasons.get(line.index, "") if ch.isprintable())
        rule = str(line.rule)[:64]
        _letter(tx, hub, to, collection_id, line.stix_id, line.version, line.sha256, rule, reason, now=now)
    return len(refused)


def _letter(
    tx: Connection,
    hub: Hub,
    to: Peer,
    collection_id: int,
    stix_id: str,
    version: str,
    sha256: bytes | None,
    rule: str,
    reason: str,
    *,
    now: int,
) -> None:
    dead_letters.add(
        tx,
        uuid=uuid4(hub.token_bytes),
        peer_id=to.id,
        collection_id=collection_id,
        direction="out",
        stix_id=stix_id,
        version=version,
        sha256=sha256,
        rule=rule,
        reason=reason,
        now=now,
    )
