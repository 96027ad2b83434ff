"""What other hubs were given of an object, with the batch in which it went and whether they have signed for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hub.store.tables import relay_batch, relay_sent


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One version that a hub was given. ``at`` is in microseconds since the epoch.

    :param outcome: accepted, duplicate, held or refused there. :param rule: by which the other hub refused it.
    :param receipted: the other hub's signed receipt of the batch is kept here.
    """

    peer_id: int
    version_key: str
    outcome: str
    rule: str | None
    at: int
    batch: str
    how: str
    receipted: bool


def of_object(tx: Connection, collection_id: int, stix_id: str) -> list[HandedOver]:
    """Return what hubs were given of an object in a collection, by hub."""
    c, b = relay_sent.c, relay_batch.c
    rows = tx.execute(
        select(
            c.peer_id,
            c.version_key,
            c.outcome,
            c.rule,
            b.at,
            b.uuid.label("batch"),
            b.how,
            b.receipt.is_not(None).label("receipted"),
        )
        .join(relay_batch, b.id == c.batch_id)
        .where(c.collection_id == collection_id, c.stix_id == stix_id)
        .order_by(c.peer_id, b.at)
    )
    return [HandedOver(**row._asdict() | {"receipted": bool(row.receipted)}) for row in rows]
