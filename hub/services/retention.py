"""Retention: what a collection has kept long enough goes, in small transactions, without a tombstone, and logged.

It is no withdrawal: nobody is told, the author may post it again, and then its time begins anew. Statuses, refusals and
receipts have a time of their own (`hub.services.work.purge`); tombstones, the audit and the log stay for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.canonical import jcs, parse
from hub.domain.membership import Collection, Retention
from hub.domain.stix import instant_us, is_timestamp
from hub.errors import InvalidRequest
from hub.services import audit
from hub.services.actor import LOCAL_OPERATOR, Actor, require_operator
from hub.services.context import Hub
from hub.store import collections as collection_store
from hub.store import entries as entry_store
from hub.store import groups as group_store
from hub.store import holds as hold_store
from hub.store import removal
from hub.store import retention as store
from hub.store.removal import StoredEntry
from hub.store.retention import EXPIRED, REVOKED, Counted, Due

log = structlog.get_logger()

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What is due in one collection: before anything is removed, or what one run removed.

    :param removed: versions that went, the earlier ones and the signatures that went with them included.
    :param finished: nothing is due any more.
    """

    group: str  # slug
    collection: Collection
    due: Counted
    removed: int = 0
    finished: bool = True


def checked(added: int | None, expired: int | None, revoked: int | None) -> Retention:
    """Return what a collection is to keep, of seconds; None is for ever. Raises InvalidRequest."""
    for field, seconds in (("keep", added), ("keep_after_valid_until", expired), ("keep_after_revoked", revoked)):
        if seconds is not None and not limits.RETENTION_MIN_SECONDS <= seconds <= limits.RETENTION_MAX_SECONDS:
            raise InvalidRequest("keep it for a day at least and a century at most, or for ever", field=field)
    return Retention(*(None if seconds is None else seconds * SECOND for seconds in (added, expired, revoked)))


def planned(hub: Hub, actor: Actor, notice: Callable[[str], None]) -> list[Report]:
    """Return what is due in each collection with a retention; nothing is removed. Operators only.

    :param notice: is told, in words, how far it is.
    """
    require_operator(actor)
    reports = []
    for collection_id in _collections(hub):
        looked = 0
        while _examine(hub, collection_id):
            looked += limits.RETENTION_EXAMINED
            notice(f"{looked} stored versions looked at")
        with hub.db.read() as tx:
            place = collection_store.by_id(tx, collection_id)
            slug = group_store.by_id(tx, place.group_id).slug
            due = store.counted(tx, place, hub.clock())
        reports.append(Report(slug, place, due, finished=due.added + due.expired + due.revoked == 0))
    return reports


def run(hub: Hub, actor: Actor = LOCAL_OPERATOR, *, chunks: int = limits.RETENTION_CHUNKS) -> list[Report]:
    """Remove what is due, at most so many transactions in all; return what went, by collection. Operators only.

    1. Look for ends in the bodies that nobody has looked at yet, a bounded number at a time.
    2. Remove chunk after chunk, each in one transaction with its line in the audit and its leaf in the log, so that a
       crash leaves nothing removed and not logged; the next run goes on.
    """
    require_operator(actor)
    reports = []
    for collection_id in _collections(hub):
        removed, finished = 0, False
        while chunks > 0 and not finished:
            chunks -= 1
            more = _examine(hub, collection_id)  # 1
            with hub.db.write() as tx:  # 2
                gone = _remove(tx, hub, actor, collection_id)
            removed += gone
            finished = gone == 0 and not more
        with hub.db.read() as tx:
            place = collection_store.by_id(tx, collection_id)
            slug = group_store.by_id(tx, place.group_id).slug
        reports.append(Report(slug, place, Counted(0, 0, 0, 0), removed, finished))
        if removed:
            log.info("retention.removed", collection=place.uuid, versions=removed, finished=finished)
    return reports


