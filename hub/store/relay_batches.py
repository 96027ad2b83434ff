"""What went to, and came from, other hubs: confirmed batches, each version in them, and the position of every link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from hub.store.batches import batches
from hub.store.tables import link_position, relay_batch, relay_sent

Direction = Literal["out", "in"]
How = Literal["push", "pull", "pack"]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One batch that the receiving hub has answered for. ``at`` is in microseconds since the epoch.

    :param sha256: of the signed header, JCS bytes. :param receipt: JCS bytes, signed by the receiving hub.
    :param upto: position that is reached with it, as the giving hub writes it; None where it moves none.
    """

    peer_id: int
    collection_id: int
    direction: Direction
    how: How
    uuid: str
    sha256: bytes
    at: int
    objects: int
    octets: int
    receipt: bytes | None
    id: int = 0
    upto: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One version that another hub was given, and what it did with it."""

    stix_id: str
    version_key: str
    sha256: bytes
    outcome: str
    rule: str | None = None


def add(tx: Connection, batch: Confirmed) -> int:
    """Return the row id of a batch that is stored now."""
    values = {
        "peer_id": batch.peer_id,
        "collection_id": batch.collection_id,
        "direction": batch.direction,
        "how": batch.how,
        "uuid": batch.uuid,
        "sha256": batch.sha256,
        "at": batch.at,
        "objects": batch.objects,
        "octets": batch.octets,
        "receipt": batch.receipt,
        "upto": batch.upto,
    }
    return int(tx.execute(insert(relay_batch).values(values).returning(relay_batch.c.id)).scalar_one())


def get(tx: Connection, peer_id: int, direction: Direction, uuid: str) -> Confirmed | None:
    """Return a batch by its id."""
    c = relay_batch.c
    row = tx.execute(
        select(relay_batch).where(c.peer_id == peer_id, c.direction == direction, c.uuid == uuid)
    ).one_or_none()
    if row is None:
        return None
    receipt = None if row.receipt is None else bytes(row.receipt)
    return Confirmed(
        row.peer_id, row.collection_id, row.direction, row.how, row.uuid, bytes(row.sha256), row.at,
        row.objects, row.octets, receipt, row.id, row.upto,
    )  # fmt: skip


def taken_at(tx: Connection, peer_id: int, collection_id: int, at: int) -> list[Confirmed]:
    """Return the batches that were taken from a hub into a collection at this moment, in microseconds."""
    c = relay_batch.c
    uuids = tx.execute(
        select(c.uuid).where(c.peer_id == peer_id, c.collection_id == collection_id, c.direction == "in", c.at == at)
    ).scalars()
    found = [get(tx, peer_id, "in", uuid) for uuid in uuids]
    return [one for one in found if one is not None]


def untold(tx: Connection, peer_id: int, *, limit: int) -> list[Confirmed]:
    """Return batches that were fetched from a hub which has not got the receipt yet, the oldest first."""
    c = relay_batch.c
    statement = select(c.uuid).where(
        c.peer_id == peer_id, c.direction == "in", c.how == "pull", c.told_at.is_(None), c.receipt.is_not(None)
    )
    found = [get(tx, peer_id, "in", uuid) for uuid in tx.execute(statement.order_by(c.id).limit(limit)).scalars()]
    return [one for one in found if one is not None]


def told(tx: Connection, batch_ids: Sequence[int], *, now: int) -> None:
    """Note that the giving hub has got the receipts of these."""
    for some in batches(list(batch_ids)):
        tx.execute(update(relay_batch).where(relay_batch.c.id.in_(some)).values(told_at=now))


def answered(tx: Connection, batch_id: int, receipt: bytes) -> None:
    """Keep the receipt of a batch that was handed over before it was confirmed."""
    tx.execute(update(relay_batch).where(relay_batch.c.id == batch_id).values(receipt=receipt))


def note_sent(tx: Connection, peer_id: int, collection_id: int, batch_id: int, sent: Sequence[Sent]) -> None:
    """Note what a hub has of these versions, in place of what was noted before."""
    c = relay_sent.c
    for some in batches(sorted({one.stix_id for one in sent})):
        mine = [one for one in sent if one.stix_id in set(some)]
        keys = {(one.stix_id, one.version_key) for one in mine}
        old = tx.execute(
            select(c.stix_id, c.version_key).where(
                c.peer_id == peer_id, c.collection_id == collection_id, c.stix_id.in_(some)
            )
        ).all()
        for stix_id, version_key in old:
            if (stix_id, version_key) in keys:
                tx.execute(
                    delete(relay_sent).where(
                        c.peer_id == peer_id,
                        c.collection_id == collection_id,
                        c.stix_id == stix_id,
                        c.version_key == version_key,
                    )
                )
        rows = {
            (one.stix_id, one.version_key): {
                "peer_id": peer_id,
                "collection_id": collection_id,
                "stix_id": one.stix_id,
                "version_key": one.version_key,
                "sha256": one.sha256,
                "batch_id": batch_id,
                "outcome": one.outcome,
                "rule": one.rule,
            }
            for one in mine
        }
        tx.execute(insert(relay_sent), list(rows.values()))


def sent_of(
    tx: Connection, collection_id: int, stix_ids: Sequence[str], *, peer_id: int | None = None
) -> dict[tuple[int, str, str], str]:
    """Return the outcome of every version of these objects that hubs were given, by (peer id, STIX id, version key)."""
    c, found = relay_sent.c, dict[tuple[int, str, str], str]()
    for some in batches(list(stix_ids)):
        statement = select(c.peer_id, c.stix_id, c.version_key, c.outcome).where(
            c.collection_id == collection_id, c.stix_id.in_(some)
        )
        if peer_id is not None:
            statement = statement.where(c.peer_id == peer_id)
        found.update(((row.peer_id, row.stix_id, row.version_key), row.outcome) for row in tx.execute(statement))
    return found


@dataclass(frozen=True, slots=True)
class Handed:
    """One version that a hub was given, in which batch, and what became of it there."""

    stix_id: str
    version_key: str
    outcome: str
    batch_id: int


def handed(tx: Connection, peer_id: int, collection_id: int, stix_ids: Sequence[str]) -> list[Handed]:
    """Return what a hub was given of these objects."""
    c, found = relay_sent.c, list[Handed]()
    for some in batches(list(stix_ids)):
        rows = tx.execute(
            select(c.stix_id, c.version_key, c.outcome, c.batch_id).where(
                c.peer_id == peer_id, c.collection_id == collection_id, c.stix_id.in_(some)
            )
        )
        found += [Handed(*row) for row in rows]
    return found


def sent_digests(
    tx: Connection, peer_id: int, collection_id: int, stix_ids: Sequence[str]
) -> dict[tuple[str, bytes], list[str]]:
    """Return the version keys of what a hub was given of these objects, by (STIX id, SHA-256)."""
    c, found = relay_sent.c, dict[tuple[str, bytes], list[str]]()
    for some in batches(list(stix_ids)):
        rows = tx.execute(
            select(c.stix_id, c.sha256, c.version_key).where(
                c.peer_id == peer_id, c.collection_id == collection_id, c.stix_id.in_(some)
            )
        )
        for stix_id, sha256, version_key in rows:
            found.setdefault((stix_id, bytes(sha256)), []).append(version_key)
    return found


def position(tx: Connection, peer_id: int, collection_id: int, direction: Direction) -> str | None:
    """Return how far a link is in a collection, None at its beginning."""
    c = link_position.c
    statement = select(c.position).where(
        c.peer_id == peer_id, c.collection_id == collection_id, c.direction == direction
    )
    found: str | None = tx.execute(statement).scalar_one_or_none()
    return found


def answered_upto(tx: Connection, peer_id: int, collection_id: int) -> str | None:
    """Return how far the last batch went that another hub has answered for; None before the first."""
    c = relay_batch.c
    mine = (c.peer_id == peer_id, c.collection_id == collection_id, c.direction == "out")
    answered = (c.receipt.is_not(None), c.upto.is_not(None))
    statement = select(c.upto).where(*mine, *answered).order_by(c.id.desc()).limit(1)
    found: str | None = tx.execute(statement).scalar_one_or_none()
    return found


def positions(tx: Connection, peer_id: int, direction: Direction) -> dict[int, str]:
    """Return how far a link is, by collection id."""
    c = link_position.c
    rows = tx.execute(select(c.collection_id, c.position).where(c.peer_id == peer_id, c.direction == direction))
    return {row.collection_id: row.position for row in rows}


def advance(
    tx: Connection, peer_id: int, collection_id: int, direction: Direction, position: str, *, objects: int, now: int
) -> None:
    """Move a link on in a collection; in the transaction of what that stands for."""
    c = link_position.c
    same = (c.peer_id == peer_id) & (c.collection_id == collection_id) & (c.direction == direction)
    changed = tx.execute(
        update(link_position).where(same).values(position=position, objects=c.objects + objects, updated_at=now)
    ).rowcount
    if not changed:
        tx.execute(
            insert(link_position).values(
                peer_id=peer_id,
                collection_id=collection_id,
                direction=direction,
                position=position,
                objects=objects,
                updated_at=now,
            )
        )


def rewind(tx: Connection, peer_id: int, direction: Direction, collection_ids: Sequence[int]) -> None:
    """Begin again in these collections: what the other side has already is a duplicate there."""
    c = link_position.c
    tx.execute(
        delete(link_position).where(
            c.peer_id == peer_id, c.direction == direction, c.collection_id.in_(list(collection_ids))
        )
    )
