"""What deletions left: an object, or one version of it, that only its owner may post again (TAXII 2.1 §5.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from hub.domain.admission import Tombstone
from hub.store.batches import batches
from hub.store.tables import tombstone

_WHOLE: Final = ""


def dig(
    tx: Connection,
    collection_id: int,
    stix_id: str,
    version_keys: Iterable[str] | None,
    *,
    owner_peer_id: int,
    now: int,
) -> None:
    """Record that these versions were deleted, or with None that the object was; the newest deletion stands."""
    keys = [_WHOLE] if version_keys is None else sorted(version_keys)
    for key in keys:
        clear(tx, collection_id, stix_id, key or None)
    values = {"collection_id": collection_id, "stix_id": stix_id, "deleted_at": now, "owner_peer_id": owner_peer_id}
    tx.execute(insert(tombstone), [{**values, "version_key": key} for key in keys])


def of_objects(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> dict[str, Tombstone]:
    """Return the tombstones of whole objects."""
    found = _of(tx, collection_id, stix_ids, tombstone.c.version_key == _WHOLE)
    return {one.stix_id: one for one in found}


def of_versions(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> dict[tuple[str, str], Tombstone]:
    """Return the tombstones of single versions."""
    found = _of(tx, collection_id, stix_ids, tombstone.c.version_key != _WHOLE)
    return {(one.stix_id, one.version_key): one for one in found if one.version_key is not None}


def clear(tx: Connection, collection_id: int, stix_id: str, version_key: str | None) -> bool:
    """Remove the tombstone of a version, or all of an object; say whether there was one."""
    condition = [tombstone.c.collection_id == collection_id, tombstone.c.stix_id == stix_id]
    if version_key is not None:
        condition.append(tombstone.c.version_key == version_key)
    return tx.execute(delete(tombstone).where(*condition)).rowcount > 0


def _of(tx: Connection, collection_id: int, stix_ids: Sequence[str], condition: ColumnElement[bool]) -> list[Tombstone]:
    c = tombstone.c
    found: list[Tombstone] = []
    for some in batches(sorted(set(stix_ids))):
        rows = tx.execute(
            select(c.stix_id, c.version_key, c.deleted_at, c.owner_peer_id).where(
                c.collection_id == collection_id, c.stix_id.in_(some), condition
            )
        )
        found += [Tombstone(stix_id, key or None, at, owner) for stix_id, key, at, owner in rows]
    return found
