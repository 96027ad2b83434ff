"""Peers: the organisations the hub knows. Only an operator makes, changes or suspends them."""

from __future__ import annotations

from types import EllipsisType

from hub.domain import limits, naming
from hub.domain.membership import Peer, PeerKind, QuantumSafe
from hub.errors import Conflict, InvalidRequest
from hub.services import audit, deliveries
from hub.services import quantum_safe as second_signature
from hub.services.actor import HUB_HANDLE, Actor, require_operator, require_reader, visible_peer, visible_peers
from hub.services.change import changed
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.store import peers as store


def listed(hub: Hub, actor: Actor) -> list[Peer]:
    """Return the peers the actor may know of, by handle."""
    require_reader(actor)
    with hub.db.read() as tx:
        return visible_peers(tx, actor)


def shown(hub: Hub, actor: Actor, handle: str) -> Peer:
    """Return one peer the actor may know of. Raises NotFound."""
    require_reader(actor)
    with hub.db.read() as tx:
        return visible_peer(tx, actor, handle)


def add(
    hub: Hub,
    actor: Actor,
    *,
    handle: str,
    name: str,
    kind: PeerKind,
    identity: str | None = None,
    country: str | None = None,
    itu_region: str | None = None,
) -> Peer:
    """Make a peer known to the hub; without ``identity`` it gets a new STIX identity id. Raises Conflict."""
    require_operator(actor)
    naming.handle(handle)
    _check(name, country, itu_region)
    identity = naming.identity(identity) if identity is not None else f"identity--{uuid4(hub.token_bytes)}"
    with hub.db.write() as tx:
        peer = store.add(
            tx,
            handle=handle,
            name=name,
            kind=kind,
            identity=identity,
            country=country,
            itu_region=itu_region,
            now=hub.clock(),
        )
        audit.record(
            tx,
            hub,
            actor,
            "peer.add",
            f"peers/{handle}",
            name=name,
            kind=kind.value,
            identity=identity,
            country=country,
            itu_region=itu_region,
        )
    return peer


def welcome(hub: Hub, actor: Actor, handle: str) -> Peer:
    """Make an author whom another hub introduced a peer of this hub: he may join groups and have credentials here.

    From now on this hub answers for his keys: what his former home says of them changes nothing here any more. Raises
    NotFound; Conflict for a peer of this hub, and for a hub, which is adopted by its card.
    """
    require_operator(actor)
    with hub.db.write() as tx:
        peer = visible_peer(tx, actor, handle)
        if not peer.abroad:
            raise Conflict("it is a peer of this hub already")
        if peer.kind is PeerKind.HUB:
            raise Conflict("a hub becomes a partner by its card: cybex hub-card adopt")
        peer = store.come_home(tx, peer.id)
        audit.record(tx, hub, actor, "peer.adopt", f"peers/{handle}", peer.id, identity=peer.identity)
    return peer


def require_ours(peer: Peer) -> None:
    """Raise Conflict for an author whom the hub only knows because another hub introduced him."""
    if peer.abroad:
        raise Conflict("it is an author at home at another hub; cybex peer welcome makes it a peer of this one")


def update(
    hub: Hub,
    actor: Actor,
    handle: str,
    *,
    name: str | EllipsisType = ...,
    kind: PeerKind | EllipsisType = ...,
    country: str | EllipsisType | None = ...,
    itu_region: str | EllipsisType | None = ...,
    quantum_safe: str | EllipsisType = ...,
    quota_objects: int | EllipsisType | None = ...,
    quota_octets: int | EllipsisType | None = ...,
    suspended: bool | EllipsisType = ...,
) -> Peer:
    """Change what is named. A suspended peer's credentials are refused from the next request on.

    Raises NotFound; Conflict for suspending the hub's own peer, which would lock the operators out, and for a setting
    of the second signature that contradicts that of a group the peer is in.
    """
    require_reader(actor)
    with hub.db.write() as tx:
        peer = visible_peer(tx, actor, handle)
        require_operator(actor)
        after = (changed(peer.name, name), changed(peer.country, country), changed(peer.itu_region, itu_region))
        _check(*after)
        new_kind, setting = changed(peer.kind, kind), _setting(changed(peer.quantum_safe, quantum_safe))
        if setting is not peer.quantum_safe:
            second_signature.refuse_for_peer(tx, peer, setting)
        before = (peer.name, peer.country, peer.itu_region, peer.kind, peer.quantum_safe)
        if (*after, new_kind, setting) != before:
            name, country, itu_region = after
            with deliveries.noting_loss(tx, peer.id, now=hub.clock()):  # what becomes a hub reads no longer
                store.update(
                    tx, peer.id, name=name, country=country, itu_region=itu_region, kind=new_kind, quantum_safe=setting
                )
            detail = {"name": name, "country": country, "itu_region": itu_region}
            audit.record(
                tx,
                hub,
                actor,
                "peer.update",
                f"peers/{handle}",
                **detail,
                kind=new_kind.value,
                quantum_safe=setting.value,
            )
        quota = (changed(peer.quota_objects, quota_objects), changed(peer.quota_octets, quota_octets))
        if quota != (peer.quota_objects, peer.quota_octets):
            _check_quota(*quota)
            store.update(tx, peer.id, quota_objects=quota[0], quota_octets=quota[1])
            told = {"quota_objects": quota[0], "quota_octets": quota[1]}
            audit.record(tx, hub, actor, "peer.update", f"peers/{handle}", **told)
        now_suspended = changed(peer.suspended_at is not None, suspended)
        if now_suspended and peer.handle == HUB_HANDLE:
            raise Conflict("the hub's own peer cannot be suspended; revoke its credentials instead", field="suspended")
        if now_suspended and peer.suspended_at is None:
            now = hub.clock()
            with deliveries.noting_loss(tx, peer.id, now=now):
                store.suspend(tx, peer.id, now)
            audit.record(tx, hub, actor, "peer.suspend", f"peers/{handle}")
        elif not now_suspended and peer.suspended_at is not None:
            store.restore(tx, peer.id)
            audit.record(tx, hub, actor, "peer.restore", f"peers/{handle}")
        return visible_peer(tx, actor, handle)


def _setting(value: str) -> QuantumSafe:
    naming.one_of(value, tuple(each.value for each in QuantumSafe), "quantum_safe")
    return QuantumSafe(value)


def _check_quota(objects: int | None, octets: int | None) -> None:
    for value, field in ((objects, "quota_objects"), (octets, "quota_octets")):
        if value is not None and not 0 <= value <= limits.QUOTA_MOST:
            raise InvalidRequest(f"a quota is a whole number from 0 to {limits.QUOTA_MOST}, or nothing", field=field)


def _check(name: str, country: str | None, itu_region: str | None) -> None:
    naming.line(name, "name")
    if country is not None:
        naming.country(country)
    if itu_region is not None:
        naming.one_of(itu_region, naming.ITU_REGIONS, "itu_region")