def ends(kind: str, date_added: int, expires_at: int | None, body: bytes) -> list[Due]:
    """Return when a version ends by its own ``valid_until`` or its author's permission, and by saying ``revoked``."""
    found = []
    valid_until: int | None = None
    if b'"revoked":true' in body or (kind == "indicator" and b'"valid_until":' in body):
        obj = parse(body)
        if isinstance(obj, dict):
            if obj.get("revoked") is True:
                found.append(Due(date_added, REVOKED, date_added))
            said = obj.get("valid_until") if kind == "indicator" else None
            if isinstance(said, str) and is_timestamp(said):
                valid_until = instant_us(said)
    moments = [moment for moment in (valid_until, expires_at) if moment is not None]
    if moments:
        found.append(Due(date_added, EXPIRED, min(moments)))
    return found


def _collections(hub: Hub) -> list[int]:
    with hub.db.read() as tx:
        return store.with_retention(tx)


def _examine(hub: Hub, collection_id: int) -> bool:
    """Look into the next bodies; say whether there were as many as one step takes, so that there may be more."""
    with hub.db.read() as tx:
        retention = collection_store.by_id(tx, collection_id).retention
        if retention.expired is None and retention.revoked is None:
            return False
        if not store.unexamined(tx, collection_id, limit=1):
            return False
    with hub.db.write() as tx:
        entry_store.lock(tx, collection_id)
        rows = store.unexamined(tx, collection_id, limit=limits.RETENTION_EXAMINED)
        due = [one for date, kind, expires_at, body in rows for one in ends(kind, date, expires_at, body)]
        if rows:
            store.examined(tx, collection_id, rows[-1][0], due)
    return len(rows) == limits.RETENTION_EXAMINED


def _remove(tx: Connection, hub: Hub, actor: Actor, collection_id: int) -> int:
    """Remove one chunk; return how many versions went.

    1. With a version go the earlier ones of its object: none of them may come back as the latest.
    2. With them go the detached signatures over what went.
    3. Nothing that a hold covers, not even as a signature.
    """
    entry_store.lock(tx, collection_id)
    place, now = collection_store.by_id(tx, collection_id), hub.clock()
    ids = store.over(tx, place, now, limit=limits.RETENTION_CHUNK_OBJECTS)
    if not ids:
        return 0
    over = store.dates_over(tx, place, now, ids)
    stored = removal.of_objects(tx, collection_id, ids)
    going = [one for versions in stored.values() for one in _with_earlier(versions, over)]  # 1
    gone = {one.id for one in going}
    left = {(one.stix_id, one.named_by_signatures) for all_ in stored.values() for one in all_ if one.id not in gone}
    for signature, version in removal.signatures_over(tx, collection_id, ids):  # 2
        if signature.id not in gone and (str(signature.related_to), version) not in left:
            going.append(signature)
    holds = hold_store.covering(tx, place.group_id, collection_id)
    held = {one.stix_id for one in holds}
    if None in held:
        return 0
    going = sorted((one for one in going if one.stix_id not in held), key=lambda one: one.date_added)  # 3
    removal.remove(tx, collection_id, going)
    audit.record(
        tx,
        hub,
        actor,
        "retention.remove",
        f"groups/{group_store.by_id(tx, place.group_id).slug}/collections/{place.uuid}",
        versions=len(going),
        sha256=digest(going),
    )
    return len(going)


def _with_earlier(versions: Sequence[StoredEntry], over: set[int]) -> list[StoredEntry]:
    ended = [one for one in versions if one.date_added in over]
    latest = max((one.version_key for one in ended if not one.version_less), default=None)
    return [
        one
        for one in versions
        if one.date_added in over or (latest is not None and not one.version_less and one.version_key < latest)
    ]


def digest(going: Sequence[StoredEntry]) -> str:
    """Return the hex SHA-256 that the log holds of what went: of the JCS list of [id, version, sha256], by date."""
    listed = [[one.stix_id, one.version, one.sha256.hex()] for one in going]
    return hashlib.sha256(jcs(listed)).hexdigest()
