"""Versions under embargo: accepted, visible to nobody, and to be decided on again when their time comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from hub.store.batches import batches
from hub.store.leave import insert_or_leave
from hub.store.tables import collection, held_version


@dataclass(frozen=True, slots=True)
class NewHeld:
    """A version to be held until ``embargo_until``, microseconds since the epoch."""

    stix_id: str
    body: bytes
    sha256: bytes
    embargo_until: int


@dataclass(frozen=True, slots=True)
class Due:
    """Versions of one submission whose embargo has ended, in the order of the envelope."""

    group_id: int
    collection_id: int
    peer_id: int
    submission_uuid: str
    ids: list[int]
    bodies: list[bytes]


@dataclass(frozen=True, slots=True)
class Held:
    """One version that is held, without its bytes."""

    id: int
    collection_id: int
    peer_id: int
    submission_uuid: str
    stix_id: str
    sha256: bytes
    embargo_until: int


def add(tx: Connection, collection_id: int, peer_id: int, submission_uuid: str, versions: Sequence[NewHeld]) -> None:
    """Hold these versions; one that this peer has held in this collection already is held once."""
    if not versions:
        return
    rows = [
        {
            "collection_id": collection_id,
            "peer_id": peer_id,
            "submission_uuid": submission_uuid,
            "stix_id": one.stix_id,
            "sha256": one.sha256,
            "embargo_until": one.embargo_until,
            "body": one.body,
        }
        for one in versions
    ]
    tx.execute(insert_or_leave(tx, held_version), rows)


def due(tx: Connection, now: int, *, limit: int = 500) -> Due | None:
    """Return what is due of the submission that has waited longest, at most `limit` versions; None when nothing is."""
    c = held_version.c
    first = tx.execute(
        select(c.submission_uuid, c.collection_id, c.peer_id, collection.c.group_id)
        .join(collection, collection.c.id == c.collection_id)
        .where(c.embargo_until <= now)
        .order_by(c.embargo_until, c.id)
        .limit(1)
    ).first()
    if first is None:
        return None
    rows = tx.execute(
        select(c.id, c.body)
        .where(
            c.embargo_until <= now,
            c.submission_uuid == first.submission_uuid,
            c.collection_id == first.collection_id,
            c.peer_id == first.peer_id,
        )
        .order_by(c.id)
        .limit(limit)
    ).all()
    return Due(
        group_id=first.group_id,
        collection_id=first.collection_id,
        peer_id=first.peer_id,
        submission_uuid=first.submission_uuid,
        ids=[row.id for row in rows],
        bodies=[row.body for row in rows],
    )


def remove(tx: Connection, ids: Sequence[int]) -> int:
    """Hold these no longer; return how many of them were held."""
    return sum(
        tx.execute(delete(held_version).where(held_version.c.id.in_(some))).rowcount for some in batches(list(ids))
    )


def of_object(tx: Connection, stix_id: str) -> list[Held]:
    """Return the versions of an object that are held anywhere on the hub, the oldest first."""
    c = held_version.c
    rows = tx.execute(
        select(c.id, c.collection_id, c.peer_id, c.submission_uuid, c.stix_id, c.sha256, c.embargo_until)
        .where(c.stix_id == stix_id)
        .order_by(c.id)
    )
    return [Held(*row) for row in rows]


def of_objects(tx: Connection, group_id: int, peer_id: int, stix_ids: Sequence[str]) -> dict[str, list[bytes]]:
    """Return the bodies of these objects that this peer has held in this group; objects without any are left out."""
    c = held_version.c
    inside = select(collection.c.id).where(collection.c.group_id == group_id)
    found: dict[str, list[bytes]] = {}
    for some in batches(sorted(set(stix_ids))):
        rows = tx.execute(
            select(c.stix_id, c.body)
            .where(c.stix_id.in_(some), c.peer_id == peer_id, c.collection_id.in_(inside))
            .order_by(c.id)
        )
        for stix_id, body in rows:
            found.setdefault(stix_id, []).append(body)
    return found
