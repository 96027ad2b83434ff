"""Collections of a group, and what single members may do in them beyond or below their rights in the group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import EllipsisType

from sqlalchemy import Connection

from hub.domain import naming
from hub.domain.membership import Collection, CollectionRights, Member, Peer, Retention, TrustGroup, effective_rights
from hub.errors import Forbidden, NotFound
from hub.services import audit, deliveries
from hub.services.acquaintance import known_peers
from hub.services.actor import (
    Actor,
    known_member,
    limited,
    moderated_group,
    operated_group,
    require_reader,
    require_second,
    visible_group,
)
from hub.services.change import changed
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.store import collections as store
from hub.store import members as member_store
from hub.store.collections import Override

NO_COLLECTION = "there is no such collection"


@dataclass(frozen=True, slots=True)
class MemberRights:
    """What one member may do in one collection, and what was set for it."""

    peer: Peer
    override: Override
    rights: CollectionRights | None  # None while the membership is suspended


def listed(hub: Hub, actor: Actor, slug: str) -> tuple[TrustGroup, list[tuple[Collection, CollectionRights | None]]]:
    """Return the collections by id with the actor's own rights in each (None for an operator who is no member)."""
    require_reader(actor)
    with hub.db.read() as tx:
        trust_group, mine = visible_group(tx, actor, slug)
        caller = limited(actor)
        own = None if caller is None else store.list_for(tx, slug, caller.peer.id)
        if own is None:
            return trust_group, [(row, None) for row in store.of_group(tx, trust_group.id)]
        return trust_group, [(row, effective_rights(mine, override)) for row, override in own[2]]


def shown(hub: Hub, actor: Actor, slug: str, ref: str) -> tuple[Collection, CollectionRights | None]:
    """Return one collection by id or alias. Raises NotFound."""
    for collection, rights in listed(hub, actor, slug)[1]:
        if ref in (collection.uuid, collection.alias):
            return collection, rights
    raise NotFound(NO_COLLECTION)


def add(
    hub: Hub,
    actor: Actor,
    slug: str,
    *,
    title: str,
    description: str | None = None,
    alias: str | None = None,
    allowed_types: Iterable[str] | None = None,
) -> Collection:
    """Add a collection to a group. Raises Conflict when the alias is taken in this group."""
    require_reader(actor)
    naming.line(title, "title")
    if description is not None:
        naming.text(description, "description")
    if alias is not None:
        naming.alias(alias)
    types = None if allowed_types is None else naming.stix_types(tuple(allowed_types))
    with hub.db.write() as tx:
        trust_group = operated_group(tx, actor, slug)
        collection = store.add(
            tx,
            group_id=trust_group.id,
            uuid=uuid4(hub.token_bytes),
            title=title,
            description=description,
            alias=alias,
            allowed_types=types,
            now=hub.clock(),
        )
        audit.record(
            tx,
            hub,
            actor,
            "collection.add",
            f"groups/{slug}/collections/{collection.uuid}",
            title=title,
            description=description,
            alias=alias,
            allowed_types=None if types is None else sorted(types),
        )
    return collection


def update(
    hub: Hub,
    actor: Actor,
    slug: str,
    ref: str,
    *,
    title: str | EllipsisType = ...,
    description: str | EllipsisType | None = ...,
    retention: Retention | EllipsisType = ...,
) -> Collection:
    """Change what is named; what it no longer keeps goes with the next run of retention. Operators only."""
    require_reader(actor)
    with hub.db.write() as tx:
        trust_group = operated_group(tx, actor, slug)
        before = _found(tx, trust_group, ref)
        new_title, new_description = changed(before.title, title), changed(before.description, description)
        naming.line(new_title, "title")
        if new_description is not None:
            naming.text(new_description, "description")
        kept = changed(before.retention, retention)
        store.update(tx, before.id, title=new_title, description=new_description, retention=kept)
        after = _found(tx, trust_group, before.uuid)
        detail = {name: getattr(after, name) for name in ("title", "description") if before != after}
        detail = {name: value for name, value in detail.items() if getattr(before, name) != value}
        if after.retention != before.retention:
            detail |= {f"keep_{name}_seconds": seconds for name, seconds in retention_seconds(after.retention).items()}
        if detail:
            subject = f"groups/{slug}/collections/{before.uuid}"
            audit.record(tx, hub, actor, "collection.update", subject, **detail)
        return after


