"""Taking introductions from another hub: who is at home elsewhere becomes an author here, with keys, and nothing more.

An author of this hub is never touched, whatever another hub says of the name, and who is at home at one hub is not
taken from it by another. A hub further away is known from its first introduction on, by the keys it had then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.canonical import Json, jcs
from hub.domain.introduction import (
    PSEUDONYM,
    IntroducedKey,
    Introduction,
    check_signed_by,
    content_digest,
    read_introduction,
)
from hub.domain.key_statement import COMPROMISE, ENROL, KeyStatement, octets, revocation, signed, written
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer, PeerKind
from hub.errors import Conflict, CybexError
from hub.services import audit
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.store import introductions as store
from hub.store import key_statements as statement_store
from hub.store import keys as key_store
from hub.store import peers as peer_store

log = structlog.get_logger()

VOUCHED: Final = "introduction"
_HANDLE_LENGTH: Final = 63


@dataclass(frozen=True, slots=True)
class NotTaken:
    """An introduction that was not believed, and why; the objects of its author will not verify."""

    identity: str
    reason: str


def take(hub: Hub, via: Peer, documents: Sequence[Json]) -> list[NotTaken]:
    """Make the authors known that a partner's batch introduces; return what is not believed.

    1. What is known already, as it is said, costs one query and changes nothing.
    2. A hub introduces itself: the partner with a key enrolled here; a hub beyond with the keys it brings the first
       time, and with one of those from then on.
    3. An author is introduced by the hub he is at home at, and by no other. A peer of this hub stays what it is.
    4. Keys are added and revoked as his home says, never brought back.
    """
    refused: list[NotTaken] = []
    read: list[tuple[Introduction, dict[str, Json], bytes]] = []
    for document in documents:
        try:
            introduction = read_introduction(document)
        except CybexError as error:
            refused.append(NotTaken("", error.detail or error.title))
            continue
        if isinstance(document, dict):
            read.append((introduction, document, content_digest(document)))
    if not read:
        return refused
    with hub.db.read() as tx:
        kept = store.of(tx, {one.identity for one, _, _ in read})
    new = [one for one in read if one[0].identity not in kept or kept[one[0].identity].sha256 != one[2]]  # 1
    for introduction, document, digest in sorted(new, key=lambda one: not one[0].of_the_hub):
        try:
            with hub.db.write() as tx:
                _take(tx, hub, via, introduction, document, digest)
        except CybexError as error:
            refused.append(NotTaken(introduction.identity, error.detail or error.title))
    for one in refused:
        log.warning("introduction.refused", via=via.handle, identity=one.identity, reason=one.reason)
    return refused


def digests_of(documents: Sequence[Json]) -> dict[str, str]:
    """Return, in hex, the digest of each introduction by identity: until it changes it need not be sent again.

    Also of those that were not believed: the same words again would be believed no more.
    """
    found = {}
    for document in documents:
        peer = document.get("peer") if isinstance(document, dict) else None
        if isinstance(document, dict) and isinstance(peer, dict):
            found[str(peer.get("identity"))] = content_digest(document).hex()
    return found


def _take(
    tx: Connection, hub: Hub, via: Peer, introduction: Introduction, document: Mapping[str, Json], digest: bytes
) -> None:
    known = peer_store.by_identity(tx, introduction.identity)
    if introduction.issued_at > hub.clock() + limits.SIGNATURE_FUTURE_SECONDS * 1_000_000:
        raise Conflict("it is issued in the future: one of the two clocks is wrong", field="issued_at")
    if introduction.of_the_hub:  # 2
        home = known = _hub(tx, hub, via, introduction, document, known)
    else:
        found = peer_store.by_identity(tx, introduction.hub)
        if found is None or found.kind is not PeerKind.HUB:
            raise Conflict("its home hub is not known here: the partner must introduce that first", field="hub")
        home = found
        check_signed_by(document, KeyRing(key_store.of_peer(tx, home.id), allow_test_key=hub.allow_test_key))
        if known is not None and not known.abroad:  # 3
            return
        if known is not None and known.home_peer_id != home.id:
            raise Conflict("it is at home at another hub already", field="peer.identity")
    earlier = store.of(tx, [introduction.identity]).get(introduction.identity)
    if earlier is not None and earlier.issued_at > introduction.issued_at:
        return  # what was said later stands
    if known is None:
        known = _peer(tx, hub, introduction, home)
    if known.abroad:
        _keys(tx, hub, known, introduction)  # 4
    kept = store.Kept(introduction.identity, home.id, via.id, introduction.issued_at, digest, jcs(dict(document)))
    store.keep(tx, kept, now=hub.clock())


def _hub(
    tx: Connection,
    hub: Hub,
    via: Peer,
    introduction: Introduction,
    document: Mapping[str, Json],
    known: Peer | None,
) -> Peer:
    """Return the peer that a hub's own introduction is about, checked."""
    if introduction.kind != PeerKind.HUB.value:
        raise Conflict("a hub introduces itself as a hub", field="peer.kind")
    if introduction.identity == hub_identity(tx):
        raise Conflict("it has the identity of this hub", field="peer.identity")
    if known is None:
        check_signed_by(document, introduction.ring())
        return _peer(tx, hub, introduction, via)
    if known.kind is not PeerKind.HUB:
        raise Conflict("that identity belongs to a peer that is no hub", field="peer.identity")
    check_signed_by(document, KeyRing(key_store.of_peer(tx, known.id), allow_test_key=hub.allow_test_key))
    return known


