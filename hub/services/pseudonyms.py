"""Pseudonyms of members: made on a proved request, vouched for by the hub, resolved by the operator, never in silence.

Served are the identity object (`hub.services.builtin`) and, in the group's key directory, the keys with the hub's
statements about them. Whose they are stands in no answer to anybody but their owner.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from hub.domain import key_material, limits
from hub.domain.key_material import PublicKey
from hub.domain.key_statement import ENROL, octets, signed, written
from hub.domain.keys import SigningKey
from hub.domain.log_event import Event
from hub.domain.membership import Peer
from hub.domain.pseudonym import Pseudonym, check_request, day_of, name_of
from hub.errors import Conflict, Forbidden, NotFound
from hub.services import audit, transparency
from hub.services import key_statements as statements
from hub.services.actor import Actor, limited, require_administrator, require_operator, require_reader, visible_group
from hub.services.context import Hub
from hub.services.identifier import uuid4
from hub.store import groups as group_store
from hub.store import key_statements as statement_store
from hub.store import keys as key_store
from hub.store import peers as peer_store
from hub.store import pseudonyms as store

NO_PSEUDONYM: Final = "you have no pseudonym in this group"
NO_MEMBER: Final = "a pseudonym belongs to a member of the group: use a credential of your own peer"


@dataclass(frozen=True, slots=True)
class Owned:
    """A pseudonym as its owner sees it.

    :param made: True when the pseudonym, or this key of it, is new.
    """

    group: str  # slug
    pseudonym: Pseudonym
    keys: list[SigningKey]
    made: bool = False


def own(hub: Hub, actor: Actor, slug: str) -> Owned:
    """Return the caller's own pseudonym in a group. Raises NotFound when there is none."""
    require_reader(actor)
    with hub.db.read() as tx:
        trust_group, _ = visible_group(tx, actor, slug)
        caller = limited(actor)
        found = None if caller is None else store.of_peer(tx, trust_group.id, caller.peer.id)
        if found is None:
            raise NotFound(NO_PSEUDONYM)
        return Owned(slug, found, key_store.of_pseudonym(tx, found.id))


def request(hub: Hub, actor: Actor, slug: str, document: Mapping[str, Any]) -> Owned:
    """Give the caller's peer a pseudonym in a group, or its pseudonym one more key; a repeat changes nothing.

    1. The caller manages the keys of a peer that is an active member, and the group has pseudonyms.
    2. The request is signed by the new key and by a key of the peer's own name.
    3. The identity is drawn by chance; it stays the peer's in this group, also when he leaves and returns.
    4. The hub states that the key signs for it, dated with the day and no closer.

    Raises:
        Forbidden: he may not. Conflict: the key is known already. InvalidRequest, SignatureError: no proof.
    """
    require_administrator(actor)
    with hub.db.write() as tx:
        trust_group, mine = visible_group(tx, actor, slug)
        caller = limited(actor)
        if caller is None or mine is None:  # 1
            raise Forbidden(NO_MEMBER)
        if not trust_group.pseudonyms:
            raise Forbidden("this group has no pseudonyms; the operator may allow them")
        key = key_material.public_key(str(document["public_key"]), allow_test_key=hub.allow_test_key)
        now, peer = hub.clock(), caller.peer
        check_request(  # 2
            document,
            key_store.of_peer(tx, peer.id),
            key,
            group=slug,
            by=peer.identity,
            now=now,
            allow_test_key=hub.allow_test_key,
        )
        found = store.of_peer(tx, trust_group.id, peer.id)
        if found is None:  # 3
            identity = f"identity--{uuid4(hub.token_bytes)}"
            found = store.add(
                tx, group_id=trust_group.id, peer_id=peer.id, identity=identity, name=name_of(identity, slug), now=now
            )
        keys = key_store.of_pseudonym(tx, found.id)
        if key.kid in {each.kid for each in keys}:
            return Owned(slug, found, keys)
        if len(keys) >= limits.KEYS_PER_PEER:
            raise Conflict("this pseudonym has as many keys as the hub keeps; ask the operator")
        sha256 = _vouch(tx, hub, peer, found, key, now)  # 4
        body = {"group": slug, "identity": found.identity, "kid": key.kid, "statement": sha256}
        transparency.append(tx, hub, [Event("pseudonym.vouch", body, peer.id)], now=now)
        # Without the identity: an operator who reads the audit has not asked who is behind a pseudonym.
        audit.record(tx, hub, actor, "pseudonym.request", f"groups/{slug}/pseudonym", peer.id)
        return Owned(slug, found, key_store.of_pseudonym(tx, found.id), made=True)


def _vouch(tx: Connection, hub: Hub, peer: Peer, pseudonym: Pseudonym, key: PublicKey, now: int) -> str:
    """Enrol the key for the pseudonym with the hub's own statement about it; return the statement's digest."""
    day = day_of(now)
    wanted = statements.wanted_of(tx, hub, ENROL, pseudonym.identity, key.kid)
    said = replace(wanted, at=day, valid_from=day, public_key=key.text, vouched_by="operator")
    body = octets(signed(written(said), hub.signing_key, signee=said.hub, at=day, uuid=uuid4(hub.token_bytes)))
    added = key_store.add(
        tx,
        peer_id=peer.id,
        kid=key.kid,
        algorithm=key.algorithm,
        public_key=key.text,
        valid_from=day,
        valid_until=None,
        now=now,
        pseudonym_id=pseudonym.id,
    )
    statement_store.add(tx, key_id=added.id, action=ENROL, at=day, statement=body)
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class Resolved:
    """A pseudonym with the peer behind it, for the operator alone."""

    group: str  # slug
    pseudonym: Pseudonym
    peer: Peer


def resolved(hub: Hub, actor: Actor, slug: str | None = None) -> list[Resolved]:
    """Return who is behind the pseudonyms, of one group or all; that somebody asked is logged. Operators only."""
    require_operator(actor)
    with hub.db.write() as tx:
        groups = {each.id: each.slug for each in group_store.all(tx) if slug in (None, each.slug)}
        if slug is not None and not groups:
            raise NotFound("there is no such group")
        peers = {peer.id: peer for peer in peer_store.all(tx)}
        found = [
            Resolved(groups[one.group_id], one, peers[one.peer_id]) for one in store.all(tx) if one.group_id in groups
        ]
        audit.record(
            tx,
            hub,
            actor,
            "pseudonym.resolve",
            "pseudonyms" if slug is None else f"groups/{slug}/pseudonyms",
            count=len(found),
        )
    return found
