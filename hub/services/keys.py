"""The key ring of the hub: which public key belongs to which peer, from when to when, and what was revoked why."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection

from hub.domain import key_material, limits
from hub.domain.key_directory import ListedKey
from hub.domain.keys import COMPROMISED, SigningKey
from hub.domain.membership import Peer, TrustGroup
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.services import audit
from hub.services.actor import Actor, managed_peer, require_reader, visible_group, visible_peer
from hub.services.context import Hub
from hub.store import keys as store
from hub.store import members as member_store

NO_KEY: Final = "there is no such key"

REASONS: Final = (COMPROMISED, "superseded", "retired")
"""Why a key is revoked. `compromised` also refuses what was signed before and arrives after; the others do not."""

_PEM = re.compile(r"\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*", re.ASCII)
_KID = re.compile(r"[0-9a-f]{64}", re.ASCII)


def of_peer(hub: Hub, actor: Actor, handle: str) -> tuple[Peer, list[SigningKey]]:
    """Return the keys of a peer the actor may know of, by time of validity and kid. Raises NotFound."""
    require_reader(actor)
    with hub.db.read() as tx:
        peer = visible_peer(tx, actor, handle)
        return peer, sorted(store.of_peer(tx, peer.id), key=_order)


def shown(hub: Hub, actor: Actor, handle: str, kid: str) -> SigningKey:
    """Return one key of this peer. Raises NotFound for one of another peer."""
    require_reader(actor)
    with hub.db.read() as tx:
        return _found(tx, visible_peer(tx, actor, handle), kid)


def directory(hub: Hub, actor: Actor, slug: str) -> tuple[TrustGroup, list[ListedKey]]:
    """Return the keys of the active members of a group, by identity and time: what receivers verify against.

    Open to every member of the group whatever the role of his credential. Raises NotFound.
    """
    with hub.db.read() as tx:
        trust_group, _ = visible_group(tx, actor, slug)
        handles = {peer.id: peer.handle for peer, _ in member_store.of_group(tx, trust_group.id)}
        keys = store.of_group(tx, trust_group.id)
    listed = [ListedKey(handles[key.peer_id], key) for key in keys]
    return trust_group, sorted(listed, key=lambda each: (each.handle, *_order(each.key)))


def enrol(
    hub: Hub,
    actor: Actor,
    handle: str,
    *,
    public_key: str,
    valid_from: int | None = None,
    valid_until: int | None = None,
) -> SigningKey:
    """Make a public key one that this peer signs with, from now on if nothing else is said.

    :param public_key: PEM, or the SubjectPublicKeyInfo in one line of base64.

    Raises:
        SignatureError: the key is malformed, weak, of another algorithm, or a published test key.
        Conflict: it is enrolled already, here or anywhere on the hub.
    """
    require_reader(actor)
    pem = _PEM.fullmatch(public_key)
    text = public_key.strip() if pem is None else "".join(pem[1].split())
    key = key_material.public_key(text, allow_test_key=hub.allow_test_key)
    now = hub.clock()
    valid_from = now if valid_from is None else valid_from
    if valid_until is not None and valid_until <= valid_from:
        raise InvalidRequest("the key's validity ends before it begins", field="valid_until")
    with hub.db.write() as tx:
        peer = managed_peer(tx, actor, handle)
        if len(store.of_peer(tx, peer.id)) >= limits.KEYS_PER_PEER:
            raise Conflict("this peer has as many keys as the hub keeps; ask the operator")
        added = store.add(
            tx,
            peer_id=peer.id,
            kid=key.kid,
            algorithm=key.algorithm,
            public_key=key.text,
            valid_from=valid_from,
            valid_until=valid_until,
            now=now,
        )
        audit.record(
            tx,
            hub,
            actor,
            "key.enrol",
            f"peers/{handle}/keys/{key.kid}",
            algorithm=key.algorithm,
            valid_from=valid_from,
            valid_until=valid_until,
        )
    return added


def revoke(hub: Hub, actor: Actor, handle: str, kid: str, *, reason: str, at: int | None = None) -> SigningKey:
    """Refuse a key for whatever is signed from ``at`` (now) on; as `compromised`, for whatever arrives after it.

    A revoked key can be revoked once more as compromised, never restored. Raises NotFound, Forbidden, Conflict.
    """
    require_reader(actor)
    if reason not in REASONS:
        raise InvalidRequest(f"use one of: {', '.join(REASONS)}", field="reason")
    with hub.db.write() as tx:
        peer = managed_peer(tx, actor, handle)
        key = _found(tx, peer, kid)
        now = hub.clock()
        at = now if at is None else at
        if at > now:
            raise InvalidRequest("a revocation cannot lie in the future; set valid_until on the next key", field="at")
        if key.revoked_at is not None:
            if key.revocation_reason == COMPROMISED or reason != COMPROMISED:
                raise Conflict("this key is revoked already")
            at = min(at, key.revoked_at)
        store.revoke(tx, kid, at, reason)
        audit.record(tx, hub, actor, "key.revoke", f"peers/{handle}/keys/{kid}", reason=reason, revoked_at=at)
        return _found(tx, peer, kid)


def _found(tx: Connection, peer: Peer, kid: str) -> SigningKey:
    key = store.by_kid(tx, kid) if _KID.fullmatch(kid) else None
    if key is None or key.peer_id != peer.id:
        raise NotFound(NO_KEY)
    return key


def _order(key: SigningKey) -> tuple[int, str]:
    return key.valid_from, key.kid
