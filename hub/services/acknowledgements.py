"""Acknowledgements: what a peer confirms, signed, of versions that it was given; the author sees the tally.

Nothing here tells a peer of a version that it could not see anyway: what it may not acknowledge does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.domain import acknowledgement as form
from hub.domain import limits
from hub.domain.acknowledgement import EVERY_VERSION, Acknowledgement
from hub.domain.canonical import Json
from hub.domain.keys import KeyRing
from hub.domain.log_event import Event
from hub.domain.membership import Caller, Peer
from hub.domain.policy.reading import ReadFacts, may_read
from hub.domain.taxii_time import format_timestamp
from hub.errors import CybexError, InvalidRequest, NotFound, SignatureError
from hub.services import deliveries, transparency
from hub.services.actor import Actor, is_operator, require_reader, visible_peers
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.store import acknowledgements as store
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import keys as key_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store import retractions as retraction_store
from hub.store.acknowledgements import Acknowledged, Kept, NewAcknowledgement

NO_OBJECT = "there is no such object"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one acknowledgement. :param error: why it was not kept; None when it is kept, now or before."""

    uuid: str | None
    error: CybexError | None


@dataclass(slots=True)
class Tally:
    """What is confirmed of one version in one group.

    :param outcomes: how many peers said each. :param named: by peers that the asker may know of, the newest first.
    :param reasons: (outcome, reason) of the others.
    """

    group: str
    version: str
    outcomes: Counter[str] = field(default_factory=Counter)
    named: list[Kept] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)


def post(hub: Hub, caller: Caller, document: Json) -> None:
    """Keep one acknowledgement; see `post_all`. Raises what became of it."""
    (outcome,) = post_all(hub, caller, [document])
    if outcome.error is not None:
        raise outcome.error


def post_all(hub: Hub, caller: Caller, documents: Sequence[Json]) -> list[Outcome]:
    """Keep acknowledgements, in one transaction, and return what became of each; one that is bad stops no other.

    1. It has the published form, and is about this hub, by the caller's own peer.
    2. It is signed by a key that the peer had at the signing time.
    3. It is about a version that the peer may read now, was served, or is to be told of the retraction of.
    4. What the peer said before of the same version with the same outcome stands; the repeat changes nothing.
    5. Each that is new has a leaf in the log, which the author's peer may open. The leaf names neither of them.
    """
    outcomes: list[Outcome] = [Outcome(None, None)] * len(documents)
    now = hub.clock()
    with hub.db.write() as tx:
        ring = KeyRing(key_store.of_peer(tx, caller.peer.id), allow_test_key=hub.allow_test_key)
        own = hub_identity(tx)
        accepted: list[tuple[NewAcknowledgement, Event]] = []
        for number, document in enumerate(documents):
            try:
                said = _verified(document, caller, ring, own, now=now)  # 1, 2
                outcomes[number] = Outcome(said.uuid, None)
                accepted.append(_admitted(tx, caller, said, document, now=now))  # 3
            except (InvalidRequest, SignatureError, NotFound) as error:
                outcomes[number] = Outcome(outcomes[number].uuid, error)
        made = []
        # Always in the same order, so that two batches of one peer never wait for each other.
        for new, event in sorted(accepted, key=lambda one: (one[0].stix_id, one[0].version, one[0].outcome)):
            row_id = store.add(tx, new)  # 4
            if row_id is not None:
                made.append((row_id, event))
        places = transparency.append(tx, hub, [event for _, event in made], now=now)  # 5
        for (row_id, _), log_index in zip(made, places, strict=True):
            store.place(tx, row_id, log_index)
    return outcomes


def tally(hub: Hub, actor: Actor, stix_id: str, *, version: str | None = None) -> tuple[list[Tally], bool]:
    """Return what is confirmed of an object, by group and version, and whether there is more than is counted here.

    For the peer that is its author or has published it, of its own groups; for an operator, of all. At most
    ``limits.ACKNOWLEDGEMENTS_COUNTED`` are counted, the newest; ``version`` asks for one version alone.

    :raises NotFound: for everybody else, and where there is no such object.
    """
    require_reader(actor)
    with hub.db.read() as tx:
        groups = _may_hear(tx, actor, stix_id)
        most = limits.ACKNOWLEDGEMENTS_COUNTED
        rows = store.of_object(tx, stix_id, group_ids=groups, version=version, limit=most + 1)
        known = {peer.id for peer in visible_peers(tx, actor)}
    if groups is None and not rows:
        raise NotFound(NO_OBJECT)
    tallies: dict[tuple[str, str], Tally] = {}
    for row in rows[:most]:
        one = tallies.setdefault((row.group, row.version), Tally(row.group, row.version))
        one.outcomes[row.outcome] += 1
        if row.peer_id in known:
            one.named.append(row)
        elif row.reason is not None:
            one.reasons.append((row.outcome, row.reason))
    return [tallies[key] for key in sorted(tallies)], len(rows) > most


