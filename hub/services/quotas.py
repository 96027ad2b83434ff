"""What a peer may hand in within an hour: looked at before the body is read, charged with the submission itself.

A submission that would exceed it is refused whole, before anything of it is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain import limits, quota
from hub.domain.membership import Caller, Peer
from hub.domain.quota import Amount, Standing
from hub.errors import Busy, Forbidden, TooManyRequests
from hub.services.actor import Actor, is_operator, require_operator, require_reader, visible_peer
from hub.services.context import Hub
from hub.store import peers as peer_store
from hub.store import quotas as store


@dataclass(frozen=True, slots=True)
class PeerStanding:
    """A peer and how it stands."""

    peer: Peer
    standing: Standing


def bound_of(peer: Peer) -> Amount:
    """Return what the peer may hand in within an hour: its own bound, else the hub's."""
    return Amount(
        limits.QUOTA_OBJECTS if peer.quota_objects is None else peer.quota_objects,
        limits.QUOTA_OCTETS if peer.quota_octets is None else peer.quota_octets,
    )


def standing(hub: Hub, peer: Peer) -> Standing:
    """Return how a peer stands now."""
    now = hub.clock()
    with hub.db.read() as tx:
        return Standing(bound_of(peer), store.used(tx, peer.id, quota.hour_of(now)), quota.seconds_left(now))


def admit(hub: Hub, caller: Caller, announced: int) -> Standing:
    """Return how the caller's peer stands. Raises TooManyRequests when it may hand in nothing, or not so many octets.

    :param announced: octets of the body as far as they are known before it is read.
    """
    found = standing(hub, caller.peer)
    exceeded = found.exceeded_by(Amount(1, max(1, announced)))
    if exceeded is not None:
        raise refusal(found, exceeded)
    return found


def charge(tx: Connection, hub: Hub, peer: Peer, more: Amount) -> None:
    """Charge the peer in the transaction of its submission, as its first statement. Raises TooManyRequests.

    What is refused here rolls back with the submission: nothing of it is stored, and nothing charged.
    """
    now = hub.clock()
    after = store.charge(tx, peer.id, quota.hour_of(now), more)
    before = Amount(after.objects - more.objects, after.octets - more.octets)
    found = Standing(bound_of(peer), before, quota.seconds_left(now))
    exceeded = found.exceeded_by(more)
    if exceeded is not None:
        raise refusal(found, exceeded)


def charge_octets(hub: Hub, peer: Peer, octets: int) -> None:
    """Charge what was read and came to nothing; left out while the database is busy."""
    with suppress(Busy), hub.db.write(patience_ms=20) as tx:
        store.charge(tx, peer.id, quota.hour_of(hub.clock()), Amount(0, octets))


def refusal(found: Standing, exceeded: str) -> TooManyRequests:
    """Return the refusal of what would exceed a bound, with what the peer needs to know to go on."""
    most = found.bound.objects if exceeded == "objects" else found.bound.octets
    return TooManyRequests(
        f"this peer may hand in {most} {exceeded} an hour (quota_{exceeded}); more in {found.seconds} s",
        retry_after=found.seconds,
        field=f"quota_{exceeded}",
        headers=found.headers(),
    )


def shown(hub: Hub, actor: Actor, handle: str) -> PeerStanding:
    """Return how a peer stands: any for an operator, his own for everybody else. Raises NotFound, then Forbidden."""
    own = isinstance(actor, Caller) and actor.peer.handle == handle
    if not own:
        require_reader(actor)
    with hub.db.read() as tx:
        peer = visible_peer(tx, actor, handle)
    if not own and not is_operator(actor):
        raise Forbidden("what another peer hands in is shown to itself and to the operator")
    return PeerStanding(peer, standing(hub, peer))


def listed(hub: Hub, actor: Actor) -> Sequence[PeerStanding]:
    """Return how every peer stands, by handle. Raises Forbidden."""
    require_operator(actor)
    now = hub.clock()
    with hub.db.read() as tx:
        used = store.used_by_all(tx, quota.hour_of(now))
        rows = sorted(peer_store.all(tx), key=lambda peer: peer.handle)
    seconds = quota.seconds_left(now)
    return [
        PeerStanding(peer, Standing(bound_of(peer), used.get(peer.id, Amount()), seconds))
        for peer in rows
        if not peer.abroad
    ]
