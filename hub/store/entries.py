"""Writing stored versions: what a collection holds, in the order in which it was committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy import delete as delete_rows

from hub.domain.admission import KnownVersion, Tombstone
from hub.domain.audience import Audience
from hub.domain.stix import version_key as key_of
from hub.domain.taxii_time import format_timestamp
from hub.errors import Conflict, NotFound
from hub.store import audiences, bulk, news, supersession
from hub.store import tombstones as graves
from hub.store.batches import batches
from hub.store.prepared import Prepared
from hub.store.supersession import Placed
from hub.store.tables import audience, collection, entry

StoredVersion = KnownVersion
"""A stored version without its bytes. ``version`` and ``version_key`` of a version-less object are its date_added."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A version to be stored, with the decision that admitted it.

    :param version: as the object spells it; None for a version-less object, whose version is then its date_added.
    :param body: JCS bytes, stored as they are. :param sha256: of these bytes.
    :param introduced: True when the author is no peer and the submitter introduced the version.
    :param related_to: of a detached signature, the id of the object it signs.
    :param log_index: the place of its acceptance in the transparency log.
    """

    stix_id: str
    type: str
    version: str | None
    version_key: str | None
    sha256: bytes
    body: bytes
    author_identity: str | None
    introduced: bool
    submitter_peer_id: int
    submission_uuid: str
    audience: Audience
    tlp: str
    rule: str
    reason: str
    expires_at: int | None = None
    onward_relay: bool = False
    key_id: int | None = None
    jss_form: str | None = None
    signed_at: int | None = None
    carrier: str | None = None
    related_to: str | None = None
    log_index: int | None = None


# NO KEY UPDATE: rows that merely refer to the collection (a submission received meanwhile) need not wait.
# SQLite ignores it: there the transaction that writes is the only one.
_LOCK: Final = Prepared(
    select(collection.c.last_date_added)
    .where(collection.c.id == bindparam("collection_id"))
    .with_for_update(key_share=True)
)


def lock(tx: Connection, collection_id: int) -> int:
    """Return the collection's last date_added; nobody else writes to the collection until this transaction ends.

    That makes the order of `date_added` the order of commits. Raises NotFound.
    """
    rows = _LOCK.rows(tx, collection_id=collection_id)
    if not rows:
        raise NotFound("there is no such collection")
    return int(rows[0][0])


def intern(tx: Connection, wanted: set[Audience]) -> dict[Audience, int]:
    """Return the id of each audience, made now if it is new. It may have to wait: call it before the log is locked."""
    return audiences.intern(tx, wanted)


def insert(tx: Connection, collection_id: int, now: int, entries: Sequence[NewEntry]) -> list[int]:
    """Store the entries; return their dates: from now, or from just after the last one, in steps of 1 us.

    The caller holds `lock`. Earlier versions are superseded in the same transaction. Raises Conflict when one of these
    versions is stored in the collection already; the transaction can then only be rolled back.
    """
    if not entries:
        return []
    first = max(now, lock(tx, collection_id) + 1)
    dates = list(range(first, first + len(entries)))
    ids = audiences.intern(tx, {new.audience for new in entries})
    placed = [_placed(new, date) for new, date in zip(entries, dates, strict=True)]
    history = supersession.stored(tx, collection_id, (new.stix_id for new in entries))
    # Most entries are the only version of a new object: nothing is superseded there, and nothing has to be compared.
    seen = Counter(new.stix_id for new in entries)
    several = {one.stix_id for one in history} | {stix_id for stix_id, count in seen.items() if count > 1}
    changed = supersession.settle([*history, *(one for one in placed if one.stix_id in several)])
    rows = [_row(collection_id, new, place, ids[new.audience]) for new, place in zip(entries, placed, strict=True)]
    try:
        bulk.insert_entries(tx, rows)
    except tx.dialect.loaded_dbapi.IntegrityError as error:
        raise Conflict("one of these versions is stored in the collection already") from error
    bulk.supersede(tx, [(one.superseded_at, one.entry_id) for one in changed])
    tx.execute(
        update(collection)
        .where(collection.c.id == collection_id)
        .values(last_date_added=dates[-1], entries=collection.c.entries + len(entries))
    )
    news.announce(tx)
    return dates


def known(tx: Connection, stix_ids: Sequence[str]) -> dict[str, list[StoredVersion]]:
    """Return every stored version of each of these objects, in any collection of the hub, by date; empty lists too."""
    c = entry.c
    found: dict[str, list[StoredVersion]] = {stix_id: [] for stix_id in stix_ids}
    for some in batches(list(found)):
        rows = tx.execute(
            select(
                c.collection_id,
                collection.c.group_id,
                c.stix_id,
                c.version,
                c.version_key,
                c.sha256,
                c.date_added,
                c.author_identity,
                c.introduced,
                c.submitter_peer_id,
                audience.c.key,
                c.expires_at,
                c.log_index,
            )
            .join(audience, audience.c.id == c.audience_id)
            .join(collection, collection.c.id == c.collection_id)
            .where(c.stix_id.in_(some))
            .order_by(c.date_added, c.id)
        )
        for row in rows:
            version = row.version or format_timestamp(row.date_added)
            found[row.stix_id].append(
                StoredVersion(*row[:3], version, *row[4:10], Audience.from_key(row.key), row.expires_at, row.log_index)
            )
    return found


def bodies_of(
    tx: Connection, group_id: int, stix_ids: Sequence[str], *, collection_id: int | None = None
) -> dict[str, list[tuple[bytes, Audience, int, int | None]]]:
    """Return (body, audience, submitter's peer id, expires_at) of every version in a group, or collection, by date.

    Not limited to what anyone may see: the caller compares the audience. Objects without versions are left out.
    """
    c = entry.c
    found: dict[str, list[tuple[bytes, Audience, int, int | None]]] = {}
    inside = select(collection.c.id).where(collection.c.group_id == group_id)
    if collection_id is not None:
        inside = inside.where(collection.c.id == collection_id)
    for some in batches(sorted(set(stix_ids))):
        rows = tx.execute(
            select(c.stix_id, c.body, audience.c.key, c.submitter_peer_id, c.expires_at)
            .join(audience, audience.c.id == c.audience_id)
            .where(c.stix_id.in_(some), c.collection_id.in_(inside))
            .order_by(c.date_added, c.id)
        )
        for stix_id, body, key, submitter, expires_at in rows:
            found.setdefault(stix_id, []).append((body, Audience.from_key(key), submitter, expires_at))
    return found


def delete(
    tx: Connection, collection_id: int, stix_id: str, version_keys: set[str] | None, *, peer_id: int, now: int
) -> int:
    """Remove versions of an object, or all when ``version_keys`` is None; return how many there were.

    What remains is the latest again where it was superseded by what went. A tombstone refuses re-posting by anyone but
    ``peer_id``; when nothing was there none is written. The caller holds `lock`, or this takes it.
    """
    lock(tx, collection_id)
    condition = [entry.c.collection_id == collection_id, entry.c.stix_id == stix_id]
    if version_keys is not None:
        condition.append(entry.c.version_key.in_(version_keys))
    gone = set(tx.execute(select(entry.c.version_key).where(*condition)).scalars())
    if not gone:
        return 0
    tx.execute(delete_rows(entry).where(*condition))
    remaining = supersession.stored(tx, collection_id, [stix_id])
    changed = supersession.settle(remaining)
    bulk.supersede(tx, [(one.superseded_at, one.entry_id) for one in changed])
    graves.dig(tx, collection_id, stix_id, gone if remaining else None, owner_peer_id=peer_id, now=now)
    tx.execute(
        update(collection)
        .where(collection.c.id == collection_id)
        .values(deletions=collection.c.deletions + 1, entries=collection.c.entries - len(gone))
    )
    return len(gone)


def signatures_over(tx: Connection, collection_id: int, stix_id: str) -> list[tuple[str, bytes]]:
    """Return (STIX id, body) of the detached signatures over an object that the collection holds, by date."""
    c = entry.c
    statement = select(c.stix_id, c.body).where(c.related_to == stix_id, c.collection_id == collection_id)
    return [(row.stix_id, row.body) for row in tx.execute(statement.order_by(c.date_added))]


def tombstones(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> dict[str, Tombstone]:
    """Return the tombstones of objects that were deleted whole from the collection."""
    return graves.of_both(tx, collection_id, stix_ids)[0]


def version_tombstones(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> dict[tuple[str, str], Tombstone]:
    """Return, by (STIX id, version key), the tombstones of single versions deleted while others remained."""
    return graves.of_both(tx, collection_id, stix_ids)[1]


def clear_tombstone(tx: Connection, collection_id: int, stix_id: str, version_key: str | None = None) -> bool:
    """Remove the tombstone of one version, or every tombstone of the object; say whether there was one."""
    return graves.clear(tx, collection_id, stix_id, version_key)


def _placed(new: NewEntry, date_added: int) -> Placed:
    versioned = new.version is not None
    key = new.version_key if versioned else key_of(format_timestamp(date_added))
    if key is None:
        raise ValueError("an entry with a version needs its version key")
    return Placed(None, new.stix_id, versioned, key, date_added, new.audience)


def _row(collection_id: int, new: NewEntry, place: Placed, audience_id: int) -> tuple[object, ...]:
    """In the order of `bulk.COLUMNS`."""
    return (
        collection_id,
        place.date_added,
        new.stix_id,
        new.type,
        new.version,
        place.version_key,
        audience_id,
        place.superseded_at,
        new.expires_at,
        len(new.body),
        new.sha256,
        new.author_identity,
        new.introduced,
        new.submitter_peer_id,
        new.submission_uuid,
        new.tlp,
        new.rule,
        new.reason,
        new.onward_relay,
        new.key_id,
        new.jss_form,
        new.signed_at,
        new.carrier,
        new.related_to,
        new.body,
        new.log_index,
    )
