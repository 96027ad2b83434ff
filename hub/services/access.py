"""What a caller may know of: his groups, his collections, and what he may do there.

A group, a collection and a membership that is missing give the same answer after the same single query, so that neither
the text nor the work done tells them apart. For another hub there are none: the relay is its one door.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain.membership import (
    Caller,
    Collection,
    CollectionRights,
    Member,
    Peer,
    Right,
    TrustGroup,
    effective_rights,
)
from hub.errors import Forbidden, NotFound
from hub.services.acquaintance import reader_id
from hub.store import collections as collection_store
from hub.store import groups as group_store


@dataclass(frozen=True, slots=True)
class OpenCollection:
    """A collection the caller may know of, and his rights in it (which may both be absent)."""

    group: TrustGroup
    collection: Collection
    rights: CollectionRights


def groups(tx: Connection, caller: Caller) -> list[TrustGroup]:
    """Return the trust groups of which the caller is an active member, by slug."""
    return group_store.of_peer(tx, reader_id(caller.peer))


def collections(
    tx: Connection, caller: Caller, slug: str
) -> tuple[TrustGroup, list[tuple[Collection, CollectionRights]]]:
    """Return a group of the caller and its collections by id. Raises NotFound when he may not know of the group."""
    found = collection_store.list_for(tx, slug, reader_id(caller.peer))
    if found is None:
        raise NotFound("there is no such API root")
    group, member, rows = found
    opened = []
    for collection, override in rows:
        rights = effective_rights(member, override)
        if rights is None:
            raise NotFound("there is no such API root")
        opened.append((collection, rights))
    return group, opened


def group(tx: Connection, caller: Caller, slug: str) -> tuple[TrustGroup, Member]:
    """Return a group and the caller's membership. Raises NotFound when he may not know of it."""
    found = collection_store.list_for(tx, slug, reader_id(caller.peer))
    if found is None or effective_rights(found[1], None) is None:
        raise NotFound("there is no such API root")
    return found[0], found[1]


def collection(tx: Connection, caller: Caller, slug: str, ref: str) -> OpenCollection:
    """Return a collection by id or alias. Raises NotFound when the caller may not know of it."""
    return _opened(tx, slug, reader_id(caller.peer), ref)


def relayed(tx: Connection, peer: Peer, slug: str, ref: str) -> OpenCollection:
    """Return a collection as another hub is a member of it: ``can_read`` is what may be handed to it, ``can_write``
    what is taken from it. For the relay alone, which asks an agreement about every object. Raises NotFound.
    """
    return _opened(tx, slug, peer.id, ref)


def _opened(tx: Connection, slug: str, peer_id: int, ref: str) -> OpenCollection:
    found = collection_store.open_for(tx, slug, peer_id, ref)
    if found is None:
        raise NotFound("there is no such collection")
    trust_group, opened, member, override = found
    rights = effective_rights(member, override)
    if rights is None:
        raise NotFound("there is no such collection")
    return OpenCollection(trust_group, opened, rights)


def require(rights: CollectionRights, right: Right) -> None:
    """Raise Forbidden unless the caller has this right in the collection he has opened."""
    held = {Right.READ: rights.can_read, Right.WRITE: rights.can_write, Right.MODERATE: rights.can_moderate}[right]
    if not held:
        raise Forbidden(f"this collection does not give you the right to {right.value}")