def _verified(document: Json, caller: Caller, ring: KeyRing, own: str, *, now: int) -> Acknowledgement:
    said = form.read(document)
    if said.hub != own:
        raise InvalidRequest("it is about what another hub served", field="hub")
    if said.by != caller.peer.identity:
        raise InvalidRequest("a peer acknowledges in its own name only", field="by")
    if not isinstance(document, dict):
        raise AssertionError("what was read as an acknowledgement is an object")
    form.verify(document, ring, now=now)
    return said


def _admitted(
    tx: Connection, caller: Caller, said: Acknowledgement, document: Json, *, now: int
) -> tuple[NewAcknowledgement, Event]:
    """Return what is to be kept, and what the log is told. Raises NotFound."""
    group = group_store.by_slug(tx, said.group)
    # id 0 is nobody's: the same is asked of the database whether or not the group exists.
    version, author = _given(tx, caller.peer, 0 if group is None else group.id, said, now=now)
    if group is None or version is None or not isinstance(document, dict):
        raise NotFound(NO_OBJECT)
    statement = form.octets(document)
    new = NewAcknowledgement(
        group.id, said.stix_id, version, caller.peer.id, said.outcome, said.reason, said.created, statement
    )
    body = {
        "at": format_timestamp(now),
        "group": group.slug,
        "id": said.stix_id,
        "version": version,
        "outcome": said.outcome,
        "sha256": form.digest(document),
    }
    return new, Event("acknowledged", body, caller.peer.id, author)


def _given(
    tx: Connection, peer: Peer, group_id: int, said: Acknowledgement, *, now: int
) -> tuple[str | None, int | None]:
    """Return the version that the peer was given, as the hub names it, and its author's peer id; None without one."""
    for stored in reversed(store.versions(tx, said.stix_id)):
        named = said.version in (stored.version, stored.sha256.hex())
        if stored.group_id == group_id and named and _has(tx, peer, stored, now=now):
            return stored.version, _author(tx, stored)
    for gone in reversed(retraction_store.named(tx, said.stix_id)):
        if gone.group_id != group_id or gone.stix_id != said.stix_id or not gone.holders.admits(peer.id):
            continue
        author = gone.author_peer_id or gone.actor_peer_id
        if said.version == EVERY_VERSION:
            return EVERY_VERSION, author
        for version, sha256 in gone.versions:
            if said.version in (version, sha256):
                return version, author
    return None, None


def _has(tx: Connection, peer: Peer, stored: Acknowledged, *, now: int) -> bool:
    """Say whether a peer may read a version, or was served it when it might."""
    facts = ReadFacts(
        peer_id=peer.id,
        peer_suspended=peer.suspended_at is not None,
        group_id=stored.group_id,
        member=member_store.get(tx, stored.group_id, peer.id),
        override=collection_store.overrides(tx, stored.collection_id).get(peer.id),
        audience=stored.audience,
        submitter_peer_id=stored.submitter_peer_id,
        expires_at=stored.expires_at,
        now=now,
        partner_hub=peer.partner_hub,
    )
    if may_read(facts):
        return True
    entry = (stored.date_added, stored.type, stored.first_audience)
    return peer.id in deliveries.holders(tx, stored.collection_id, [entry])


def _author(tx: Connection, stored: Acknowledged) -> int:
    author = None if stored.author_identity is None else peer_store.by_identity(tx, stored.author_identity)
    return stored.submitter_peer_id if author is None else author.id


def _may_hear(tx: Connection, actor: Actor, stix_id: str) -> list[int] | None:
    """Return the groups in which the actor may hear what is confirmed of an object, None for all. Raises NotFound."""
    if is_operator(actor) or not isinstance(actor, Caller):
        return None
    own = actor.peer
    groups = {
        one.group_id
        for one in store.versions(tx, stix_id)
        if own.id == one.submitter_peer_id or own.identity == one.author_identity
    }
    groups |= {
        one.group_id
        for one in retraction_store.named(tx, stix_id)
        if one.stix_id == stix_id and own.id in (one.author_peer_id, one.actor_peer_id)
    }
    if not groups:
        raise NotFound(NO_OBJECT)
    # Who is inside a veiled audience, be it only as a number, would tell whose the pseudonym is that made it.
    groups -= {one.group_id for one in store.versions(tx, stix_id) if one.audience.veiled or one.first_audience.veiled}
    groups -= {one.group_id for one in retraction_store.named(tx, stix_id) if one.holders.veiled}
    return sorted(groups)
