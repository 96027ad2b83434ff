"""Why may this peer see this object, or why not: the rules of reading, one by one, for each stored version."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain.membership import Caller, Collection, Peer, TrustGroup
from hub.domain.policy.decision import Decision, all_of, deny
from hub.domain.policy.reading import ReadFacts, explain_read
from hub.domain.taxii_time import format_timestamp
from hub.errors import NotFound
from hub.services import crossing
from hub.services.actor import Actor, is_operator, require_reader, visible_peer
from hub.services.context import Hub
from hub.store import collections as collection_store
from hub.store import decisions as decision_store
from hub.store import groups as group_store
from hub.store import members as member_store
from hub.store.decisions import StoredDecision

NO_OBJECT = "there is no such object"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What holds for one peer and one version in one collection.

    :param admitted_by: the rule and reason with which the version was taken, None while it is held back.
    :param rules: what each rule of reading says, in order. :param decision: the outcome of all of them.
    """

    group: TrustGroup
    collection: Collection
    version: str
    stored: StoredDecision | None
    rules: tuple[Decision, ...]
    decision: Decision


def explain(hub: Hub, actor: Actor, stix_id: str, handle: str) -> list[Explanation]:
    """Return, for every version of an object that the actor may ask about, whether and why a peer may read it.

    Of another hub: whether and why it has it, which is what the agreement with it lets cross, and what became of that.

    An operator may ask about everything; whoever published a version, about any peer he may know of; everyone else
    about himself and what he can see. Raises NotFound when there is nothing he may ask about.
    """
    require_reader(actor)
    with hub.db.read() as tx:
        peer = visible_peer(tx, actor, handle)
        now = hub.clock()
        found = [
            _about(tx, hub, actor, stix_id, peer, stored, now)
            for stored in decision_store.of_object(tx, stix_id)
            if _may_ask(tx, actor, peer, stored, now)
        ]
        for group_id, collection_id, submitter, until in decision_store.embargoes(tx, stix_id):
            if is_operator(actor) or (isinstance(actor, Caller) and actor.peer.id == submitter):
                reason = deny("embargo", f"nobody sees it before {format_timestamp(until)}")
                group, collection = group_store.by_id(tx, group_id), collection_store.by_id(tx, collection_id)
                found.append(Explanation(group, collection, "held", None, (reason,), reason))
    if not found:
        raise NotFound(NO_OBJECT)
    return found


def _may_ask(tx: Connection, actor: Actor, peer: Peer, stored: StoredDecision, now: int) -> bool:
    if not isinstance(actor, Caller) or is_operator(actor):
        return True
    own = all_of(explain_read(_facts(tx, actor.peer, stored, now)))
    # Who else is inside a veiled audience, or outside it, would tell whose the pseudonym is that made it.
    may_ask = {peer.id} if stored.audience.veiled else {peer.id, stored.submitter_peer_id}
    return bool(own) and actor.peer.id in may_ask


def _about(
    tx: Connection, hub: Hub, actor: Actor, stix_id: str, peer: Peer, stored: StoredDecision, now: int
) -> Explanation:
    group, collection = group_store.by_id(tx, stored.group_id), collection_store.by_id(tx, stored.collection_id)
    if peer.partner_hub:
        whole = is_operator(actor)
        rules = crossing.explained(tx, hub, group, collection, stix_id, stored.sha256, peer, whole=whole)
    else:
        rules = explain_read(_facts(tx, peer, stored, now))
    return Explanation(
        group=group,
        collection=collection,
        version=stored.version,
        stored=stored,
        rules=rules,
        decision=all_of(rules),
    )


def _facts(tx: Connection, peer: Peer, stored: StoredDecision, now: int) -> ReadFacts:
    return ReadFacts(
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
