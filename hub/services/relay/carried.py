"""What is noted of a pack beside its number: its batches, how far each collection is with it, what else it settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from hub.domain.agreement import Agreement
from hub.domain.canonical import jcs
from hub.domain.membership import Peer
from hub.errors import Conflict, NotFound
from hub.services import agreements
from hub.services.agreements import NO_HUB
from hub.services.context import Hub
from hub.services.relay import pauses
from hub.store import peers as peer_store


@dataclass(frozen=True, slots=True)
class Contents:
    """What is kept of one pack.

    :param batches: ids in their order. :param ends: position of each collection, by its row id, once it has arrived;
        also of those of which nothing is in it. :param letters: dead letters that are sent again with it.
    :param reaches: reports on withdrawals in it.
    """

    batches: Sequence[str]
    ends: Mapping[int, int] = field(default_factory=dict)
    letters: Sequence[int] = ()
    reaches: Sequence[Mapping[str, Any]] = ()

    def octets(self) -> bytes:
        """Return it as it is stored."""
        return jcs(
            {
                "batches": list(self.batches),
                "ends": {str(name): str(end) for name, end in self.ends.items()},
                "letters": list(self.letters),
                "reaches": [dict(one) for one in self.reaches],
            }
        )


def read_contents(octets: bytes) -> Contents:
    """Return what is stored of a pack."""
    found = orjson.loads(octets)
    ends = {int(name): int(end) for name, end in found["ends"].items()}
    return Contents(found["batches"], ends, found["letters"], found["reaches"])


def partner(tx: Connection, handle: str) -> Peer:
    """Return another hub by its handle. Raises NotFound."""
    peer = peer_store.by_handle(tx, handle)
    if peer is None or not peer.partner_hub or peer.abroad:
        raise NotFound(NO_HUB)
    return peer


def agreed(tx: Connection, hub: Hub, peer: Peer) -> Agreement:
    """Return what is agreed with a hub. Raises Conflict when nothing is in force, Forbidden when the link is paused."""
    pauses.require_open(tx, peer)
    agreement = agreements.in_force(tx, hub, peer, hub.clock())
    if agreement is None:
        raise Conflict("no agreement with this hub is in force; offer one: cybex agreement offer")
    return agreement
