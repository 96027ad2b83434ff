"""Making a batch for another hub: what follows on its position in one collection, as far as it may cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.agreement import Agreement
from hub.domain.membership import Peer
from hub.domain.signature_extensions import SIGNATURE_TYPE
from hub.errors import NotFound
from hub.services import access
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.relay import introducing, making, selection
from hub.services.relay.making import Lane, Prepared, own_peer
from hub.services.relay.selection import Ways
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import relay_batches, relay_feed, removal
from hub.store.relay_feed import FeedRow


def lanes(tx: Connection, agreement: Agreement, to: Peer) -> list[Lane]:
    """Return the collections that go to a hub: those with an alias, of groups in which it is a member that may read.

    Indicators first, and what is largest last, so that a thin line brings what can be acted on.
    """
    found = []
    for terms in agreement.giving(hub_identity(tx)):
        group = group_store.by_slug(tx, terms.group)
        if group is None or to.suspended_at is not None:
            continue
        found += [
            Lane(to, terms, group, collection)
            for collection in collection_store.of_group(tx, group.id)
            if collection.alias is not None and _may_have(tx, to, group.slug, collection.alias)
        ]
    return sorted(found, key=lambda lane: (lane.alias != "indicators", lane.alias != "incidents", lane.alias))


def _may_have(tx: Connection, to: Peer, slug: str, alias: str) -> bool:
    try:
        return access.relayed(tx, to, slug, alias).rights.can_read
    except NotFound:
        return False


def prepare(
    tx: Connection,
    hub: Hub,
    lane: Lane,
    after: int,
    *,
    max_objects: int = limits.RELAY_BATCH_OBJECTS,
    max_bytes: int = limits.RELAY_BATCH_BYTES,
    since: int | None = None,
) -> Prepared:
    """Return what follows on a position, in the order of commits.

    A version that may not cross is passed over, and so is what it has replaced. A detached signature travels with its
    object: neither is the last of a batch without the other.

    :param since: what the batch says it begins after, where nothing between that and ``after`` may cross.
    """
    rows = relay_feed.after(tx, lane.collection.id, after, limit=limits.RELAY_SCAN)
    own, ways = own_peer(tx), selection.ways(tx, lane.collection.id, rows)
    now, size, upto, more = hub.clock(), 0, after, len(rows) == limits.RELAY_SCAN
    chosen: list[FeedRow] = []
    passed_over: list[FeedRow] = []
    for row in rows:
        if selection.decide(row, lane.terms, lane.to, ways, own.id, now=now):
            if len(chosen) >= max_objects or (chosen and size + row.size > max_bytes):
                more = True
                break
            chosen.append(row)
            size += row.size
        else:
            passed_over.append(row)
        upto = row.date_added
    chosen = _not_superseded(chosen, passed_over)
    if more:
        chosen, upto = _with_their_objects(chosen, upto)
    begun = after if since is None else since
    made = making.made(tx, hub, lane, chosen, ways, own, after=begun, upto=upto, more=more)
    return replace(made, passed_over=passed_over)


def repeat(tx: Connection, hub: Hub, lane: Lane, wanted: Sequence[tuple[str, str]]) -> Prepared:
    """Return a batch of single versions, as far as they are stored and may cross now; it moves no position."""
    stored = removal.of_objects(tx, lane.collection.id, sorted({stix_id for stix_id, _ in wanted}))
    every = [(one.stix_id, one.version_key) for some in stored.values() for one in some]
    rows = relay_feed.versions(tx, lane.collection.id, every)
    own, ways, now = own_peer(tx), selection.ways(tx, lane.collection.id, rows), hub.clock()
    may = {row.entry_id for row in rows if selection.decide(row, lane.terms, lane.to, ways, own.id, now=now)}
    asked = [row for row in rows if row.entry_id in may and (row.stix_id, row.version_key) in set(wanted)]
    chosen = _not_superseded(asked, [row for row in rows if row.entry_id not in may])
    return making.made(tx, hub, lane, chosen[: limits.RELAY_BATCH_OBJECTS], ways, own)


def changed_introductions(tx: Connection, hub: Hub, lane: Lane) -> Prepared:
    """Return a batch without objects: what has changed of the keys of authors whom the hub knows from here."""
    stale = introducing.stale(tx, hub, lane.to.id)
    return making.made(tx, hub, lane, [], Ways({}, {}), own_peer(tx), introductions=stale)


def _not_superseded(chosen: list[FeedRow], passed_over: Sequence[FeedRow]) -> list[FeedRow]:
    """Leave out what a version that may not cross has replaced: its author would have the hub have neither."""
    newer: dict[str, str] = {}
    for row in passed_over:
        if row.type != SIGNATURE_TYPE and not row.version_less:
            newer[row.stix_id] = max(newer.get(row.stix_id, ""), row.version_key)
    gone = newer.keys() - {row.stix_id for row in chosen if row.version_key >= newer.get(row.stix_id, "")}
    return [
        row
        for row in chosen
        if row.version_key >= newer.get(row.stix_id, "") and not (row.type == SIGNATURE_TYPE and row.related_to in gone)
    ]


def _with_their_objects(chosen: list[FeedRow], upto: int) -> tuple[list[FeedRow], int]:
    """Leave signatures at the end of a full batch to the next one, where what they sign is."""
    end = len(chosen)
    while end and chosen[end - 1].type == SIGNATURE_TYPE:
        end -= 1
    if end in (0, len(chosen)):  # nothing but signatures: their objects went before
        return chosen, upto
    return chosen[:end], chosen[end].date_added - 1


def position(tx: Connection, lane: Lane) -> int:
    """Return how far a lane is; a collection's dates begin after 0."""
    found = relay_batches.position(tx, lane.to.id, lane.collection.id, "out")
    return 0 if found is None else int(found)
