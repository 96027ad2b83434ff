"""Receipts: made in the transaction of the commit, kept with the status, so that a repeat is answered with the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from hub.domain.receipt import Line, Receipt, signed
from hub.errors import NotFound
from hub.services.actor import Actor, limited
from hub.services.commit import Succeeded
from hub.services.context import Hub
from hub.services.decision import Place
from hub.store import submissions as submission_store
from hub.store.submissions import Submission

NO_RECEIPT = "there is no such receipt"


@dataclass(frozen=True, slots=True)
class Kept:
    """The receipts of one submission as they were made: JCS bytes, signed.

    :param later: a JSON list; one for each part of what was held that has been decided on since.
    """

    submission: str
    receipt: bytes
    later: bytes


def made(
    hub: Hub, place: Place, submission: Submission, succeeded: Sequence[Succeeded], refused: Sequence[Line]
) -> bytes:
    """Return the receipt of a complete submission, signed by the hub."""
    return _signed(hub, _receipt(place, submission, succeeded, refused))


def supplement(
    tx: Connection, hub: Hub, place: Place, uuid: str, succeeded: Sequence[Succeeded], refused: Sequence[Line]
) -> None:
    """Keep a later receipt that says what became of objects under embargo; in the transaction that decides on them.

    Nothing is kept for a submission that never had a receipt: one from before receipts were made.
    """
    submission = submission_store.by_uuid(tx, uuid)
    if submission is None or submission.receipt is None or not (succeeded or refused):
        return
    now = hub.clock()
    later = replace(
        _receipt(place, submission, succeeded, refused),
        completed_at=now,
        supplements=hashlib.sha256(submission.receipt).digest(),
    )
    submission_store.supplement(tx, uuid, _signed(hub, later), now=now)


def get(hub: Hub, actor: Actor, uuid: str) -> Kept:
    """Return the receipts of a submission to the peer that made it, and to an operator.

    :raises NotFound: there is none, not yet, or not any more; or it is another peer's.
    """
    with hub.db.read() as tx:
        found = submission_store.by_uuid(tx, uuid)
    caller = limited(actor)
    if found is None or found.receipt is None or (caller is not None and found.peer_id != caller.peer.id):
        raise NotFound(NO_RECEIPT)
    return Kept(found.uuid, found.receipt, found.supplements or b"[]")


def _receipt(place: Place, submission: Submission, succeeded: Sequence[Succeeded], refused: Sequence[Line]) -> Receipt:
    return Receipt(
        hub=place.hub_identity,
        submission=submission.uuid,
        submitter=place.submitter.identity,
        group=place.group.slug,
        collection=place.collection.uuid,
        received_at=submission.received_at,
        completed_at=submission.completed_at or submission.received_at,
        sha256=submission.sha256,
        lines=[*(one.receipt_line() for one in succeeded), *refused],
    )


def _signed(hub: Hub, receipt: Receipt) -> bytes:
    return signed(receipt, hub.signing_key, uuid=str(UUID(bytes=hub.token_bytes(16), version=4)))
