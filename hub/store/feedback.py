"""Which stored sightings, opinions and notes are about which object, and what one peer may see of them.

A row lives as long as its entry: whatever is asked joins the two, and rows whose entry is gone are never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, insert, literal, or_, select
from sqlalchemy.sql.functions import coalesce, count

from hub.store.batches import batches
from hub.store.tables import (
    WHOLE_GROUP_ID,
    audience,
    audience_peer,
    collection,
    collection_override,
    entry,
    feedback,
    member,
    peer,
    trust_group,
)


@dataclass(frozen=True, slots=True)
class NewFeedback:
    """That a stored version is about an object. :param value: an opinion, or the count of a sighting."""

    target: str
    date_added: int
    type: str
    value: str | None
    log_index: int


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """A version that is about an object. Times are microseconds since the epoch."""

    target: str
    stix_id: str
    type: str
    value: str | None
    author_identity: str | None
    group: str  # slug
    collection: str  # UUID
    date_added: int
    log_index: int


def add(tx: Connection, collection_id: int, rows: Sequence[NewFeedback]) -> None:
    """Note what the versions just stored in a collection are about."""
    if rows:
        tx.execute(
            insert(feedback),
            [
                {
                    "target": row.target,
                    "collection_id": collection_id,
                    "date_added": row.date_added,
                    "type": row.type,
                    "value": row.value,
                    "log_index": row.log_index,
                }
                for row in rows
            ],
        )


def forget(tx: Connection, collection_id: int, dates: Sequence[int]) -> None:
    """Remove the rows of versions that are removed, by their `date_added`."""
    c = feedback.c
    for some in batches(dates):
        tx.execute(delete(feedback).where(c.collection_id == collection_id, c.date_added.in_(some)))


def about(tx: Connection, target: str, reader: int | None, now: int, *, limit: int) -> list[StoredFeedback]:
    """Return the latest versions that are about an object, as a peer may see them (None: everything), newest first."""
    statement = _rows().where(feedback.c.target == target, entry.c.superseded_at.is_(None))
    if reader is not None:
        statement = statement.where(*visible(reader, now))
    statement = statement.order_by(feedback.c.log_index.desc()).limit(limit)
    return [StoredFeedback(*row) for row in tx.execute(statement)]


def since(
    tx: Connection, authors: Sequence[str], reader: int, now: int, *, after: int, upto: int
) -> list[StoredFeedback]:
    """Return what is about objects of these authors and stands in the log between two places, in its order.

    :param after: exclusive. :param upto: inclusive.
    """
    mine = entry.alias("mine")
    his = exists().where(mine.c.stix_id == feedback.c.target, mine.c.author_identity.in_(authors))
    statement = _rows().where(feedback.c.log_index > after, feedback.c.log_index <= upto, his, *visible(reader, now))
    rows = tx.execute(statement.order_by(feedback.c.log_index, feedback.c.target))
    return [StoredFeedback(*row) for row in rows]


def stretch(tx: Connection, after: int, rows: int) -> tuple[int, bool]:
    """Return up to which place of the log so many rows reach, and whether there are more behind it."""
    c = feedback.c
    places = list(
        tx.execute(select(c.log_index).where(c.log_index > after).order_by(c.log_index).limit(rows + 1)).scalars()
    )
    if len(places) <= rows:
        return (places[-1] if places else after), False
    whole = [place for place in places if place < places[-1]]  # the last one may have rows that were not counted
    return (whole[-1] if whole else places[-1]), True


def sees(tx: Connection, stix_id: str, reader: int | None, now: int) -> bool:
    """Say whether a peer (None: the operator) may see any version of an object anywhere on the hub."""
    statement = (
        select(literal(1))
        .select_from(entry.join(collection, collection.c.id == entry.c.collection_id))
        .where(entry.c.stix_id == stix_id)
        .limit(1)
    )
    if reader is not None:
        statement = statement.where(*visible(reader, now))
    return tx.execute(statement).first() is not None


def visible(reader: int, now: int) -> tuple[ColumnElement[bool], ...]:
    """Return the rules of reading (`hub.domain.policy.reading`) for rows that join `entry` and `collection`."""
    m, o, p = member.alias("m"), collection_override.alias("o"), peer.alias("r")
    overrides = and_(o.c.collection_id == collection.c.id, o.c.peer_id == m.c.peer_id)
    reads = (
        exists()
        .select_from(m.join(p, p.c.id == m.c.peer_id).outerjoin(o, overrides))
        .where(
            m.c.group_id == collection.c.group_id,
            m.c.peer_id == reader,
            m.c.suspended_at.is_(None),
            p.c.suspended_at.is_(None),
            coalesce(o.c.can_read, m.c.may_read),
        )
    )
    inside = (
        select(count())
        .where(audience_peer.c.audience_id == entry.c.audience_id, audience_peer.c.peer_id == reader)
        .scalar_subquery()
    )
    kind = select(audience.c.kind).where(audience.c.id == entry.c.audience_id).scalar_subquery()
    admitted = or_(
        entry.c.audience_id == WHOLE_GROUP_ID, and_(kind == "named", inside == 1), and_(kind == "except", inside == 0)
    )
    standing = or_(entry.c.expires_at.is_(None), entry.c.expires_at > now)
    return reads, admitted, standing


def _rows() -> Select[Any]:
    same = and_(entry.c.collection_id == feedback.c.collection_id, entry.c.date_added == feedback.c.date_added)
    return (
        select(
            feedback.c.target,
            entry.c.stix_id,
            feedback.c.type,
            feedback.c.value,
            entry.c.author_identity,
            trust_group.c.slug,
            collection.c.uuid,
            entry.c.date_added,
            feedback.c.log_index,
        )
        .join(entry, same)
        .join(collection, collection.c.id == entry.c.collection_id)
        .join(trust_group, trust_group.c.id == collection.c.group_id)
    )
