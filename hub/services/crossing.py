"""Which other hubs a stored version crosses to, under which agreement, and what became of it there; or why it stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain.agreement import Agreement, Terms
from hub.domain.membership import Collection, Peer, TrustGroup
from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.taxii_time import format_timestamp
from hub.services import agreements
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.relay import outgoing, selection
from hub.services.relay.making import own_peer
from hub.store import dead_letters as letter_store
from hub.store import handed_over as store
from hub.store import links as link_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store import relay_feed, removal
from hub.store.handed_over import HandedOver
from hub.store.relay_feed import FeedRow

AGREEMENT = "agreement"
HANDED = "handed-over"


@dataclass(frozen=True, slots=True)
class Crossing:
    """How one version stands to one other hub.

    :param decision: whether it may be handed over now, and why not. :param agreement: under which; None without one.
    :param hops: hubs that it may pass in all under that agreement. :param handed: what the hub was given of it, None
        when nothing.
    """

    peer: Peer
    decision: Decision
    agreement: str | None
    hops: int | None
    handed: HandedOver | None


def of_version(
    tx: Connection, hub: Hub, group: TrustGroup, collection: Collection, stix_id: str, sha256: bytes
) -> list[Crossing]:
    """Return how a stored version stands to every hub that is a member of the group or was given it, by handle."""
    entries = removal.of_objects(tx, collection.id, [stix_id]).get(stix_id, [])
    keys = [(one.stix_id, one.version_key) for one in entries if one.sha256 == sha256]
    rows = relay_feed.versions(tx, collection.id, keys)
    if not rows:
        return []
    row = rows[-1]
    given = {
        one.peer_id: one for one in store.of_object(tx, collection.id, stix_id) if one.version_key == row.version_key
    }
    hubs = {peer.id: peer for peer, _ in member_store.of_group(tx, group.id) if peer.partner_hub}
    hubs |= {peer_id: peer_store.by_id(tx, peer_id) for peer_id in given}
    own, now = own_peer(tx), hub.clock()
    ways = selection.ways(tx, collection.id, [row])
    found = []
    for peer in sorted(hubs.values(), key=lambda one: one.handle):
        agreement = agreements.in_force(tx, hub, peer, now)
        decision, terms = _decided(tx, agreement, peer, group, collection, row, ways, own, now)
        found.append(
            Crossing(
                peer,
                decision,
                None if agreement is None else agreement.id,
                None if terms is None else terms.hop_budget,
                given.get(peer.id),
            )
        )
    return found


def explained(
    tx: Connection,
    hub: Hub,
    group: TrustGroup,
    collection: Collection,
    stix_id: str,
    sha256: bytes,
    peer: Peer,
    *,
    whole: bool,
) -> tuple[Decision, ...]:
    """Return why another hub has a version, or has it not: the agreement, what the rules say, what became of it.

    :param whole: say also how the link is doing, which is for operators.
    """
    for one in of_version(tx, hub, group, collection, stix_id, sha256):
        if one.peer.id == peer.id:
            break
    else:
        return (deny(AGREEMENT, "the hub is no member of the group, and was never handed it"),)
    agreed = deny(AGREEMENT, one.decision.reason) if one.decision.rule == AGREEMENT else allow(
        AGREEMENT, f"agreement {one.agreement} is in force"
    )  # fmt: skip
    rules = [agreed] if one.decision.rule == AGREEMENT else [agreed, one.decision]
    return (*rules, _what_became(tx, one, stix_id, whole=whole)) if one.decision or one.handed else tuple(rules)


def words(one: Crossing) -> str:
    """Return in one line whether a version crosses to a hub."""
    if not one.decision:
        return f"stays here: {one.decision.reason}"
    hubs = "1 hub" if one.hops == 1 else f"{one.hops} hubs"
    return f"crosses to {one.peer.handle} under agreement {one.agreement} (may pass {hubs})"


def _decided(
    tx: Connection,
    agreement: Agreement | None,
    peer: Peer,
    group: TrustGroup,
    collection: Collection,
    row: FeedRow,
    ways: selection.Ways,
    own: Peer,
    now: int,
) -> tuple[Decision, Terms | None]:
    if agreement is None:
        return deny(AGREEMENT, "no agreement with that hub is in force"), None
    for lane in outgoing.lanes(tx, agreement, peer):
        if lane.collection.id == collection.id:
            return selection.decide(row, lane.terms, peer, ways, own.id, now=now), lane.terms
    slugs = {terms.group for terms in agreement.giving(hub_identity(tx))}
    if group.slug not in slugs:
        return deny(AGREEMENT, "the agreement lets nothing of this group go to that hub"), None
    if collection.alias is None:
        return deny(AGREEMENT, "a collection without an alias has no counterpart at another hub"), None
    return deny(AGREEMENT, "that hub has no right to read in this collection"), None


def _what_became(tx: Connection, one: Crossing, stix_id: str, *, whole: bool) -> Decision:
    handed = one.handed
    if handed is not None and handed.outcome != "refused":
        receipt = ", and it has signed for it" if handed.receipted else ""
        return allow(HANDED, f"handed over on {format_timestamp(handed.at)}: {handed.outcome} there{receipt}")
    letters: Sequence[letter_store.DeadLetter] = letter_store.of_object(tx, stix_id, one.peer.id)
    if letters:
        letter = letters[0]
        again = "; it is to be sent again" if letter.state == "to-be-sent" else ""
        return deny(HANDED, f"refused there by rule {letter.rule}: {letter.reason}{again}")
    if handed is not None:
        return deny(HANDED, f"refused there by rule {handed.rule or 'unknown'}")
    link = link_store.get(tx, one.peer.id)
    if link is not None and link.paused_at is not None:
        return deny(HANDED, "it waits: the link is paused")
    if link is not None and link.failures and whole:
        until = "" if link.retry_at is None else f" until {format_timestamp(link.retry_at)}"
        return deny(HANDED, f"it waits{until} after {link.failures} failures of the link: {link.last_error}")
    return deny(HANDED, "it waits for the link")
