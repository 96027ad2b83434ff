"""By which hubs a version came here: their signed hops, once for each hub that brought it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select

from hub.store.batches import batches
from hub.store.tables import relay_path


@dataclass(frozen=True, slots=True)
class StoredPath:
    """One way on which a version came. ``received_at`` is in microseconds since the epoch.

    :param hops: signed hops as JSON, the first hub first.
    """

    collection_id: int
    stix_id: str
    version_key: str
    from_peer_id: int
    sha256: bytes
    hops: tuple[dict[str, Any], ...]
    received_at: int

    @property
    def hubs(self) -> tuple[str, ...]:
        """The STIX identities of the hubs it has passed."""
        return tuple(hop["hub"] for hop in self.hops)


def add(tx: Connection, paths: Sequence[StoredPath]) -> None:
    """Store paths; one that is known already, by the same hub, is left as it was."""
    known: set[tuple[str, str, int, int]] = set()
    for one in of_objects(tx, sorted({path.stix_id for path in paths})):
        known.add((one.stix_id, one.version_key, one.collection_id, one.from_peer_id))
    rows = []
    for one in paths:
        key = (one.stix_id, one.version_key, one.collection_id, one.from_peer_id)
        if key in known:
            continue
        known.add(key)
        rows.append(
            {
                "collection_id": one.collection_id,
                "stix_id": one.stix_id,
                "version_key": one.version_key,
                "from_peer_id": one.from_peer_id,
                "sha256": one.sha256,
                "hops": orjson.dumps(one.hops),
                "hop_count": len(one.hops),
                "received_at": one.received_at,
            }
        )
    if rows:
        tx.execute(insert(relay_path), rows)


def of_objects(tx: Connection, stix_ids: Sequence[str], *, collection_id: int | None = None) -> list[StoredPath]:
    """Return every path of these objects, in one collection or in all, the oldest first."""
    c, found = relay_path.c, list[StoredPath]()
    for some in batches(list(stix_ids)):
        statement = select(relay_path).where(c.stix_id.in_(some))
        if collection_id is not None:
            statement = statement.where(c.collection_id == collection_id)
        for row in tx.execute(statement.order_by(c.received_at)):
            found.append(
                StoredPath(
                    row.collection_id,
                    row.stix_id,
                    row.version_key,
                    row.from_peer_id,
                    bytes(row.sha256),
                    tuple(orjson.loads(row.hops)),
                    row.received_at,
                )
            )
    return found
