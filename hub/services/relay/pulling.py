"""Fetching from another hub what it has for this one: batch by batch, each stored together with its bookmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

from hub.domain import limits
from hub.domain.membership import Peer
from hub.errors import Conflict
from hub.services import agreements
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.relay import incoming
from hub.services.relay.pushing import Ran
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import relay_batches

ANSWERS: Final = 20
"""Receipts that are given at once."""

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Giver(Protocol):
    """Another hub as `hub.client.relay.PartnerHub` calls it."""

    @property
    def received(self) -> int:
        """Octets that have come over the wire so far."""

    def pull(self, positions: Mapping[str, str], /, *, wait: int, max_bytes: int) -> bytes | None:
        """Return the octets of the next batch, None when there is nothing. Raises RemoteError."""

    def report(self, *, answers: Sequence[Mapping[str, Any]] = (), introduced: Mapping[str, str] = NOTHING) -> None:
        """Say what became of batches that were fetched, and of introductions. Raises RemoteError."""


def run(
    hub: Hub,
    via: Peer,
    giver: Giver,
    *,
    wait: int = 0,
    max_bytes: int | None = None,
    told: Callable[[], None] = lambda: None,
) -> Ran:
    """Fetch and store what there is; stop cleanly before the budget is spent.

    :param wait: seconds that the other hub may wait for news, when it has nothing at first.
    :param max_bytes: octets on the wire; a batch under way is finished. :param told: called after every batch.
    :raises RemoteError: the other hub gave nothing. CybexError: what it gave is not right, and nothing of it is stored.
    """
    objects = batches = 0
    _tell(hub, via, giver)
    while True:
        left = limits.RELAY_BATCH_BYTES if max_bytes is None else max_bytes - giver.received
        if left <= 0:
            return Ran(objects, batches, left=True)
        octets = giver.pull(
            _positions(hub, via),
            wait=0 if batches else wait,
            max_bytes=min(left, limits.RELAY_BATCH_BYTES),
        )
        if octets is None:
            return Ran(objects, batches)
        taken = incoming.take(hub, via, octets, how="pull")
        objects, batches = objects + taken.objects, batches + 1
        if taken.receipt is None:
            giver.report(introduced=taken.introduced)
        _tell(hub, via, giver)
        told()


def _tell(hub: Hub, via: Peer, giver: Giver) -> None:
    """Give the other hub the receipts that it has not had."""
    with hub.db.read() as tx:
        untold = relay_batches.untold(tx, via.id, limit=ANSWERS)
        answers = [
            {"id": one.uuid, "answer": incoming.answer_of(tx, one.receipt)} for one in untold if one.receipt is not None
        ]
    if answers:
        giver.report(answers=answers)
        with hub.db.write() as tx:
            relay_batches.told(tx, [one.id for one in untold], now=hub.clock())


def _positions(hub: Hub, via: Peer) -> dict[str, str]:
    """Return how far each collection has come that the other hub gives into. Raises Conflict without an agreement."""
    with hub.db.read() as tx:
        agreement = agreements.in_force(tx, hub, via, hub.clock())
        if agreement is None:
            raise Conflict("no agreement with this hub is in force; offer one: cybex agreement offer")
        reached = relay_batches.positions(tx, via.id, "in")
        positions: dict[str, str] = {}
        for terms in agreement.taking(hub_identity(tx)):
            group = group_store.by_slug(tx, terms.there)
            for collection in collection_store.of_group(tx, group.id) if group is not None else ():
                if collection.alias is not None:
                    positions[f"{terms.there}/{collection.alias}"] = reached.get(collection.id, "0")
    return positions
