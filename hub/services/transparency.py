"""Writing into the transparency log: in the transaction of what is witnessed, so that neither is without the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection

from hub.domain.log_event import SALT_BYTES, Event
from hub.services.context import Hub
from hub.store import log as store
from hub.store.log import NewLeaf


def append(tx: Connection, hub: Hub, events: Sequence[Event], *, now: int) -> list[int]:
    """Return the places of these events in the log, in their order.

    The log is locked from here to the end of the transaction: append last, and take no other lock afterwards.
    """
    if not events:
        return []
    seed = hub.token_bytes(32)  # known to nobody afterwards: each salt is as secret as if it were drawn by itself
    first = store.append(
        tx,
        [
            NewLeaf(
                event.kind,
                hashlib.blake2b(number.to_bytes(8, "big"), key=seed, digest_size=SALT_BYTES).digest(),
                event.payload(),
                event.peer_id,
                event.subject_peer_id,
            )
            for number, event in enumerate(events)
        ],
        now=now,
    )
    return list(range(first, first + len(events)))
