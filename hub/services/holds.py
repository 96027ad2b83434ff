"""Legal holds: what has to stay as evidence although it is withdrawn. The hub's operator places and ends them.

What is kept is served to nobody; the operator sees it on the hub's own machine. A hold changes nothing in who may read
what, and nobody but the operator can tell that there is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hub.domain import limits, naming
from hub.domain.membership import Collection, TrustGroup
from hub.domain.retraction import STIX_ID
from hub.errors import InvalidRequest, NotFound
from hub.services import audit
from hub.services.actor import NO_GROUP, Actor, require_operator
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import holds as store
from hub.store.holds import Hold, Kept
from hub.store.removal import StoredEntry

NO_HOLD = "there is no such hold, or it was released before; see: cybex hold list"


def keep_evidence(
    tx: Connection, group: TrustGroup, collection: Collection, going: Sequence[StoredEntry], *, now: int
) -> None:
    """Copy what a hold covers, before it is removed in the same transaction."""
    if not going:
        return
    covering = store.covering(tx, group.id, collection.id)
    if covering:
        objects = {hold.stix_id for hold in covering}
        kept = [one.id for one in going if None in objects or objects & {one.stix_id, one.related_to}]
        store.keep(tx, kept, now)


def place(
    hub: Hub, actor: Actor, slug: str, *, collection: str | None = None, stix_id: str | None = None, reason: str
) -> Hold:
    """Hold an object, a collection or a whole group from now on. Operators only; logged. Raises NotFound.

    :param collection: its id or alias; None is every collection of the group.
    """
    require_operator(actor)
    naming.line(reason, "reason", limits.MAX_REASON_LENGTH)
    if stix_id is not None and not STIX_ID.fullmatch(stix_id):
        raise InvalidRequest("give the STIX id of one object, or leave it out to hold everything", field="object")
    uuid = uuid4(hub.token_bytes)
    with hub.db.write() as tx:
        group = group_store.by_slug(tx, slug)
        if group is None:
            raise NotFound(NO_GROUP)
        held = None if collection is None else collection_store.by_ref(tx, group.id, collection)
        if collection is not None and held is None:
            raise NotFound("there is no such collection")
        collection_id = None if held is None else held.id
        now = hub.clock()
        store.place(
            tx, uuid=uuid, group_id=group.id, collection_id=collection_id, stix_id=stix_id, reason=reason, now=now
        )
        audit.record(
            tx,
            hub,
            actor,
            "hold.place",
            f"holds/{uuid}",
            group=slug,
            collection="" if held is None else held.uuid,
            object=stix_id or "",
            reason=reason,
        )
        return _found(tx, uuid)


def listed(hub: Hub, actor: Actor) -> list[Hold]:
    """Return every hold, released ones included, oldest first. Operators only."""
    require_operator(actor)
    with hub.db.read() as tx:
        return store.listed(tx)


def release(hub: Hub, actor: Actor, uuid: str) -> Hold:
    """End a hold: what was kept under it stays until it is purged. Operators only; logged. Raises NotFound."""
    require_operator(actor)
    with hub.db.write() as tx:
        if not store.release(tx, uuid, hub.clock()):
            raise NotFound(NO_HOLD)
        audit.record(tx, hub, actor, "hold.release", f"holds/{uuid}")
        return _found(tx, uuid)


def kept(hub: Hub, actor: Actor, stix_id: str | None = None) -> list[Kept]:
    """Return the evidence, of one object or all of it, in the order in which it was withdrawn. Operators only."""
    require_operator(actor)
    with hub.db.read() as tx:
        return store.kept(tx, stix_id)


def purge(hub: Hub, actor: Actor) -> int:
    """Destroy what was kept and is under no hold any more; return how many versions. Operators only; logged."""
    require_operator(actor)
    with hub.db.write() as tx:
        standing = [one for one in store.listed(tx) if one.released_at is None]
        free = [
            row_id
            for row_id, group_id, collection_id, stix_id in store.places(tx)
            if not any(_covers(one, group_id, collection_id, stix_id) for one in standing)
        ]
        gone = store.purge(tx, free)
        if gone:
            audit.record(tx, hub, actor, "hold.purge", "holds", versions=gone)
    return gone


def _covers(hold: Hold, group_id: int, collection_id: int, stix_id: str) -> bool:
    if hold.group_id != group_id or hold.collection_id not in (None, collection_id):
        return False
    # A signature over a held object is kept with it; by itself it does not say whose it is, so it stays with the hold.
    return hold.stix_id in (None, stix_id) or stix_id.startswith("jss-signature--")


def _found(tx: Connection, uuid: str) -> Hold:
    return next(one for one in store.listed(tx) if one.uuid == uuid)
