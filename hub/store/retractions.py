"""What was withdrawn, by whom, and whom that has to reach: an ordered list per collection that nothing is removed from.

A hub that sends retractions on reads a collection's rows by their ids, from the last one it has handled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select

from hub.domain.audience import Audience
from hub.domain.retraction import Kind
from hub.store import audiences
from hub.store.batches import batches
from hub.store.members import not_partner_hub
from hub.store.tables import (
    acknowledgement,
    audience,
    audience_peer,
    collection,
    collection_override,
    member,
    peer,
    retraction,
    trust_group,
)


@dataclass(frozen=True, slots=True)
class NewRetraction:
    """One object that an act withdrew from some of those who have it, and how they are told.

    :param uuid: of the act; objects, and groups of holders, of the same act share it.
    :param versions: (version, SHA-256 in hex) of each version that went, oldest first.
    :param holders: a named audience. :param notice_id: STIX id of what tells them of it in the feed.
    """

    uuid: str
    collection_id: int
    stix_id: str
    kind: Kind
    reason: str | None
    at: int
    actor_peer_id: int | None
    author_peer_id: int | None
    versions: tuple[tuple[str, str], ...]
    holders: Audience
    notice_id: str | None
    log_index: int | None = None


@dataclass(frozen=True, slots=True)
class Retraction(NewRetraction):
    """The same as it is stored, with the names of its places."""

    id: int = 0
    group_id: int = 0
    group: str = ""
    collection: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """A peer that may read in a collection now. ``joined_at`` is in microseconds since the epoch."""

    peer_id: int
    joined_at: int


def readers(tx: Connection, collection_id: int) -> list[Reader]:
    """Return the active members who may read in the collection, audiences aside; no other hub reads as a member."""
    o = collection_override.c
    rows = tx.execute(
        select(member.c.peer_id, member.c.joined_at)
        .select_from(collection)
        .join(member, member.c.group_id == collection.c.group_id)
        .join(peer, peer.c.id == member.c.peer_id)
        .outerjoin(collection_override, and_(o.collection_id == collection.c.id, o.peer_id == member.c.peer_id))
        .where(
            collection.c.id == collection_id,
            member.c.suspended_at.is_(None),
            peer.c.suspended_at.is_(None),
            func.coalesce(o.can_read, member.c.may_read),
            not_partner_hub(),
        )
    )
    return [Reader(*row) for row in rows]


def add(tx: Connection, new: Sequence[NewRetraction]) -> None:
    """Record what was withdrawn. The audiences of the holders are known already (`entries.intern`)."""
    if not new:
        return
    ids = audiences.intern(tx, {one.holders for one in new})
    tx.execute(
        insert(retraction),
        [
            {
                "uuid": one.uuid,
                "collection_id": one.collection_id,
                "stix_id": one.stix_id,
                "kind": one.kind,
                "reason": one.reason,
                "at": one.at,
                "actor_peer_id": one.actor_peer_id,
                "author_peer_id": one.author_peer_id,
                "versions": orjson.dumps(one.versions),
                "holders_audience_id": ids[one.holders],
                "notice_id": one.notice_id,
                "log_index": one.log_index,
            }
            for one in new
        ],
    )


def named(tx: Connection, name: str) -> list[Retraction]:
    """Return what this act, this notice or this object stands for, oldest first."""
    c = retraction.c
    return _rows(tx, or_(c.uuid == name, c.notice_id == name, c.stix_id == name))


def of_acts(tx: Connection, uuids: Sequence[str]) -> list[Retraction]:
    """Return the rows of these acts, oldest first."""
    found: list[Retraction] = []
    for some in batches(sorted(set(uuids))):
        found += _rows(tx, retraction.c.uuid.in_(some))
    return sorted(found, key=lambda one: one.id)


def acts(
    tx: Connection, *, limit: int, before: int | None, peer_id: int | None, group_ids: Sequence[int]
) -> list[tuple[int, str]]:
    """Return (last row id, uuid) of acts, the newest first.

    :param before: a row id; None starts with the newest.
    :param peer_id: only what this peer did or authored, or what concerns these groups; None is everything.
    """
    c = retraction.c
    last = func.max(c.id).label("last")
    statement = select(last, c.uuid).join(collection, collection.c.id == c.collection_id).group_by(c.uuid)
    if peer_id is not None:
        statement = statement.where(
            or_(c.actor_peer_id == peer_id, c.author_peer_id == peer_id, collection.c.group_id.in_(list(group_ids)))
        )
    if before is not None:
        statement = statement.having(last < before)
    return [(row.last, row.uuid) for row in tx.execute(statement.order_by(last.desc()).limit(limit))]


def acts_held_by(tx: Connection, peer_id: int, *, since: int, limit: int) -> list[str]:
    """Return acts since a time that have to reach this peer, the newest first."""
    c = retraction.c
    last = func.max(c.id).label("last")
    statement = (
        select(c.uuid, last)
        .join(audience_peer, audience_peer.c.audience_id == c.holders_audience_id)
        .where(audience_peer.c.peer_id == peer_id, c.at >= since)
        .group_by(c.uuid)
        .order_by(last.desc())
        .limit(limit)
    )
    return [row.uuid for row in tx.execute(statement)]


def notices_among(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> set[str]:
    """Return which of these notes are the notices of a retraction in the collection."""
    c = retraction.c
    found: set[str] = set()
    for some in batches(sorted(set(stix_ids))):
        found.update(
            tx.execute(
                select(c.notice_id).where(
                    c.notice_id.in_(some), c.collection_id == collection_id, c.notice_id != c.stix_id
                )
            ).scalars()
        )
    return found


def removed_at(tx: Connection, group_id: int, stix_ids: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return when each peer said that it had removed each of these objects, by (STIX id, peer id)."""
    c = acknowledgement.c
    found: dict[tuple[str, int], int] = {}
    for some in batches(sorted(set(stix_ids))):
        rows = tx.execute(
            select(c.stix_id, c.peer_id, func.max(c.at).label("at"))
            .where(c.group_id == group_id, c.stix_id.in_(some), c.outcome == "removed")
            .group_by(c.stix_id, c.peer_id)
        )
        found.update(((row.stix_id, row.peer_id), row.at) for row in rows)
    return found


def _rows(tx: Connection, condition: ColumnElement[bool]) -> list[Retraction]:
    c = retraction.c
    rows = tx.execute(
        select(
            c.uuid,
            c.collection_id,
            c.stix_id,
            c.kind,
            c.reason,
            c.at,
            c.actor_peer_id,
            c.author_peer_id,
            c.versions,
            audience.c.key.label("holders"),
            c.notice_id,
            c.log_index,
            c.id,
            collection.c.group_id,
            trust_group.c.slug.label("group"),
            collection.c.uuid.label("collection"),
        )
        .join(audience, audience.c.id == c.holders_audience_id)
        .join(collection, collection.c.id == c.collection_id)
        .join(trust_group, trust_group.c.id == collection.c.group_id)
        .where(condition)
        .order_by(c.id)
    )
    return [_retraction(row._asdict()) for row in rows]


def _retraction(given: dict[str, Any]) -> Retraction:
    given["versions"] = tuple((version, sha256) for version, sha256 in orjson.loads(given["versions"]))
    given["holders"] = Audience.from_key(given["holders"])
    return Retraction(**given)
