"""Collections of a trust group, and what single members may do in them differently from the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, bindparam, delete, insert, or_, select
from sqlalchemy import update as update_rows

from hub.domain.membership import Collection, Member, Retention, TrustGroup
from hub.errors import InvalidRequest, NotFound
from hub.store.conflicts import refusing_duplicates
from hub.store.prepared import Prepared
from hub.store.rows import (
    COLLECTION,
    GROUP,
    MEMBER,
    collection_from,
    collection_of,
    group_from,
    member_from,
    override_from,
)
from hub.store.tables import collection, collection_override, member, trust_group

Override = tuple[bool | None, bool | None]
"""(can_read, can_write) of one member in one collection; None inherits the right in the group."""

_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def add(
    tx: Connection,
    *,
    group_id: int,
    uuid: str,
    title: str,
    description: str | None,
    alias: str | None,
    allowed_types: Iterable[str] | None,
    now: int,
) -> Collection:
    """Return the new, empty collection.

    Raises Conflict when the alias is taken in the group or the UUID on the hub, InvalidRequest when the alias looks
    like a UUID: a URL could then mean two collections.
    """
    if alias is not None and _UUID.fullmatch(alias):
        raise InvalidRequest("an alias may not look like a UUID; choose a word", field="alias")
    values = {
        "group_id": group_id,
        "uuid": uuid,
        "title": title,
        "description": description,
        "alias": alias,
        "allowed_types": None if allowed_types is None else ",".join(sorted(allowed_types)),
        "created_at": now,
    }
    with refusing_duplicates(tx, "a collection with this alias exists already in the group", field="alias"):
        return collection_of(tx.execute(insert(collection).values(values).returning(*collection.c)).one())


def update(tx: Connection, collection_id: int, *, title: str, description: str | None, retention: Retention) -> None:
    """Make these its title, description and retention, whose None is for ever."""
    tx.execute(
        update_rows(collection)
        .where(collection.c.id == collection_id)
        .values(
            title=title,
            description=description,
            retain_added=retention.added,
            retain_expired=retention.expired,
            retain_revoked=retention.revoked,
        )
    )


def by_id(tx: Connection, collection_id: int) -> Collection:
    """Return the collection with this id, which came out of the database. Raises NotFound."""
    row = tx.execute(select(collection).where(collection.c.id == collection_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such collection")
    return collection_of(row)


def by_ref(tx: Connection, group_id: int, ref: str) -> Collection | None:
    """Return a collection of the group by its UUID or its alias."""
    named = or_(collection.c.uuid == ref, collection.c.alias == ref)
    row = tx.execute(select(collection).where(collection.c.group_id == group_id, named)).one_or_none()
    return None if row is None else collection_of(row)


def of_group(tx: Connection, group_id: int) -> list[Collection]:
    """Return the collections of a group, by UUID."""
    rows = tx.execute(select(collection).where(collection.c.group_id == group_id).order_by(collection.c.uuid))
    return [collection_of(row) for row in rows]


def set_override(
    tx: Connection, collection_id: int, peer_id: int, can_read: bool | None, can_write: bool | None
) -> None:
    """Make this what the member may do here; None inherits, and two None remove the line."""
    tx.execute(
        delete(collection_override).where(
            collection_override.c.collection_id == collection_id, collection_override.c.peer_id == peer_id
        )
    )
    if (can_read, can_write) != (None, None):
        tx.execute(
            insert(collection_override).values(
                collection_id=collection_id, peer_id=peer_id, can_read=can_read, can_write=can_write
            )
        )


def overrides(tx: Connection, collection_id: int) -> dict[int, Override]:
    """Return (can_read, can_write) of every peer for which this collection differs from the group."""
    c = collection_override.c
    rows = tx.execute(select(c.peer_id, c.can_read, c.can_write).where(c.collection_id == collection_id))
    return {peer_id: (can_read, can_write) for peer_id, can_read, can_write in rows}


def open_for(
    tx: Connection, slug: str, peer_id: int, ref: str
) -> tuple[TrustGroup, Collection, Member, Override | None] | None:
    """Return a collection by UUID or alias as its active member sees it; None, whatever is missing, after one query."""
    rows = _OPEN.rows(tx, slug=slug, reader=peer_id, ref=ref)
    if not rows:
        return None
    group, opened, membership, override = _parts(rows[0])
    return group_from(group), collection_from(opened), member_from(membership), override_from(override)


def list_for(
    tx: Connection, slug: str, peer_id: int
) -> tuple[TrustGroup, Member, list[tuple[Collection, Override | None]]] | None:
    """Return a group and its collections, by UUID, as its active member sees them; None, whatever is missing."""
    rows = [_parts(row) for row in _LIST.rows(tx, slug=slug, reader=peer_id)]
    if not rows:
        return None
    listed = [
        (collection_from(opened), override_from(override)) for _, opened, _, override in rows if opened[0] is not None
    ]
    return group_from(rows[0][0]), member_from(rows[0][2]), listed


_Values = tuple[Any, ...]


def _parts(row: _Values) -> tuple[_Values, _Values, _Values, _Values]:
    """Cut a row of `_as_member` into the values of group, collection, member and override."""
    return row[:GROUP], row[GROUP:_MEMBER], row[_MEMBER:_OVERRIDE], row[_OVERRIDE:]


_MEMBER: Final = GROUP + COLLECTION
_OVERRIDE: Final = _MEMBER + MEMBER


def _as_member(*, outer: bool = False) -> Select[tuple[object, ...]]:
    joined = (
        trust_group.join(member, member.c.group_id == trust_group.c.id)
        .join(collection, collection.c.group_id == trust_group.c.id, isouter=outer)
        .outerjoin(
            collection_override,
            and_(
                collection_override.c.collection_id == collection.c.id,
                collection_override.c.peer_id == member.c.peer_id,
            ),
        )
    )
    return (
        select(trust_group, collection, member, collection_override.c.can_read, collection_override.c.can_write)
        .select_from(joined)
        .where(
            trust_group.c.slug == bindparam("slug"),
            member.c.peer_id == bindparam("reader"),
            member.c.suspended_at.is_(None),
        )
    )


_OPEN: Final = Prepared(
    _as_member().where(or_(collection.c.uuid == bindparam("ref"), collection.c.alias == bindparam("ref")))
)
_LIST: Final = Prepared(_as_member(outer=True).order_by(collection.c.uuid))