def _peer(tx: Connection, hub: Hub, introduction: Introduction, home: Peer) -> Peer:
    kind = PeerKind.NATIONAL if introduction.kind == PSEUDONYM else PeerKind(introduction.kind)
    handle = _free_handle(tx, introduction, home)
    peer = peer_store.add(
        tx,
        handle=handle,
        name=introduction.name,
        kind=kind,
        identity=introduction.identity,
        country=introduction.country,
        itu_region=introduction.itu_region,
        now=hub.clock(),
        home_peer_id=home.id,
    )
    audit.record(
        tx,
        hub,
        LOCAL_OPERATOR,
        "peer.add",
        f"peers/{handle}",
        peer.id,
        name=introduction.name,
        kind=kind.value,
        identity=introduction.identity,
        country=introduction.country,
        itu_region=introduction.itu_region,
        home=home.identity,
    )
    return peer


def _free_handle(tx: Connection, introduction: Introduction, home: Peer) -> str:
    """Return a handle that says who it is and where: ``aa-at-hub-b``; with more of the identity where that is taken."""
    here = "" if introduction.of_the_hub else f"-at-{home.handle}"
    uuid = introduction.identity.removeprefix("identity--")
    alike = introduction.of_the_hub or introduction.kind == PSEUDONYM  # of which there are many with one handle
    bare = f"{introduction.handle}-{uuid[:8]}" if alike else introduction.handle
    for more in ("", f"-{uuid[:8]}", f"-{uuid.replace('-', '')}"):
        room = _HANDLE_LENGTH - len(here) - len(more)
        handle = f"{bare[: max(room, 1)]}{more}{here}"[:_HANDLE_LENGTH].strip("-")
        if peer_store.by_handle(tx, handle) is None:
            return handle
    raise Conflict("no handle is free for it", field="peer.handle")


def _keys(tx: Connection, hub: Hub, peer: Peer, introduction: Introduction) -> None:
    """Make the key ring say what the home hub says; nothing that was revoked comes back."""
    known = {key.kid: key for key in key_store.of_peer(tx, peer.id)}
    for key in introduction.keys:
        now = hub.clock()
        if key.kid not in known:
            _enrol(tx, hub, peer, key, now)
        elif key.valid_until is not None:
            key_store.retire(tx, key.kid, key.valid_until)
        if key.revoked_at is not None and (key.kid not in known or known[key.kid].revoked_at is None):
            _revoke(tx, hub, peer, key, now)


def _enrol(tx: Connection, hub: Hub, peer: Peer, key: IntroducedKey, now: int) -> None:
    added = key_store.add(
        tx,
        peer_id=peer.id,
        kid=key.kid,
        algorithm=key.algorithm,
        public_key=key.public_key,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        now=now,
    )
    said = KeyStatement(
        ENROL,
        peer.identity,
        key.kid,
        hub_identity(tx),
        now,
        public_key=key.public_key,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        vouched_by=VOUCHED,
    )
    digest = _statement(tx, hub, added.id, said)
    audit.record(
        tx,
        hub,
        LOCAL_OPERATOR,
        "key.enrol",
        f"peers/{peer.handle}/keys/{key.kid}",
        peer.id,
        algorithm=key.algorithm,
        valid_from=key.valid_from,
        valid_until=key.valid_until,
        statement=digest,
        vouched_by=VOUCHED,
    )


def _revoke(tx: Connection, hub: Hub, peer: Peer, key: IntroducedKey, now: int) -> None:
    at, reason = key.revoked_at or now, key.revocation_reason or "retired"
    added = key_store.by_kid(tx, key.kid)
    if added is None or added.peer_id != peer.id:
        raise Conflict("a key is another peer's", field="keys.kid")
    key_store.revoke(tx, key.kid, at, reason, reported_at=now)
    action = revocation(reason)
    said = KeyStatement(
        action, peer.identity, key.kid, hub_identity(tx), now, reason=reason, since=at, vouched_by=VOUCHED
    )
    digest = _statement(tx, hub, added.id, said)
    audit.record(
        tx,
        hub,
        LOCAL_OPERATOR,
        "key.compromise" if action == COMPROMISE else "key.revoke",
        f"peers/{peer.handle}/keys/{key.kid}",
        peer.id,
        reason=reason,
        revoked_at=at,
        statement=digest,
    )


def _statement(tx: Connection, hub: Hub, key_id: int, said: KeyStatement) -> str:
    """Keep a statement signed by this hub on the word of the author's home; return its digest."""
    unsigned: dict[str, Any] = written(said)
    body = octets(signed(unsigned, hub.signing_key, signee=said.hub, at=said.at, uuid=uuid4(hub.token_bytes)))
    statement_store.add(tx, key_id=key_id, action=said.action, at=said.at, statement=body)
    return hashlib.sha256(body).hexdigest()
