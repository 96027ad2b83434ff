"""What deletions left: an object, or one version of it, that only its owner may post again (TAXII 2.1 §5.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, delete, insert, or_, select, update

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
    moderated: bool = False,
) -> None:
    """Record that these versions were deleted, or with None that the object was; the newest deletion stands.

    :param moderated: a moderator did it, so that even the owner does not post it again unless that is lifted.
    """
    keys = [_WHOLE] if version_keys is None else sorted(version_keys)
    c = tombstone.c
    for key in keys:
        replaced = c.version_key == key if key else or_(c.version_key == key, c.moderated.is_(False))
        tx.execute(delete(tombstone).where(c.collection_id == collection_id, c.stix_id == stix_id, replaced))
    values = {
        "collection_id": collection_id,
        "stix_id": stix_id,
        "deleted_at": now,
        "owner_peer_id": owner_peer_id,
        "moderated": moderated,
    }
    tx.execute(insert(tombstone), [{**values, "version_key": key} for key in keys])


def of_both(
    tx: Connection, collection_id: int, stix_ids: Sequence[str]
) -> tuple[dict[str, Tombstone], dict[tuple[str, str], Tombstone]]:
    """Return the tombstones of whole objects by STIX id, and those of single versions by (STIX id, version key)."""
    found = _of(tx, collection_id, stix_ids)
    whole = {one.stix_id: one for one in found if one.version_key is None}
    return whole, {(one.stix_id, one.version_key): one for one in found if one.version_key is not None}


def clear(tx: Connection, collection_id: int, stix_id: str, version_key: str | None) -> bool:
    """Remove the tombstone of a version, or all of an object, but not a moderator's; say whether there was one."""
    c = tombstone.c
    condition = [c.collection_id == collection_id, c.stix_id == stix_id, c.moderated.is_(False)]
    if version_key is not None:
        condition.append(tombstone.c.version_key == version_key)
    return tx.execute(delete(tombstone).where(*condition)).rowcount > 0


def lift(tx: Connection, collection_id: int, stix_id: str) -> int:
    """Let the owner post again what a moderator had withdrawn; return how many tombstones that concerned."""
    c = tombstone.c
    moderated = (c.collection_id == collection_id, c.stix_id == stix_id, c.moderated.is_(True))
    return tx.execute(update(tombstone).where(*moderated).values(moderated=False)).rowcount


def _of(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> list[Tombstone]:
    c = tombstone.c
    found: list[Tombstone] = []
    for some in batches(sorted(set(stix_ids))):
        rows = tx.execute(
            select(c.stix_id, c.version_key, c.deleted_at, c.owner_peer_id, c.moderated).where(
                c.collection_id == collection_id, c.stix_id.in_(some)
            )
        )
        found += [Tombstone(row[0], row[1] or None, *row[2:]) for row in rows]
    return found
