"""What a hub was handed and may not have in its newer version: it is told to remove what it has.

Who may see a version is settled when it is stored, whether it may cross only when it would: an author who marks his
next version AMBER takes the GREEN one from the hubs that have it, and nobody but the relay can notice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection

from hub.domain.signature_extensions import SIGNATURE_TYPE
from hub.services import withdrawal
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.services.relay.making import Lane
from hub.services.withdrawal import Act, Lost
from hub.store import entries as entry_store
from hub.store import relay_batches, removal
from hub.store.relay_batches import Sent
from hub.store.relay_feed import FeedRow
from hub.store.removal import StoredEntry

WITHDRAWN = "withdrawn"
"""Outcome of what a hub was told to remove: it is not told again."""

_OVER = frozenset({"refused", WITHDRAWN})


def withdraw_superseded(hub: Hub, lane: Lane, passed_over: Sequence[FeedRow]) -> int:
    """Tell a hub to remove earlier versions of what may not cross any more; return of how many objects.

    The notice joins the feed, after everything in it, and crosses like any notice of this hub.
    """
    newer: dict[str, str] = {}
    for row in passed_over:
        if row.type != SIGNATURE_TYPE:
            newer[row.stix_id] = max(newer.get(row.stix_id, ""), row.version_key)
    if not newer:
        return 0
    with hub.db.read() as tx:
        if not _had(tx, lane, newer):
            return 0
    with hub.db.write() as tx:
        now = hub.clock()
        entry_store.lock(tx, lane.collection.id)
        had = _had(tx, lane, newer)
        stored = removal.of_objects(tx, lane.collection.id, sorted(had))
        lost = [
            Lost(one, frozenset({lane.to.id}))
            for stix_id, keys in had.items()
            for one in stored.get(stix_id, ())
            if one.version_key in keys and not _stays(one)
        ]
        if not lost:
            return 0
        whole = frozenset(one.entry.stix_id for one in lost)
        act = Act(uuid4(hub.token_bytes), "narrowed", None, None, lost, whole)
        told = withdrawal.prepare(tx, hub, lane.group, lane.collection, [act], now=now)
        entry_store.intern(tx, told.audiences)
        batches = defaultdict[int, list[Sent]](list)
        for one in lost:
            sent = Sent(one.entry.stix_id, one.entry.version_key, one.entry.sha256, WITHDRAWN)
            batches[had[one.entry.stix_id][one.entry.version_key]].append(sent)
        for batch_id, some in batches.items():
            relay_batches.note_sent(tx, lane.to.id, lane.collection.id, batch_id, some)
        withdrawal.write(tx, hub, lane.group, lane.collection, told, now=now)
    return len(whole)


def _had(tx: Connection, lane: Lane, newer: dict[str, str]) -> dict[str, dict[str, int]]:
    """Return the batch in which the hub got each earlier version of these objects, by STIX id and version key."""
    found: dict[str, dict[str, int]] = {}
    for one in relay_batches.handed(tx, lane.to.id, lane.collection.id, sorted(newer)):
        if one.outcome not in _OVER and one.version_key < newer[one.stix_id]:
            found.setdefault(one.stix_id, {})[one.version_key] = one.batch_id
    return found


def _stays(one: StoredEntry) -> bool:
    """Say whether a version is one of many facts about the same thing, and not replaced by another: an observable."""
    return one.version_less
