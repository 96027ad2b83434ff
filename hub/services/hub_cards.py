"""Hub cards: this hub's own, and other hubs made known from theirs."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hub.domain import hub_card, naming
from hub.domain.canonical import Json
from hub.domain.hub_card import Card
from hub.domain.introduction import signed as signed_introduction
from hub.domain.membership import Peer, PeerKind
from hub.errors import ConfigError, Conflict, InvalidRequest
from hub.services import audit, keys, peers
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.services.relay import introducing
from hub.store import keys as key_store
from hub.store import peers as peer_store


@dataclass(frozen=True, slots=True)
class Adopted:
    """A hub that is known now. :param new: kids of the keys that were not enrolled before."""

    peer: Peer
    card: Card
    new: tuple[str, ...]


def own(hub: Hub, actor: Actor) -> dict[str, Json]:
    """Return this hub's card, signed now. Operators only. Raises ConfigError where the hub has no keys of its own."""
    require_operator(actor)
    now = hub.clock()
    with hub.db.read() as tx:
        identity = hub_identity(tx)
        introduction = introducing.of_ours(tx, hub, identity, identity)
    if introduction is None or hub.signing_key.public.kid not in {one.kid for one in introduction.keys}:
        raise ConfigError("the hub's own key is not enrolled; run: cybex init")
    inside = json.loads(signed_introduction(introduction, hub.signing_key, uuid=uuid4(hub.token_bytes)))
    card = hub_card.written(inside, hub.public_url)
    return hub_card.signed(card, hub.signing_key, hub=identity, at=now, uuid=uuid4(hub.token_bytes))


def read(hub: Hub, document: Json) -> Card:
    """Return what a card says, its signature checked; nothing is stored. Raises InvalidRequest, SignatureError."""
    return hub_card.read_card(document, now=hub.clock())


def adopt(hub: Hub, actor: Actor, document: Json, *, handle: str, fingerprint: str) -> Adopted:
    """Make a hub known as a peer, and enrol its keys; the same card again changes nothing.

    1. The card is signed by a key on it, which stands now: whoever made it has that key.
    2. The fingerprint is that key's, as its operator has told it over another channel.
    3. The hub is not this one, and no peer that is something else. One that another hub introduced becomes a partner.
    4. Its keys are enrolled as the card gives them, the revoked ones left out.

    Raises:
        InvalidRequest: it is no card, or the fingerprint is another. SignatureError. Conflict: see 3.
    """
    require_operator(actor)
    naming.handle(handle)
    card = read(hub, document)  # 1
    said = card.introduction
    if not hub_card.same_fingerprint(card.signed_by, fingerprint):  # 2
        raise InvalidRequest(
            "it is not the fingerprint of the key that signed this card: ask that hub's operator, and do not adopt it"
            " before the two agree",
            field="fingerprint",
        )
    with hub.db.read() as tx:  # 3
        known = peer_store.by_identity(tx, said.identity)
        if said.identity == hub_identity(tx):
            raise Conflict("this is the card of this hub itself", field="card")
    if known is not None and known.kind is not PeerKind.HUB:
        raise Conflict("that identity is a peer here already, which is no hub", field="card")
    if known is not None and known.handle != handle:
        raise Conflict(f"this hub is known already, as {known.handle}; use that handle", field="handle")
    peer = known or peers.add(
        hub,
        actor,
        handle=handle,
        name=said.name,
        kind=PeerKind.HUB,
        identity=said.identity,
        country=said.country,
        itu_region=said.itu_region,
    )
    if peer.abroad:
        with hub.db.write() as tx:
            peer = peer_store.come_home(tx, peer.id)
            audit.record(tx, hub, actor, "peer.adopt", f"peers/{peer.handle}", identity=peer.identity)
    with hub.db.read() as tx:
        enrolled = {key.kid for key in key_store.of_peer(tx, peer.id)}
    if enrolled and card.signed_by.kid not in enrolled:
        raise Conflict(
            "this hub is known by other keys: a new one comes over the link, introduced by an old one; if all of them"
            " are lost, enrol the new one with cybex key add",
            field="card",
        )
    new = [key for key in said.keys if key.revoked_at is None and key.kid not in enrolled]  # 4
    for key in new:
        keys.enrol(
            hub, actor, handle, public_key=key.public_key, valid_from=key.valid_from, valid_until=key.valid_until
        )
    return Adopted(peer, card, tuple(key.kid for key in new))
