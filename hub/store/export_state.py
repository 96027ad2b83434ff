"""What an export has to know of stored versions besides their bytes, and whether anything has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from hub.store.batches import batches
from hub.store.tables import collection, entry

State = tuple[tuple[int, int, int, int], ...]
"""(collection id, date of the newest version, versions, deletions) of each collection: equal as long as nothing is
added to them and nothing is removed. A narrower audience comes with a new version."""

_C: Final = collection.c


def of(tx: Connection, collection_ids: Sequence[int]) -> State:
    """Return the state of these collections, by id."""
    columns = (_C.id, _C.last_date_added, _C.entries, _C.deletions)
    rows = tx.execute(select(*columns).where(_C.id.in_(list(collection_ids))).order_by(_C.id))
    return tuple((row.id, row.last_date_added, row.entries, row.deletions) for row in rows)


def levels(tx: Connection, collection_id: int, dates: Sequence[int]) -> dict[int, tuple[str, int | None]]:
    """Return (TLP level, when the author's permission ends) of the versions with these dates."""
    found: dict[int, tuple[str, int | None]] = {}
    e = entry.c
    for some in batches(list(dates)):
        statement = select(e.date_added, e.tlp, e.expires_at).where(
            e.collection_id == collection_id, e.date_added.in_(some)
        )
        found.update((row.date_added, (row.tlp, row.expires_at)) for row in tx.execute(statement))
    return found
