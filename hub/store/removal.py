"""Taking stored versions away, or away from some readers: what a withdrawal does to `entry`.

Everything here is done under the collection's lock (`entries.lock`), and leaves "latest" right for what remains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, select, update

from hub.domain.audience import Audience
from hub.domain.canonical import parse
from hub.domain.taxii_time import format_timestamp
from hub.store import audiences, bulk, feedback, retention, supersession
from hub.store.batches import batches
from hub.store.tables import audience, collection, entry


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One stored version with what decides who has it, without its bytes. Times are microseconds since the epoch.

    :param version: as the object spells it; of a version-less object its date_added.
    :param version_less: it has no version of its own (a cyber-observable).
    :param audience: as it is now, which may be narrower than it was at first.
    :param related_to: of a detached signature, the object it signs.
    """

    id: int
    stix_id: str
    type: str
    version: str
    version_less: bool
    version_key: str
    date_added: int
    superseded_at: int | None
    expires_at: int | None
    sha256: bytes
    audience: Audience
    author_identity: str | None
    introduced: bool
    submitter_peer_id: int
    submission_uuid: str
    tlp: str
    related_to: str | None

    @property
    def named_by_signatures(self) -> str:
        """What a signature calls this version (`signature_profile.related_version`)."""
        return self.sha256.hex() if self.version_less else self.version


def of_objects(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> dict[str, list[StoredEntry]]:
    """Return every version of these objects in the collection, by date; objects without any are left out."""
    found: dict[str, list[StoredEntry]] = {}
    for some in batches(sorted(set(stix_ids))):
        for one in _entries(tx, collection_id, entry.c.stix_id.in_(some)):
            found.setdefault(one.stix_id, []).append(one)
    return found


def signatures_over(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> list[tuple[StoredEntry, str]]:
    """Return the detached signatures over any version of these objects, each with the version that it signs."""
    found = []
    for some in batches(sorted(set(stix_ids))):
        signatures = {one.id: one for one in _entries(tx, collection_id, entry.c.related_to.in_(some))}
        for ids in batches(sorted(signatures)):
            for entry_id, body in tx.execute(select(entry.c.id, entry.c.body).where(entry.c.id.in_(ids))):
                signature = parse(body)
                version = signature.get("related_version") if isinstance(signature, dict) else None
                found.append((signatures[entry_id], str(version)))
    return found


def revoked(tx: Connection, collection_id: int, stix_ids: Sequence[str]) -> set[str]:
    """Return those of these objects whose latest version in the collection says that it is revoked."""
    c = entry.c
    found = set()
    for some in batches(sorted(set(stix_ids))):
        latest = select(c.stix_id, c.body).where(
            c.stix_id.in_(some), c.collection_id == collection_id, c.superseded_at.is_(None), c.version.is_not(None)
        )
        for stix_id, body in tx.execute(latest):
            if b'"revoked":true' in body:  # parsing costs more; the property may also stand deeper inside
                obj = parse(body)
                if isinstance(obj, dict) and obj.get("revoked") is True:
                    found.add(stix_id)
    return found


def bodies(tx: Connection, entry_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the stored bytes of these entries."""
    found: dict[int, bytes] = {}
    for some in batches(sorted(set(entry_ids))):
        rows = tx.execute(select(entry.c.id, entry.c.body).where(entry.c.id.in_(some)))
        found.update((row.id, row.body) for row in rows)
    return found


def of_types(tx: Connection, collection_id: int, types: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (STIX id, body) of every version of these types, by date.

    It reads all of them, about a microsecond each: no index knows what refers to what.
    """
    c = entry.c
    statement = (
        select(c.stix_id, c.body)
        .where(c.collection_id == collection_id, c.type.in_(list(types)))
        .order_by(c.date_added)
        .execution_options(yield_per=500)
    )
    for row in tx.execute(statement):
        yield row.stix_id, row.body


def remove(tx: Connection, collection_id: int, going: Sequence[StoredEntry]) -> None:
    """Remove these entries; what remains of their objects is the latest again where it was superseded by what went.

    A repeated submission is processed anew from here on, since what it stored may be gone.
    """
    if not going:
        return
    for some in batches(sorted({one.id for one in going})):
        tx.execute(delete(entry).where(entry.c.id.in_(some)))
    dates = [one.date_added for one in going]
    feedback.forget(tx, collection_id, dates)
    retention.forget(tx, collection_id, dates)
    changed = supersession.settle(supersession.stored(tx, collection_id, {one.stix_id for one in going}))
    bulk.supersede(tx, [(one.superseded_at, one.entry_id) for one in changed])
    tx.execute(
        update(collection)
        .where(collection.c.id == collection_id)
        .values(deletions=collection.c.deletions + 1, entries=collection.c.entries - len(going))
    )


def narrow(tx: Connection, narrowed: Mapping[int, Audience]) -> None:
    """Give these entries, by id, a narrower audience; the first one each had stays on record."""
    if not narrowed:
        return
    ids = audiences.intern(tx, set(narrowed.values()))
    c = entry.c
    for entry_id, narrower in sorted(narrowed.items()):
        tx.execute(
            update(entry)
            .where(c.id == entry_id)
            .values(
                audience_id=ids[narrower],
                first_audience_id=case((c.first_audience_id.is_(None), c.audience_id), else_=c.first_audience_id),
            )
        )


def _entries(tx: Connection, collection_id: int, condition: ColumnElement[bool]) -> list[StoredEntry]:
    c = entry.c
    rows = tx.execute(
        select(
            c.id,
            c.stix_id,
            c.type,
            c.version,
            c.version_key,
            c.date_added,
            c.superseded_at,
            c.expires_at,
            c.sha256,
            audience.c.key,
            c.author_identity,
            c.introduced,
            c.submitter_peer_id,
            c.submission_uuid,
            c.tlp,
            c.related_to,
        )
        .join(audience, audience.c.id == c.audience_id)
        .where(c.collection_id == collection_id, condition)
        .order_by(c.date_added)
    )
    return [_entry(row._asdict()) for row in rows]


def _entry(given: dict[str, Any]) -> StoredEntry:
    version = given["version"]
    given["version_less"] = version is None
    given["version"] = version or format_timestamp(given["date_added"])
    given["audience"] = Audience.from_key(given.pop("key"))
    return StoredEntry(**given)
