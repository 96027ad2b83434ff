"""Who got an object, who did not yet, and who may not: for its author, for whoever published it, and for operators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.membership import Collection, Member, Peer, TrustGroup
from hub.domain.policy.decision import Decision, all_of
from hub.domain.policy.reading import ReadFacts, explain_read
from hub.domain.served import ServedRange, ServedVersion, proof, strongest
from hub.errors import NotFound
from hub.services import crossing
from hub.services.acquaintance import known_peers
from hub.services.actor import Actor, limited, require_reader
from hub.services.context import Hub
from hub.services.crossing import Crossing
from hub.store import acknowledgements as acknowledgement_store
from hub.store import collections as collection_store
from hub.store import decisions as decision_store
from hub.store import groups as group_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store import served as store
from hub.store.acknowledgements import Kept
from hub.store.decisions import StoredDecision

NO_OBJECT: Final = "there is no such object"

State: TypeAlias = Literal["served", "served-this-or-later", "superseded", "presumed", "not-yet", "may-not"]
STATES: Final[tuple[State, ...]] = ("served", "served-this-or-later", "superseded", "presumed", "not-yet", "may-not")
"""``superseded``: he read on only after a later version had taken its place. ``presumed``: not known, but he could
have read it before he lost the right to. ``not-yet``: he may read it and has not. ``may-not``: a rule forbids it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one peer stands to one version.

    :param may_read: what the rules of reading say now; the first refusal, or the last permission.
    :param first_at: it was not served earlier than this. :param last_at: what proves it was not read later. None when
        nothing was served. Microseconds since the epoch.
    :param how: how it was served, sorted.
    """

    peer: Peer
    state: State
    may_read: Decision
    first_at: int | None
    last_at: int | None
    how: tuple[str, ...]
    acknowledged: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """One version in one collection: those the asker may know of, by handle, and how many others are in each state.

    :param hubs: other hubs that the asker may know of: what they were handed, or why it stays here.
    """

    group: TrustGroup
    collection: Collection
    version: str
    date_added: int
    peers: tuple[Standing, ...]
    others: Counter[State]
    hubs: tuple[Crossing, ...] = ()


def delivered(hub: Hub, actor: Actor, stix_id: str) -> list[Delivered]:
    """Return, for each stored version that the actor may ask about, how every other peer stands to it.

    1. An operator may ask about everything; whoever published a version, and its author, as members of the group.
    2. Every member counts, and everybody else who was served it or is presumed to have been.
    3. Who published a version is left out: he has it.
    4. Peers that the actor may not know of are counted and not named.
    5. Of a version that names a pseudonym, or is by one, nothing is told: even a number could tell whose it is.
    6. Another hub reads nothing: what it was handed is told instead.

    Raises NotFound when there is nothing he may ask about.
    """
    require_reader(actor)
    with hub.db.read() as tx:
        now = hub.clock()
        known = peer_store.all(tx)
        everybody = {peer.id: peer for peer in known}
        found = [
            _of_version(tx, hub, actor, stix_id, stored, everybody, now=now)
            for stored in decision_store.of_object(tx, stix_id)
            if may_ask(tx, actor, stored)  # 1
        ]
    if not found:
        raise NotFound(NO_OBJECT)
    return found


def may_ask(tx: Connection, actor: Actor, stored: StoredDecision) -> bool:
    """Say whether an actor may ask who got a version: its author as a member, whoever published it, an operator."""
    caller = limited(actor)
    if caller is None:
        return True
    mine = member_store.get(tx, stored.group_id, caller.peer.id)
    if mine is None or mine.suspended_at is not None:
        return False
    if stored.submitter_peer_id == caller.peer.id:
        return True
    # Where somebody else published it, its author must be able to know that it is there at all.
    override = collection_store.overrides(tx, stored.collection_id).get(caller.peer.id)
    may_read = facts(caller.peer, mine, override, stored, now=stored.date_added)
    return stored.author_identity == caller.peer.identity and bool(all_of(explain_read(may_read)))


def _of_version(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    stix_id: str,
    stored: StoredDecision,
    everybody: dict[int, Peer],
    *,
    now: int,
) -> Delivered:
    group = group_store.by_id(tx, stored.group_id)
    collection = collection_store.by_id(tx, stored.collection_id)
    if limited(actor) is not None and (stored.audience.veiled or stored.first_audience.veiled):  # 5
        return Delivered(group, collection, stored.version, stored.date_added, (), Counter())
    members = {peer.id: member for peer, member in member_store.of_group(tx, stored.group_id)}
    overrides = collection_store.overrides(tx, stored.collection_id)
    version = ServedVersion(stored.date_added, stix_id.partition("--")[0], stored.superseded_at, stored.expires_at)
    ranges: dict[int, list[ServedRange]] = {}
    for peer_id, served in store.covering(tx, stored.collection_id, stored.date_added, stored.date_added):
        if stored.first_audience.admits(peer_id):
            ranges.setdefault(peer_id, []).append(served)
    said: dict[int, list[Kept]] = {}
    for one in acknowledgement_store.of_object(
        tx, stix_id, group_ids=[group.id], version=stored.version, limit=limits.ACKNOWLEDGEMENTS_COUNTED
    ):
        said.setdefault(one.peer_id, []).append(one)
    standings = []
    for peer_id in sorted({*members, *ranges, *said} - {stored.submitter_peer_id}):  # 2, 3
        peer = everybody[peer_id]
        if peer.partner_hub and peer_id not in ranges:  # 6
            continue
        rules = facts(peer, members.get(peer_id), overrides.get(peer_id), stored, now=now)
        standing = _standing(peer, all_of(explain_read(rules)), version, ranges.get(peer_id, []))
        standings.append(replace(standing, acknowledged=tuple(said.get(peer_id, []))))
    may_name = known_peers(tx, limited(actor), group)
    named = sorted((one for one in standings if one.peer.id in may_name), key=lambda one: one.peer.handle)
    others = Counter(one.state for one in standings if one.peer.id not in may_name)  # 4
    crossings = crossing.of_version(tx, hub, group, collection, stix_id, stored.sha256)  # 6
    hubs = tuple(one for one in crossings if one.peer.id in may_name and one.peer.id != stored.submitter_peer_id)
    return Delivered(group, collection, stored.version, stored.date_added, tuple(named), others, hubs)


def _standing(peer: Peer, may_read: Decision, version: ServedVersion, ranges: Iterable[ServedRange]) -> Standing:
    proofs = [(proof(one, version), one) for one in ranges]
    best = strongest(said for said, _ in proofs)
    if best is None:
        return Standing(peer, "not-yet" if may_read else "may-not", may_read, None, None, ())
    decisive = [one for said, one in proofs if said == best]
    # A row may have been begun before the version came; nobody was served it before that.
    first = min(max(one.first_at, version.date_added) for one in decisive)
    last = max(max(one.last_at, version.date_added) for one in decisive)
    return Standing(peer, best, may_read, first, last, tuple(sorted({one.how for one in decisive})))


def facts(
    peer: Peer,
    member: Member | None,
    override: tuple[bool | None, bool | None] | None,
    stored: StoredDecision,
    *,
    now: int,
) -> ReadFacts:
    """Return what decides whether a peer may read a stored version at a time, microseconds since the epoch."""
    return ReadFacts(
        peer_id=peer.id,
        peer_suspended=peer.suspended_at is not None,
        group_id=stored.group_id,
        member=member,
        override=override,
        audience=stored.audience,
        submitter_peer_id=stored.submitter_peer_id,
        expires_at=stored.expires_at,
        now=now,
        partner_hub=peer.partner_hub,
    )
