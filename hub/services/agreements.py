"""Agreements with other hubs: offered by one, accepted by the other, kept as signed on both sides, ended by either."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.agreement import Agreement, GroupMapping, Party, read_agreement, unsigned, written
from hub.domain.canonical import Json, jcs, parse
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer
from hub.domain.statement import check_statement, sign_statement
from hub.errors import Conflict, InvalidRequest, NotFound, SignatureError
from hub.services import audit
from hub.services.actor import HUB_HANDLE, Actor, require_operator
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.store import agreements as store
from hub.store import groups as group_store
from hub.store import keys as key_store
from hub.store import peers as peer_store
from hub.store.agreements import StoredAgreement

NO_AGREEMENT = "there is no such agreement"
NO_HUB = "there is no such hub; adopt its card first: cybex hub-card adopt"


@dataclass(frozen=True, slots=True)
class Kept:
    """An agreement as it stands here.

    :param in_force: it is what the relay asks now. :param document: JSON with the signatures it has so far.
    """

    stored: StoredAgreement
    peer: Peer
    agreement: Agreement
    in_force: bool

    @property
    def document(self) -> dict[str, Any]:
        """The agreement as it is handed over."""
        found: dict[str, Any] = json.loads(self.stored.document)
        return found


@dataclass(frozen=True, slots=True)
class Examined:
    """A document that somebody has brought, not stored: whose hubs have signed it, and what stands against it here."""

    agreement: Agreement
    peer: Peer | None
    signed_by: tuple[str, ...]
    problems: tuple[str, ...]


def in_force(tx: Connection, hub: Hub, peer: Peer, now: int) -> Agreement | None:
    """Return what this hub and another one have agreed and may act on now; None is: exchange nothing.

    It is the newest that both have signed, it has not been ended, and it is within its time. The signatures still hold:
    a key that is known to be compromised has agreed to nothing.
    """
    found = store.newest_agreed(tx, peer.id)
    if found is None or peer.suspended_at is not None or not peer.partner_hub:
        return None
    document = parse(found.document)
    agreement, own = read_agreement(document), hub_identity(tx)
    if not agreement.between(own, peer.identity) or not agreement.stands(now):
        return None
    try:
        signers = _signed_by(tx, hub, document, [own, peer.identity], now)
    except SignatureError:
        return None
    return agreement if signers == {own, peer.identity} else None


def offer(
    hub: Hub,
    actor: Actor,
    handle: str,
    *,
    groups: Sequence[GroupMapping],
    hop_budget: int,
    expires: int,
    valid_from: int | None = None,
) -> Kept:
    """Return a new agreement, signed by this hub, for the operator of the other one to accept.

    :param groups: the group here stands first in each pair; ``forth`` is from here to there.

    Raises:
        NotFound: the hub is not known, or a group is not here. InvalidRequest: it says what cannot be kept.
    """
    require_operator(actor)
    with hub.db.write() as tx:
        peer = _partner(tx, handle)
        now, identity = hub.clock(), hub_identity(tx)
        own = peer_store.by_handle(tx, HUB_HANDLE)
        if expires > now + limits.AGREEMENT_LONGEST_US:
            raise InvalidRequest("an agreement lasts five years at most: renew it then", field="expires")
        if expires <= now:
            raise InvalidRequest("it would have ended already", field="expires")
        made = Agreement(
            id=uuid4(hub.token_bytes),
            hubs=(Party(identity, own.name if own is not None else ""), Party(peer.identity, peer.name)),
            groups=tuple(groups),
            hop_budget=hop_budget,
            valid_from=now if valid_from is None else valid_from,
            expires=expires,
        )
        document = written(made)
        read_agreement(document)
        _require_groups(tx, made, identity)
        signed = _signed(hub, document, identity, now)
        stored = store.add(tx, uuid=made.id, peer_id=peer.id, state="offered", document=jcs(signed), now=now)
        audit.record(tx, hub, actor, "agreement.offer", f"agreements/{made.id}", peer.id, **_detail(stored, peer))
    return Kept(stored, peer, made, in_force=False)


def examine(hub: Hub, actor: Actor, document: Json) -> Examined:
    """Return what a document says and who has signed it; nothing is stored. Raises InvalidRequest, SignatureError."""
    require_operator(actor)
    agreement = read_agreement(document)
    with hub.db.read() as tx:
        own, now = hub_identity(tx), hub.clock()
        peer = _other(tx, agreement, own)
        problems = _problems(tx, agreement, own, peer, now)
        signed_by = () if peer is None else tuple(sorted(_signed_by(tx, hub, document, [own, peer.identity], now)))
    return Examined(agreement, peer, signed_by, problems)


def accept(hub: Hub, actor: Actor, document: Json) -> Kept:
    """Make an agreement stand here, and return it with this hub's signature; again, it changes nothing.

    1. It is between this hub and one that is known here, and its groups here exist.
    2. Every signature on it holds, by a key of one of the two; the other hub has signed.
    3. What was offered under its id is what was signed, and it has not been ended.
    4. This hub signs if it has not. What both had agreed before ends.

    Raises:
        InvalidRequest, SignatureError, NotFound, Conflict: one of these is not so.
    """
    require_operator(actor)
    agreement = read_agreement(document)
    if not isinstance(document, dict):
        raise AssertionError("what was read as an agreement is an object")
    with hub.db.write() as tx:
        own, now = hub_identity(tx), hub.clock()
        peer = _other(tx, agreement, own)
        problems = _problems(tx, agreement, own, peer, now)
        if peer is None or problems:  # 1
            raise InvalidRequest(problems[0] if problems else NO_HUB, field="agreement")
        signers = _signed_by(tx, hub, document, [own, peer.identity], now)  # 2
        if peer.identity not in signers:
            raise SignatureError("the other hub has not signed it: it offers, or accepts, first", field="signatures")
        known = store.by_uuid(tx, agreement.id)  # 3
        if known is not None:
            if known.peer_id != peer.id or unsigned(json.loads(known.document)) != unsigned(document):
                raise Conflict("it is not what was offered under this id", field="agreement.id")
            if known.state == "ended":
                raise Conflict("this agreement has been ended: offer a new one", field="agreement.id")
            if known.state == "agreed":
                return Kept(known, peer, agreement, in_force=in_force(tx, hub, peer, now) == agreement)
        whole = document if own in signers else _signed(hub, document, own, now)  # 4
        for before in store.of_peer(tx, peer.id):
            if before.state == "agreed":
                store.end(tx, before.uuid, now=now)
        if known is None:
            store.add(tx, uuid=agreement.id, peer_id=peer.id, state="offered", document=jcs(whole), now=now)
        stored = store.agree(tx, agreement.id, jcs(whole), now=now)
        audit.record(tx, hub, actor, "agreement.accept", f"agreements/{agreement.id}", peer.id, **_detail(stored, peer))
        stands = in_force(tx, hub, peer, now) is not None
    return Kept(stored, peer, agreement, in_force=stands)


def end(hub: Hub, actor: Actor, handle: str) -> list[Kept]:
    """End whatever is agreed with a hub, and withdraw what is offered to it; nothing crosses any more from now on.

    Raises NotFound when there is nothing to end.
    """
    require_operator(actor)
    with hub.db.write() as tx:
        peer, now = _partner(tx, handle), hub.clock()
        ended = [store.end(tx, one.uuid, now=now) for one in store.of_peer(tx, peer.id) if one.state != "ended"]
        if not ended:
            raise NotFound("nothing is agreed with this hub, or offered to it")
        for one in ended:
            audit.record(tx, hub, actor, "agreement.end", f"agreements/{one.uuid}", peer.id, **_detail(one, peer))
    return [Kept(one, peer, read_agreement(parse(one.document)), in_force=False) for one in ended]


def shown(hub: Hub, actor: Actor, uuid: str) -> Kept:
    """Return one agreement. Raises NotFound."""
    for one in listed(hub, actor):
        if one.agreement.id == uuid:
            return one
    raise NotFound(NO_AGREEMENT)


def listed(hub: Hub, actor: Actor, handle: str | None = None) -> list[Kept]:
    """Return the agreements with one hub, or with all, the newest first. Operators only."""
    require_operator(actor)
    with hub.db.read() as tx:
        now = hub.clock()
        peers = {peer.id: peer for peer in peer_store.all(tx)}
        only = None if handle is None else _partner(tx, handle).id
        standing = {
            peer_id: in_force(tx, hub, peers[peer_id], now) for peer_id in {one.peer_id for one in store.all(tx)}
        }
        rows = [one for one in store.all(tx) if only in (None, one.peer_id)]
    found = []
    for row in rows:
        agreement = read_agreement(parse(row.document))
        found.append(
            Kept(row, peers[row.peer_id], agreement, row.state == "agreed" and standing[row.peer_id] == agreement)
        )
    return found


def _partner(tx: Connection, handle: str) -> Peer:
    peer = peer_store.by_handle(tx, handle)
    if peer is None or not peer.partner_hub or peer.abroad:
        raise NotFound(NO_HUB)
    return peer


def _other(tx: Connection, agreement: Agreement, own: str) -> Peer | None:
    for party in agreement.hubs:
        if party.identity != own:
            peer = peer_store.by_identity(tx, party.identity)
            return peer if peer is not None and peer.partner_hub and not peer.abroad else None
    return None


def _problems(tx: Connection, agreement: Agreement, own: str, peer: Peer | None, now: int) -> tuple[str, ...]:
    """Return what stands against an agreement here, in words that say what to do."""
    if own not in {party.identity for party in agreement.hubs}:
        return ("it is between two other hubs",)
    problems = [] if peer is not None else [NO_HUB]
    problems += [
        f"there is no group {slug} here: make it, or have another offer made" for slug in _absent(tx, agreement, own)
    ]
    if agreement.expires <= now:
        problems.append("its time is over: have another one offered")
    if agreement.expires > max(now, agreement.valid_from) + limits.AGREEMENT_LONGEST_US:
        problems.append("it would last for more than five years: have a shorter one offered")
    return tuple(problems)


def _require_groups(tx: Connection, agreement: Agreement, own: str) -> None:
    for slug in _absent(tx, agreement, own):
        raise NotFound(f"there is no group {slug} here")


def _absent(tx: Connection, agreement: Agreement, own: str) -> list[str]:
    side = 0 if agreement.hubs[0].identity == own else 1
    return [one.slugs[side] for one in agreement.groups if group_store.by_slug(tx, one.slugs[side]) is None]


def _signed(hub: Hub, document: dict[str, Any], own: str, now: int) -> dict[str, Any]:
    return sign_statement(document, hub.signing_key, signee=own, created=now, uuid=uuid4(hub.token_bytes))


def _signed_by(tx: Connection, hub: Hub, document: Json, hubs: Collection[str], now: int) -> set[str]:
    """Return which of the hubs have signed. Raises SignatureError when a signature is another's or does not hold."""
    signatures = document.get("signatures") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(signatures, list) or not signatures:
        raise SignatureError("nobody has signed it", field="signatures")
    if len(signatures) > limits.MAX_SIGNATURES:
        raise SignatureError(f"it carries at most {limits.MAX_SIGNATURES} signatures", field="signatures")
    found = set()
    for signature in signatures:
        signee = signature.get("signee") if isinstance(signature, dict) else None
        if not isinstance(signee, str) or signee not in hubs:
            raise SignatureError("it is signed by somebody who is neither of the two hubs", field="signatures")
        peer = peer_store.by_identity(tx, signee)
        ring = KeyRing([] if peer is None else key_store.of_peer(tx, peer.id), allow_test_key=hub.allow_test_key)
        mine: list[Json] = [one for one in signatures if isinstance(one, dict) and one.get("signee") == signee]
        check_statement({**document, "signatures": mine}, ring, signee=signee, now=now)
        found.add(signee)
    return found


def _detail(stored: StoredAgreement, peer: Peer) -> dict[str, object]:
    """Return what the audit line says: the state and the SHA-256 of the document, which holds the rest."""
    return {"peer": peer.handle, "state": stored.state, "sha256": store.digest(stored.document)}
