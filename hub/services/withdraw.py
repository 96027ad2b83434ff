"""Take an object, or some versions of it, out of one collection: a DELETE (TAXII 2.1 §5.7), or an emergency withdrawal.

Both leave a tombstone, tell everyone who has what went, and put both on record, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from hub.domain import limits, naming
from hub.domain.membership import Caller, Collection, Peer, Right, TrustGroup
from hub.domain.retraction import Kind
from hub.domain.taxii import Query
from hub.errors import Forbidden, NotFound
from hub.services import access, audit, holds, withdrawal
from hub.services.access import OpenCollection
from hub.services.actor import Actor, is_operator, require_operator, require_reader
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.services.withdrawal import Act, Lost, holders
from hub.store import collections as collection_store
from hub.store import entries as entry_store
from hub.store import groups as group_store
from hub.store import held as held_store
from hub.store import pages, removal, tombstones
from hub.store import pseudonyms as pseudonym_store
from hub.store import retractions as retraction_store
from hub.store.pages import Selection
from hub.store.removal import StoredEntry

NO_OBJECT: Final = "there is no such object"
NO_COLLECTION: Final = "there is no such collection"
A_NOTICE: Final = "a notice of a retraction stays: those who read it late still have to learn of it"


def delete(
    hub: Hub, caller: Caller, opened: OpenCollection, stix_id: str, query: Query | None, *, reason: str | None = None
) -> int:
    """Remove an object, tell whoever has it, and leave a tombstone; return how many versions went.

    1. Without any right in the collection the object does not exist; with one of the two it may not be deleted.
    2. The caller must be able to see it: otherwise it does not exist for him.
    3. Without ``match[version]`` all versions go, else a client would find an older one in its place. What others
       introduced and he cannot see stays for its readers, unless he moderates: it must not show in the answer.
    4. Every version that goes must be his: of an author who is his peer, or introduced by him; or he moderates.
    5. A notice of a retraction is deleted by nobody.
    6. What he has under embargo is never published.

    :param query: the versions meant; None for all of them.
    """
    rights = opened.rights
    if not rights.can_read and not rights.can_write:  # 1
        raise NotFound(NO_OBJECT)
    if not (rights.can_read and rights.can_write):
        raise Forbidden("deleting needs both the right to read and the right to write")
    with hub.db.write() as tx:
        now = hub.clock()
        entry_store.lock(tx, opened.collection.id)
        visible = pages.visible_versions_of(tx, opened.collection.id, caller.peer.id, stix_id, now)
        held = [] if query is not None else _held(tx, opened.collection, caller.peer, stix_id)
        if not visible and not held:  # 2
            raise NotFound(NO_OBJECT)
        here = removal.of_objects(tx, opened.collection.id, [stix_id]).get(stix_id, [])
        owners = pseudonym_store.owners(tx, opened.group.id)
        his = {one.id for one in here if _owner(one, owners) == caller.peer.id}
        if query is not None:
            chosen = pages.version_keys(tx, _selection(caller, opened, stix_id, query, now))
            if not chosen:
                raise NotFound("there is no such version")
            going = [one for one in here if one.version_key in chosen]
        else:  # 3
            seen = {version.version_key for version in visible}
            going = [one for one in here if rights.can_moderate or one.version_key in seen or one.id in his]
        own = all(one.id in his for one in going)
        if not rights.can_moderate and not own:  # 4
            raise Forbidden("only its author, the peer that introduced it, or a moderator may delete this")
        _take_away(
            tx,
            hub,
            caller,
            opened.group,
            opened.collection,
            here,
            going,
            owners,
            kind="deleted" if own else "moderated",
            reason=reason,
            held=held,
            stix_id=stix_id,
            now=now,
        )
    return len(going) + len(held)


def withdraw(hub: Hub, actor: Actor, slug: str, ref: str, stix_id: str, *, reason: str) -> int:
    """Withdraw all versions of an object in an emergency; return how many. Its author does not bring it back himself.

    For the operator, and for moderators of the group, who need not be able to read it. Raises NotFound, Forbidden.
    """
    naming.line(reason, "reason", limits.MAX_REASON_LENGTH)
    with hub.db.write() as tx:
        now = hub.clock()
        group, collection = _moderated(tx, actor, slug, ref)
        entry_store.lock(tx, collection.id)
        here = removal.of_objects(tx, collection.id, [stix_id]).get(stix_id, [])
        held = [one.id for one in held_store.of_object(tx, stix_id) if one.collection_id == collection.id]
        if not here and not held:
            raise NotFound(NO_OBJECT)
        owners = pseudonym_store.owners(tx, group.id)
        _take_away(
            tx,
            hub,
            actor,
            group,
            collection,
            here,
            here,
            owners,
            kind="moderated",
            reason=reason,
            held=held,
            stix_id=stix_id,
            now=now,
        )
    return len(here) + len(held)


def lift(hub: Hub, actor: Actor, slug: str, ref: str, stix_id: str) -> int:
    """Let its owner post again what was withdrawn in an emergency; return how many tombstones that concerned.

    Where the group wants two persons for that, the moderator who withdrew it does not lift it himself. Raises NotFound.
    """
    with hub.db.write() as tx:
        group, collection = _moderated(tx, actor, slug, ref)
        entry_store.lock(tx, collection.id)
        if isinstance(actor, Caller) and not is_operator(actor) and group.two_person:
            acts = [one for one in retraction_store.named(tx, stix_id) if one.kind == "moderated"]
            if any(one.actor_peer_id == actor.peer.id for one in acts if one.collection_id == collection.id):
                raise Forbidden(
                    "this group wants two persons: another moderator, or the operator, lifts what you withdrew"
                )
        lifted = tombstones.lift(tx, collection.id, stix_id)
        if not lifted:
            raise NotFound("there is nothing here that a moderator has withdrawn")
        audit.record(tx, hub, actor, "object.lift", f"{slug}/{collection.uuid}/{stix_id}")
    return lifted


def _take_away(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    group: TrustGroup,
    collection: Collection,
    here: Sequence[StoredEntry],
    going: Sequence[StoredEntry],
    owners: Mapping[str, int],
    *,
    kind: Kind,
    reason: str | None,
    held: Sequence[int],
    stix_id: str,
    now: int,
) -> None:
    """Remove, bar the way back, tell and record; the collection is locked."""
    if retraction_store.notices_among(tx, collection.id, [stix_id]):
        raise Forbidden(A_NOTICE)
    held_store.remove(tx, held)
    peer = actor.peer if isinstance(actor, Caller) else None
    having = holders(tx, collection.id, going, owners, now=now)
    lost = [Lost(entry, peers) for entry, peers in zip(going, having, strict=True)]
    gone = {one.id for one in going}
    whole = all(one.id in gone for one in here)
    signatures = [
        one
        for one, version in removal.signatures_over(tx, collection.id, [stix_id])
        if not _signs(version, [one for one in here if one.id not in gone])
    ]
    holds.keep_evidence(tx, group, collection, [*going, *signatures], now=now)
    removal.remove(tx, collection.id, [*going, *signatures])
    if going:
        owner = _owner(going[0], owners) if kind == "moderated" else _peer_id(peer)
        keys = None if whole else {one.version_key for one in going}
        moderated = kind == "moderated"
        tombstones.dig(tx, collection.id, stix_id, keys, owner_peer_id=owner, now=now, moderated=moderated)
    act = Act(uuid4(hub.token_bytes), kind, peer, reason, lost, frozenset({stix_id} if whole else ()))
    told = withdrawal.prepare(tx, hub, group, collection, [act] if lost else [], now=now)
    entry_store.intern(tx, told.audiences)
    withdrawal.write(tx, hub, group, collection, told, now=now)
    audit.record(
        tx,
        hub,
        actor,
        "object.delete" if kind == "deleted" else "object.withdraw",
        f"{group.slug}/{collection.uuid}/{stix_id}",
        versions=len(going),
        held=len(held),
    )


def _moderated(tx: Connection, actor: Actor, slug: str, ref: str) -> tuple[TrustGroup, Collection]:
    """Return a collection where the actor may withdraw what is not his. Raises NotFound, Forbidden."""
    require_reader(actor)
    if isinstance(actor, Caller) and not is_operator(actor):
        opened = access.collection(tx, actor, slug, ref)
        access.require(opened.rights, Right.MODERATE)
        return opened.group, opened.collection
    require_operator(actor)
    group = group_store.by_slug(tx, slug)
    collection = None if group is None else collection_store.by_ref(tx, group.id, ref)
    if group is None or collection is None:
        raise NotFound(NO_COLLECTION)
    return group, collection


def _held(tx: Connection, collection: Collection, peer: Peer, stix_id: str) -> list[int]:
    return [
        one.id
        for one in held_store.of_object(tx, stix_id)
        if one.collection_id == collection.id and one.peer_id == peer.id
    ]


def _owner(one: StoredEntry, owners: Mapping[str, int]) -> int:
    """Return the author's peer, or the one that introduced what has no author on this hub."""
    return owners.get(one.author_identity or "", one.submitter_peer_id)


def _peer_id(peer: Peer | None) -> int:
    if peer is None:
        raise AssertionError("the hub's own machine deletes nothing of its own")
    return peer.id


def _signs(version: str, staying: Sequence[StoredEntry]) -> bool:
    return any(version == one.named_by_signatures for one in staying)


def _selection(caller: Caller, opened: OpenCollection, stix_id: str, query: Query, now: int) -> Selection:
    return Selection(opened.collection.id, caller.peer.id, now, ids=(stix_id,), versions=query.versions)
