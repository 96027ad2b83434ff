"""The way of an object over hubs: the signed hops by which it came, how it was taken here, and where it went on to.

Who may read a version sees by which hubs it came. Where it went on to is for those who may see who got it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain.hop import Hop, digest
from hub.domain.hop import signed as signed_hop
from hub.domain.introduction import signed as signed_introduction
from hub.domain.keys import KeyRing
from hub.domain.membership import Collection, MemberVisibility, Peer, TrustGroup
from hub.domain.policy.decision import all_of
from hub.domain.policy.reading import explain_read
from hub.domain.receipt import Line
from hub.domain.receipt_check import check_signature
from hub.errors import CybexError, NotFound
from hub.services import delivered
from hub.services.acquaintance import known_peers
from hub.services.actor import Actor, is_operator, limited, require_operator, require_reader
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.services.relay import introducing
from hub.store import collections as collection_store
from hub.store import decisions as decision_store
from hub.store import groups as group_store
from hub.store import handed_over, introductions, relay_batches, relay_feed, relay_paths, removal
from hub.store import keys as key_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store.decisions import StoredDecision
from hub.store.relay_batches import Confirmed
from hub.store.relay_feed import FeedRow
from hub.store.relay_paths import StoredPath

NO_OBJECT = "there is no such object"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the receipt of a batch says of one version, checked here.

    :param line: None where it says nothing of it. :param problem: why it proves nothing; None when it holds.
    :param document: the whole receipt, for operators only: it names everything that was in the batch.
    """

    batch: str
    line: Line | None
    problem: str | None
    document: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Way:
    """One way by which a version came. ``received_at`` is in microseconds since the epoch.

    :param via: the hub that brought it. :param hops: signed, the first hub first. :param receipt: that this hub gave.
    """

    via: Peer
    hops: tuple[dict[str, Any], ...]
    received_at: int
    receipt: Proof | None


@dataclass(frozen=True, slots=True)
class Onward:
    """One hub that a version was handed to. ``at`` is in microseconds since the epoch.

    :param receipt: that it gave; None while it has not answered.
    """

    to: Peer
    outcome: str
    at: int
    receipt: Proof | None


@dataclass(frozen=True, slots=True)
class Stop:
    """One version in one collection of this hub, with the ways that lead to it and on from it.

    :param ways: none where a member posted it here. :param here: hop of this hub, to the one who asks.
    :param onward: None where the asker may not know where it went.
    """

    group: TrustGroup
    collection: Collection
    stored: StoredDecision
    log_index: int | None
    entry_id: int
    ways: tuple[Way, ...]
    here: tuple[dict[str, Any], ...]
    onward: tuple[Onward, ...] | None


@dataclass(frozen=True, slots=True)
class Found:
    """The way of one object. :param introductions: of the hubs on it and of its authors, by which to check it all.

    :param asker: STIX identity to which the hops of this hub are addressed.
    """

    hub: str
    asker: str
    stops: tuple[Stop, ...]
    introductions: tuple[dict[str, Any], ...]


def found(hub: Hub, actor: Actor, stix_id: str) -> Found:
    """Return the way of every version of an object that the actor may read; of an operator, of all.

    1. The hops by which it came, and a hop of this hub to the asker which names the last of them by its digest.
    2. The receipts for it, given and got, whole for an operator only: a receipt names all that was in the batch.
    3. Where it went on to, for those who may see who got it (`delivered`), as far as they may know of the hub.

    Raises NotFound when there is nothing that he may read.
    """
    require_reader(actor)
    caller = limited(actor)
    with hub.db.read() as tx:
        own = hub_identity(tx)
        asker = own if caller is None else caller.peer.identity
        stops = [
            _stop(tx, hub, actor, stix_id, stored, own, asker)
            for stored in decision_store.of_object(tx, stix_id)
            if _may_read(tx, hub, actor, stored)
        ]
        if not stops:
            raise NotFound(NO_OBJECT)
        names = {own} | {hop["hub"] for stop in stops for way in stop.ways for hop in way.hops}
        names |= {one.to.identity for stop in stops for one in stop.onward or ()}
        names |= {author for stop in stops if (author := stop.stored.author_identity) and _is_known(stop)}
        documents = tuple(_introductions(tx, hub, own, names))
    return Found(own, asker, tuple(stops), documents)


def _may_read(tx: Connection, hub: Hub, actor: Actor, stored: StoredDecision) -> bool:
    caller = limited(actor)
    if caller is None:
        return True
    peer = caller.peer
    facts = delivered.facts(
        peer,
        member_store.get(tx, stored.group_id, peer.id),
        collection_store.overrides(tx, stored.collection_id).get(peer.id),
        stored,
        now=hub.clock(),
    )
    return bool(all_of(explain_read(facts)))


def _stop(tx: Connection, hub: Hub, actor: Actor, stix_id: str, stored: StoredDecision, own: str, asker: str) -> Stop:
    group, collection = group_store.by_id(tx, stored.group_id), collection_store.by_id(tx, stored.collection_id)
    entries = removal.of_objects(tx, collection.id, [stix_id]).get(stix_id, [])
    keys = [(one.stix_id, one.version_key) for one in entries if one.sha256 == stored.sha256]
    row = next(one for one in relay_feed.versions(tx, collection.id, keys) if one.date_added == stored.date_added)
    paths = [
        one
        for one in relay_paths.of_objects(tx, [stix_id], collection_id=collection.id)
        if one.version_key == row.version_key
    ]
    whole = is_operator(actor)
    ways = tuple(_way(tx, hub, own, one, whole=whole) for one in paths)
    giver = _giver(tx, group, row, own)
    here = [_here(hub, own, row, way.hops[-1]["hub"], asker, digest(way.hops[-1])) for way in ways]
    if not here or row.submitter_peer_id not in {way.via.id for way in ways}:
        here.append(_here(hub, own, row, giver, asker, None))
    onward = None
    if delivered.may_ask(tx, actor, stored) and not (limited(actor) is not None and _veiled(stored)):
        onward = tuple(_onward(tx, hub, actor, group, collection, row, own, whole=whole))
    return Stop(group, collection, stored, row.log_index, row.entry_id, ways, tuple(here), onward)


