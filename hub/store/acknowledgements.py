"""What readers confirm of the versions they were given: one row per version, peer and outcome, signed by the peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from hub.domain.acknowledgement import Outcome
from hub.domain.audience import Audience
from hub.domain.taxii_time import format_timestamp
from hub.store.leave import insert_or_leave
from hub.store.tables import acknowledgement as table
from hub.store.tables import audience, collection, entry, peer, trust_group


@dataclass(frozen=True, slots=True)
class NewAcknowledgement:
    """To be kept. :param at: when it was signed, microseconds. :param statement: JCS bytes, signed."""

    group_id: int
    stix_id: str
    version: str
    peer_id: int
    outcome: Outcome
    reason: str | None
    at: int
    statement: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An acknowledgement as it is kept."""

    id: int
    group: str
    version: str
    peer_id: int
    handle: str
    outcome: Outcome
    reason: str | None
    at: int
    statement: bytes
    log_index: int | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A stored version as far as it matters to who may acknowledge it, and to who may hear of that."""

    collection_id: int
    group_id: int
    date_added: int
    type: str
    version: str
    sha256: bytes
    audience: Audience
    first_audience: Audience
    author_identity: str | None
    submitter_peer_id: int
    expires_at: int | None


def add(tx: Connection, new: NewAcknowledgement) -> int | None:
    """Return the id of the row; None when this peer has said the same of this version before, which then stands."""
    values = {
        "group_id": new.group_id,
        "stix_id": new.stix_id,
        "version": new.version,
        "peer_id": new.peer_id,
        "outcome": new.outcome,
        "reason": new.reason,
        "at": new.at,
        "statement": new.statement,
    }
    made: int | None = tx.execute(insert_or_leave(tx, table).values(values).returning(table.c.id)).scalar()
    return made


def place(tx: Connection, row_id: int, log_index: int) -> None:
    """Note where the log says so."""
    tx.execute(update(table).where(table.c.id == row_id).values(log_index=log_index))


def of_object(
    tx: Connection, stix_id: str, *, group_ids: Sequence[int] | None, version: str | None, limit: int
) -> list[Kept]:
    """Return what is acknowledged of an object, the newest first. :param group_ids: None is every group."""
    c = table.c
    statement = (
        select(
            c.id,
            trust_group.c.slug.label("group"),
            c.version,
            c.peer_id,
            peer.c.handle,
            c.outcome,
            c.reason,
            c.at,
            c.statement,
            c.log_index,
        )
        .join(trust_group, trust_group.c.id == c.group_id)
        .join(peer, peer.c.id == c.peer_id)
        .where(c.stix_id == stix_id)
    )
    if group_ids is not None:
        statement = statement.where(c.group_id.in_(list(group_ids)))
    if version is not None:
        statement = statement.where(c.version == version)
    return [Kept(**row._asdict()) for row in tx.execute(statement.order_by(c.id.desc()).limit(limit))]


def versions(tx: Connection, stix_id: str) -> list[Acknowledged]:
    """Return every stored version of an object, in any collection, by date."""
    c = entry.c
    first = audience.alias("first_audience")
    rows = tx.execute(
        select(
            c.collection_id,
            collection.c.group_id,
            c.date_added,
            c.type,
            c.version,
            c.sha256,
            audience.c.key,
            first.c.key.label("first_key"),
            c.author_identity,
            c.submitter_peer_id,
            c.expires_at,
        )
        .join(collection, collection.c.id == c.collection_id)
        .join(audience, audience.c.id == c.audience_id)
        .outerjoin(first, first.c.id == c.first_audience_id)
        .where(c.stix_id == stix_id)
        .order_by(c.date_added, c.id)
    )
    return [
        Acknowledged(
            collection_id=row.collection_id,
            group_id=row.group_id,
            date_added=row.date_added,
            type=row.type,
            version=row.version or format_timestamp(row.date_added),
            sha256=row.sha256,
            audience=Audience.from_key(row.key),
            first_audience=Audience.from_key(row.first_key or row.key),
            author_identity=row.author_identity,
            submitter_peer_id=row.submitter_peer_id,
            expires_at=row.expires_at,
        )
        for row in rows
    ]