def retention_seconds(retention: Retention) -> dict[str, int | None]:
    """Return what a collection keeps, in seconds; None is for ever."""
    return {
        name: None if us is None else us // 1_000_000
        for name, us in (("added", retention.added), ("expired", retention.expired), ("revoked", retention.revoked))
    }


def rights(hub: Hub, actor: Actor, slug: str, ref: str) -> list[MemberRights]:
    """Return what each member may do in a collection, by handle; for those who manage the members they know of."""
    require_reader(actor)
    with hub.db.read() as tx:
        trust_group, _ = moderated_group(tx, actor, slug)
        collection = _found(tx, trust_group, ref)
        overrides = store.overrides(tx, collection.id)
        known = known_peers(tx, limited(actor), trust_group)
        everyone = sorted(member_store.of_group(tx, trust_group.id), key=lambda row: row[0].handle)
        rows = [row for row in everyone if row[0].id in known]
    return [
        MemberRights(peer, overrides.get(peer.id, (None, None)), effective_rights(member, overrides.get(peer.id)))
        for peer, member in rows
    ]


def set_rights(hub: Hub, actor: Actor, slug: str, ref: str, handle: str, override: Override) -> MemberRights:
    """Narrow or lift what a member may do in one collection; (None, None) gives back his rights in the group.

    A moderator lifts nobody above what he may do in this collection himself, and changes nothing for himself.
    """
    require_reader(actor)
    with hub.db.write() as tx:
        return set_rights_in(tx, hub, actor, slug, ref, handle, override)


def set_rights_in(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    slug: str,
    ref: str,
    handle: str,
    override: Override,
    *,
    second: Mapping[str, object] | None = None,
) -> MemberRights:
    """Do what `set_rights` does in a transaction; ``second`` as in `hub.services.members.put_in`."""
    trust_group, mine = moderated_group(tx, actor, slug)
    collection = _found(tx, trust_group, ref)
    peer, member = known_member(tx, actor, trust_group, handle)
    overrides = store.overrides(tx, collection.id)
    if mine is not None:
        _guard(mine, overrides.get(mine.peer_id), member, override)
        require_second(trust_group, second)
    with deliveries.noting_loss(tx, peer.id, now=hub.clock()):
        store.set_override(tx, collection.id, peer.id, *override)
    audit.record(
        tx,
        hub,
        actor,
        "collection.rights",
        f"groups/{slug}/collections/{collection.uuid}/rights/{handle}",
        can_read=override[0],
        can_write=override[1],
        **second or {},
    )
    return MemberRights(peer, override, effective_rights(member, override))


def _guard(mine: Member, my_override: Override | None, target: Member, override: Override) -> None:
    if target.peer_id == mine.peer_id:
        raise Forbidden("your own rights are changed by the operator or by another moderator")
    if not target.rights <= mine.rights:
        raise Forbidden("this member has a right that you have not; ask the operator")
    own = effective_rights(mine, my_override)
    # Counted as if the member were not suspended: a right given now is there when he is restored.
    given = effective_rights(Member(target.group_id, target.peer_id, target.rights), override)
    if own is None or given is None or (given.can_read and not own.can_read) or (given.can_write and not own.can_write):
        raise Forbidden("you cannot give a right that you have not in this collection")


def _found(tx: Connection, trust_group: TrustGroup, ref: str) -> Collection:
    collection = store.by_ref(tx, trust_group.id, ref)
    if collection is None:
        raise NotFound(NO_COLLECTION)
    return collection