def _is_known(stop: Stop) -> bool:
    """Say whether a reader has to know its author: who signed it, and whoever is at home at another hub."""
    return bool(stop.ways) or (stop.stored.kid is not None and not stop.stored.vouched)


def _veiled(stored: StoredDecision) -> bool:
    return stored.audience.veiled or stored.first_audience.veiled


def _giver(tx: Connection, group: TrustGroup, row: FeedRow, own: str) -> str:
    """Return who gave a version to this hub, as another hub would be told: its author, else a known submitter."""
    author = row.author_identity
    if author is not None and pseudonym_store.owners(tx, group.id).get(author) == row.submitter_peer_id:
        return author
    if group.member_visibility is not MemberVisibility.OPEN:
        return own
    return peer_store.by_id(tx, row.submitter_peer_id).identity


def _here(hub: Hub, own: str, row: FeedRow, giver: str, asker: str, previous: bytes | None) -> dict[str, Any]:
    hop = Hop(own, giver, asker, row.stix_id, row.version, row.sha256, row.date_added, row.log_index, previous)
    return signed_hop(hop, hub.signing_key, uuid=uuid4(hub.token_bytes), at=hub.clock())


def _way(tx: Connection, hub: Hub, own: str, path: StoredPath, *, whole: bool) -> Way:
    batches = relay_batches.taken_at(tx, path.from_peer_id, path.collection_id, path.received_at)
    via = peer_store.by_id(tx, path.from_peer_id)
    ring = _ring(tx, hub, own)
    proofs = [_proof(one, ring, own, via.identity, path.stix_id, path.sha256, hub.clock(), whole) for one in batches]
    named = [one for one in proofs if one.line is not None] or proofs
    return Way(via, path.hops, path.received_at, named[0] if named else None)


def _onward(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    group: TrustGroup,
    collection: Collection,
    row: FeedRow,
    own: str,
    *,
    whole: bool,
) -> Iterable[Onward]:
    known = known_peers(tx, limited(actor), group)
    for one in handed_over.of_object(tx, collection.id, row.stix_id):
        if one.version_key != row.version_key or one.peer_id not in known:
            continue
        to = peer_store.by_id(tx, one.peer_id)
        batch = relay_batches.get(tx, one.peer_id, "out", one.batch)
        proof = None
        if batch is not None and batch.receipt is not None:
            ring = _ring(tx, hub, to.identity)
            proof = _proof(batch, ring, to.identity, own, row.stix_id, row.sha256, hub.clock(), whole)
        yield Onward(to, one.outcome, one.at, proof)


def _proof(
    batch: Confirmed, ring: KeyRing, hub: str, submitter: str, stix_id: str, sha256: bytes, now: int, whole: bool
) -> Proof:
    """Return what a receipt proves: signed by that hub, for this submitter, about these very bytes."""
    document = json.loads(batch.receipt or b"null")
    shown = document if whole else None
    try:
        receipt = check_signature(document, ring, hub=hub, now=now).receipt
    except CybexError as error:
        return Proof(batch.uuid, None, error.detail or error.title, shown)
    line = next((one for one in receipt.lines if (one.stix_id, one.sha256) == (stix_id, sha256)), None)
    problem = None if line is not None else "it says nothing of these bytes"
    if receipt.submitter != submitter:
        problem = "it is for another hub"
    return Proof(batch.uuid, line, problem, shown)


def _ring(tx: Connection, hub: Hub, identity: str) -> KeyRing:
    peer = peer_store.by_identity(tx, identity)
    keys = [] if peer is None else key_store.of_peer(tx, peer.id)
    return KeyRing(keys, allow_test_key=hub.allow_test_key)


def _introductions(tx: Connection, hub: Hub, own: str, names: set[str]) -> Sequence[dict[str, Any]]:
    """Return what is known of these names, hubs first: as their home hub said it, or this hub of its own."""
    kept = introductions.of(tx, names)
    kept |= introductions.of(tx, {str(json.loads(one.document)["hub"]) for one in kept.values()})
    found = [json.loads(one.document) for one in kept.values()]
    for name in sorted(names - kept.keys()):
        introduction = introducing.of_ours(tx, hub, own, name)
        if introduction is not None:
            found.append(json.loads(signed_introduction(introduction, hub.signing_key, uuid=uuid4(hub.token_bytes))))
    return sorted(found, key=lambda one: (one["hub"] != one["peer"]["identity"], one["peer"]["identity"]))


def stored_objects(hub: Hub, actor: Actor, row: Found) -> dict[str, dict[str, Any]]:
    """Return the stored objects by the SHA-256, in hex, under which they are kept; for an operator.

    Raises Forbidden.
    """
    require_operator(actor)
    with hub.db.read() as tx:
        bodies = relay_feed.bodies(tx, [stop.entry_id for stop in row.stops])
        return {stop.stored.sha256.hex(): json.loads(bodies[stop.entry_id]) for stop in row.stops}


def own_keys(hub: Hub) -> KeyRing:
    """Return the keys of this hub."""
    with hub.db.read() as tx:
        return _ring(tx, hub, hub_identity(tx))
