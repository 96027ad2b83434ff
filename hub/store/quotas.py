"""What each peer has handed in, by the hour; the row of an hour is added to in the transaction of the submission."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, select, text

from hub.domain.quota import Amount
from hub.store.tables import quota_use

_CHARGE: Final = text(
    "INSERT INTO quota_use (peer_id, hour, objects, octets) VALUES (:peer_id, :hour, :objects, :octets)"
    " ON CONFLICT (peer_id, hour) DO UPDATE SET objects = quota_use.objects + excluded.objects,"
    " octets = quota_use.octets + excluded.octets RETURNING objects, octets"
)


def used(tx: Connection, peer_id: int, hour: int) -> Amount:
    """Return what the peer has handed in during this hour."""
    row = tx.execute(
        select(quota_use.c.objects, quota_use.c.octets).where(quota_use.c.peer_id == peer_id, quota_use.c.hour == hour)
    ).one_or_none()
    return Amount() if row is None else Amount(int(row[0]), int(row[1]))


def used_by_all(tx: Connection, hour: int) -> dict[int, Amount]:
    """Return what each peer has handed in during this hour; who has handed in nothing is left out."""
    rows = tx.execute(select(quota_use).where(quota_use.c.hour == hour))
    return {int(row.peer_id): Amount(int(row.objects), int(row.octets)) for row in rows}


def charge(tx: Connection, peer_id: int, hour: int, more: Amount) -> Amount:
    """Add to what the peer has handed in; return the new sum. Others of this peer wait until the transaction ends."""
    values = {"peer_id": peer_id, "hour": hour, "objects": more.objects, "octets": more.octets}
    row = tx.execute(_CHARGE, values).one()
    return Amount(int(row[0]), int(row[1]))


def forget(tx: Connection, before_hour: int) -> int:
    """Remove the rows of earlier hours; return how many."""
    return tx.execute(delete(quota_use).where(quota_use.c.hour < before_hour)).rowcount
