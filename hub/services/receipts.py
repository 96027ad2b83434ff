"""Receipts: made in the transaction of the commit, kept with the status, so that a repeat is answered with the same."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from hub.domain.receipt import Line, Receipt, signed
from hub.services.commit import Succeeded
from hub.services.context import Hub
from hub.services.decision import Place
from hub.store.submissions import Submission


def made(
    hub: Hub, place: Place, submission: Submission, succeeded: Sequence[Succeeded], refused: Sequence[Line]
) -> bytes:
    """Return the receipt of a complete submission, signed by the hub."""
    return signed(
        Receipt(
            hub=place.hub_identity,
            submission=submission.uuid,
            submitter=place.submitter.identity,
            group=place.group.slug,
            collection=place.collection.uuid,
            received_at=submission.received_at,
            completed_at=submission.completed_at or submission.received_at,
            sha256=submission.sha256,
            lines=[*(one.receipt_line() for one in succeeded), *refused],
        ),
        hub.signing_key,
        uuid=str(UUID(bytes=hub.token_bytes(16), version=4)),
    )
