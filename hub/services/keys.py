"""The key ring of the hub: which public key belongs to which peer, from when to when, and what was revoked why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from hub.domain import key_material, limits
from hub.domain.key_material import CLASSICAL, PublicKey
from hub.domain.key_statement import ENROL, ROTATE, revocation
from hub.domain.keys import COMPROMISED, KeyRing, SigningKey
from hub.domain.membership import Peer
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.services import audit
from hub.services import key_statements as statements
from hub.services.actor import Actor, limited, managed_peer, require_reader, visible_peer
from hub.services.context import Hub
from hub.services.key_statements import Document, Kept
from hub.store import keys as store

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
        peer = visible_peer(tx, actor, handle)
        key, caller = _found(tx, peer, kid), limited(actor)
    if key.pseudonym_id is not None and caller is not None and caller.peer.id != peer.id:
        raise NotFound(NO_KEY)  # whose pseudonym it is, only the peer itself and the operator know
    return key


def enrol(
    hub: Hub,
    actor: Actor,
    handle: str,
    *,
    public_key: str,
    valid_from: int | None = None,
    valid_until: int | None = None,
    statement: Document | None = None,
) -> SigningKey:
    """Make a public key one that this peer signs with, from now on if nothing else is said.

    :param public_key: PEM, or the SubjectPublicKeyInfo in one line of base64.
    :param statement: signed by the key itself; only an operator may leave it out, and then vouches for the key.

    Raises:
        SignatureError: the key is malformed, weak, of another algorithm, or a published test key.
        Conflict: it is enrolled already, here or anywhere on the hub.
    """
    require_reader(actor)
    key = _loaded(hub, public_key)
    with hub.db.write() as tx:
        peer = managed_peer(tx, actor, handle)
        wanted = statements.wanted_of(tx, hub, ENROL, peer.identity, key.kid)
        wanted = replace(wanted, public_key=key.text, valid_from=valid_from, valid_until=valid_until)
        if statement is None and valid_from is None:
            wanted = replace(wanted, valid_from=wanted.at)
        kept = statements.settled(hub, actor, wanted, statement, ())
        return _add(tx, hub, actor, peer, key, kept, None, "key.enrol")


def rotate(
    hub: Hub,
    actor: Actor,
    handle: str,
    kid: str,
    *,
    public_key: str,
    replaced_until: int | None = None,
    valid_until: int | None = None,
    statement: Document | None = None,
) -> SigningKey:
    """Return the new key that replaces the key ``kid``, which expires at ``replaced_until`` (now if nothing is said).

    What the old key has signed stays valid. :param statement: signed by both keys; as in `enrol`.

    Raises:
        Conflict: the old key signs no more, or the new one is enrolled already. NotFound: this peer has no such key.
    """
    require_reader(actor)
    key = _loaded(hub, public_key)
    with hub.db.write() as tx:
        peer = managed_peer(tx, actor, handle)
        old = _found(tx, peer, kid)
        if kid == hub.signing_key.public.kid:
            raise Conflict("the hub signs with the key in its secrets directory, which is not rotated this way")
        now = hub.clock()
        if not KeyRing.standing(old, now, now):
            raise Conflict("the key to be replaced signs no more; enrol the new one by itself")
        if (old.algorithm in CLASSICAL) != (key.algorithm in CLASSICAL):
            raise InvalidRequest(
                "a key is replaced by one of its own kind; enrol the other beside it", field="public_key"
            )
        wanted = statements.wanted_of(tx, hub, ROTATE, old.identity, key.kid)
        wanted = replace(
            wanted, public_key=key.text, replaces=kid, replaced_until=replaced_until, valid_until=valid_until
        )
        if statement is None:
            wanted = replace(wanted, valid_from=now, replaced_until=now if replaced_until is None else replaced_until)
        kept = statements.settled(hub, actor, wanted, statement, [old])
        until = kept.statement.replaced_until or now
        if not kept.statement.at <= until <= now + limits.KEY_OVERLAP_SECONDS * 1_000_000:
            days = limits.KEY_OVERLAP_SECONDS // 86_400
            raise InvalidRequest(f"the old key signs on for 0 to {days} days", field="replaced_until")
        store.retire(tx, kid, until)
        return _add(tx, hub, actor, peer, key, kept, old.pseudonym_id, "key.rotate", replaces=kid, replaced_until=until)


def revoke(
    hub: Hub,
    actor: Actor,
    handle: str,
    kid: str,
    *,
    reason: str,
    at: int | None = None,
    statement: Document | None = None,
) -> SigningKey:
    """Refuse a key for whatever is signed from ``at`` (now) on; as `compromised`, for whatever arrives after it.

    A revoked key can be revoked once more as compromised, never restored. Raises NotFound, Forbidden, Conflict.

    :param statement: signed by any key of the peer that signs now; without it the hub signs on the actor's word.
    """
    require_reader(actor)
    if reason not in REASONS:
        raise InvalidRequest(f"use one of: {', '.join(REASONS)}", field="reason")
    with hub.db.write() as tx:
        peer = managed_peer(tx, actor, handle)
        key = _found(tx, peer, kid)
        wanted = statements.wanted_of(tx, hub, revocation(reason), key.identity, kid)
        now = wanted.at
        if at is not None and at > now:
            raise InvalidRequest("a revocation cannot lie in the future; set valid_until on the next key", field="at")
        if key.revoked_at is not None and (key.revocation_reason == COMPROMISED or reason != COMPROMISED):
            raise Conflict("this key is revoked already")
        since = now if at is None and statement is None else at
        wanted = replace(wanted, since=since, reason=reason)
        family = store.of_peer(tx, peer.id) if key.pseudonym_id is None else store.of_pseudonym(tx, key.pseudonym_id)
        speaking = [each for each in family if KeyRing.standing(each, now, now)]
        kept = statements.settled(hub, actor, wanted, statement, speaking)
        at = _revoked_at(kept.statement.since or now, key, now)
        store.revoke(tx, kid, at, reason, reported_at=now)
        statements.keep(tx, key, kept)
        audit.record(
            tx,
            hub,
            actor,
            "key.compromise" if reason == COMPROMISED else "key.revoke",
            f"peers/{handle}/keys/{kid}",
            peer.id,
            reason=reason,
            revoked_at=at,
            statement=kept.sha256,
        )
        return _found(tx, peer, kid)


def _revoked_at(since: int, key: SigningKey, now: int) -> int:
    """Return from when on the key counts no more; a peer's clock may be ahead of the hub's by minutes, no more."""
    if since > now + limits.SIGNATURE_FUTURE_SECONDS * 1_000_000:
        raise InvalidRequest("a revocation cannot lie in the future", field="statement.since")
    return min(since, now, since if key.revoked_at is None else key.revoked_at)


def _loaded(hub: Hub, public_key: str) -> PublicKey:
    pem = _PEM.fullmatch(public_key)
    text = public_key.strip() if pem is None else "".join(pem[1].split())
    return key_material.public_key(text, allow_test_key=hub.allow_test_key)


def _add(
    tx: Connection,
    hub: Hub,
    actor: Actor,
    peer: Peer,
    key: PublicKey,
    kept: Kept,
    pseudonym_id: int | None,
    action: str,
    **detail: object,
) -> SigningKey:
    said, now = kept.statement, hub.clock()
    valid_from = now if said.valid_from is None else said.valid_from
    if said.valid_until is not None and said.valid_until <= valid_from:
        raise InvalidRequest("the key's validity ends before it begins", field="valid_until")
    if len(store.of_peer(tx, peer.id)) >= limits.KEYS_PER_PEER:
        raise Conflict("this peer has as many keys as the hub keeps; ask the operator")
    added = store.add(
        tx,
        peer_id=peer.id,
        kid=key.kid,
        algorithm=key.algorithm,
        public_key=key.text,
        valid_from=valid_from,
        valid_until=said.valid_until,
        pseudonym_id=pseudonym_id,
        now=now,
    )
    statements.keep(tx, added, kept)
    audit.record(
        tx,
        hub,
        actor,
        action,
        f"peers/{peer.handle}/keys/{key.kid}",
        peer.id,
        algorithm=key.algorithm,
        valid_from=valid_from,
        valid_until=said.valid_until,
        statement=kept.sha256,
        vouched_by=said.vouched_by,
        **detail,
    )
    return added


def _found(tx: Connection, peer: Peer, kid: str) -> SigningKey:
    key = store.by_kid(tx, kid) if _KID.fullmatch(kid) else None
    if key is None or key.peer_id != peer.id:
        raise NotFound(NO_KEY)
    return key


def _order(key: SigningKey) -> tuple[int, str]:
    return key.valid_from, key.kid
