"""Credentials of a peer: made by the hub, shown once, revoked at any time.

An operator manages all; an administrator those of his own peer, never above his own role. Certificates are enrolled by
the operator only: whoever enrols somebody else's certificate would receive that peer's requests as his own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from hub.domain import limits, naming
from hub.domain.credentials import (
    LOOKUP_BYTES,
    SALT_BYTES,
    SECRET_BYTES,
    bearer_token,
    fingerprint_text,
    secret_hash,
    secret_text,
)
from hub.domain.membership import Credential, CredentialKind, Peer, Role
from hub.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hub.services import audit
from hub.services.actor import HUB_HANDLE, Actor, is_operator, managed_peer, require_reader
from hub.services.context import Hub
from hub.services.peers import require_ours
from hub.store import credentials as store

NO_CREDENTIAL = "there is no such credential"
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Issued:
    """A new credential with its secret, which nobody can show again.

    :param secret: the password of basic, the token of bearer, None for a certificate.
    """

    peer: Peer
    credential: Credential
    secret: str | None = field(repr=False)


def listed(hub: Hub, actor: Actor, handle: str) -> tuple[Peer, list[Credential]]:
    """Return a peer's credentials by id, revoked ones included. Raises NotFound, Forbidden."""
    require_reader(actor)
    with hub.db.read() as tx:
        peer = managed_peer(tx, actor, handle)
        return peer, sorted(store.of_peer(tx, peer.id), key=lambda credential: credential.id)


def shown(hub: Hub, actor: Actor, handle: str, credential_id: int) -> tuple[Peer, Credential]:
    """Return one credential of this peer. Raises NotFound for one of another peer."""
    require_reader(actor)
    with hub.db.read() as tx:
        peer = managed_peer(tx, actor, handle)
        return peer, _found(tx, peer, credential_id)


def add(
    hub: Hub,
    actor: Actor,
    handle: str,
    *,
    kind: CredentialKind,
    role: Role,
    label: str,
    username: str | None = None,
    fingerprint: str | None = None,
    expires_at: int | None = None,
    never_expires: bool = False,
) -> Issued:
    """Make a credential and return its secret, once.

    :param username: of basic; without it ``<handle>.<random>``.
    :param fingerprint: of certificate: SHA-256 of the DER, with or without colons.
    :param expires_at: without it `limits.CREDENTIAL_LIFETIME_SECONDS` from now, unless ``never_expires``.
    """
    require_reader(actor)
    naming.line(label, "label")
    now = hub.clock()
    expires_at = _expiry(now, expires_at, never_expires=never_expires)
    with hub.db.write() as tx:
        peer = managed_peer(tx, actor, handle)
        require_ours(peer)
        _require_role(actor, peer, role)
        if kind is CredentialKind.CERTIFICATE and not is_operator(actor):
            raise Forbidden("certificates are enrolled by the operator of the hub", field="kind")
        if len(store.of_peer(tx, peer.id)) >= limits.CREDENTIALS_PER_PEER:
            raise Conflict("this peer has as many credentials as the hub keeps; ask the operator")
        lookup, secret = secret_text(hub.token_bytes(LOOKUP_BYTES)), secret_text(hub.token_bytes(SECRET_BYTES))
        proved_by_tls = kind is CredentialKind.CERTIFICATE
        salt = b"" if proved_by_tls else hub.token_bytes(SALT_BYTES)
        credential = store.add(
            tx,
            peer_id=peer.id,
            kind=kind,
            role=role,
            label=label,
            username=_username(actor, peer, kind, username, lookup),
            lookup=lookup if kind is CredentialKind.BEARER else None,
            salt=salt,
            secret_hash=b"" if proved_by_tls else secret_hash(salt, secret),
            fingerprint=_fingerprint(kind, fingerprint),
            now=now,
            expires_at=expires_at,
        )
        audit.record(
            tx,
            hub,
            actor,
            "credential.add",
            f"peers/{handle}/credentials/{credential.id}",
            kind=kind.value,
            role=role.value,
            expires_at=expires_at,
        )
    shown_once = {
        CredentialKind.BASIC: secret,
        CredentialKind.BEARER: bearer_token(lookup, secret),
        CredentialKind.CERTIFICATE: None,  # the certificate's own key is the secret
    }
    return Issued(peer, credential, shown_once[kind])


def revoke(hub: Hub, actor: Actor, handle: str, credential_id: int) -> Credential:
    """Refuse a credential from the next request on; revoking again changes nothing. Raises NotFound, Forbidden."""
    require_reader(actor)
    with hub.db.write() as tx:
        peer = managed_peer(tx, actor, handle)
        credential = _found(tx, peer, credential_id)
        _require_role(actor, peer, credential.role)
        if store.revoke(tx, credential.id, hub.clock()):
            audit.record(tx, hub, actor, "credential.revoke", f"peers/{handle}/credentials/{credential.id}")
        return _found(tx, peer, credential_id)


def _found(tx: Connection, peer: Peer, credential_id: int) -> Credential:
    """Return a credential by id if it is this peer's: the id in a request is never enough."""
    credential = store.by_id(tx, credential_id)
    if credential is None or credential.peer_id != peer.id:
        raise NotFound(NO_CREDENTIAL)
    return credential


def _require_role(actor: Actor, peer: Peer, role: Role) -> None:
    if role is not Role.OPERATOR:
        return
    if not is_operator(actor):
        raise Forbidden("only an operator of the hub may touch a credential with the role operator", field="role")
    if peer.handle != HUB_HANDLE:
        raise InvalidRequest("only the hub's own peer can have the role operator", field="role")


def _expiry(now: int, expires_at: int | None, *, never_expires: bool) -> int | None:
    if never_expires:
        if expires_at is not None:
            raise InvalidRequest("give an expiry or none, not both", field="expires_at")
        return None
    if expires_at is None:
        return now + limits.CREDENTIAL_LIFETIME_SECONDS * _SECOND
    if expires_at <= now:
        raise InvalidRequest("the expiry lies in the past", field="expires_at")
    return expires_at


def _username(actor: Actor, peer: Peer, kind: CredentialKind, username: str | None, lookup: str) -> str | None:
    """Return the user name; each peer has its own name space, so that a conflict says nothing about other peers."""
    if kind is not CredentialKind.BASIC:
        if username is not None:
            raise InvalidRequest("only a credential of the kind basic has a user name", field="username")
        return None
    if username is None:
        return f"{peer.handle}.{lookup[:8]}"
    naming.username(username)
    owner, dot, _ = username.partition(".")
    if dot and owner != peer.handle:
        raise InvalidRequest("what stands before the dot must be the peer's handle", field="username")
    if not dot and not is_operator(actor):
        raise InvalidRequest("begin the user name with the peer's handle and a dot", field="username")
    return username


def _fingerprint(kind: CredentialKind, fingerprint: str | None) -> str | None:
    if kind is not CredentialKind.CERTIFICATE:
        if fingerprint is not None:
            raise InvalidRequest("only a credential of the kind certificate has a fingerprint", field="fingerprint")
        return None
    plain = fingerprint_text(fingerprint or "")
    if plain is None:
        raise InvalidRequest("give the SHA-256 fingerprint of the certificate: 64 hex digits", field="fingerprint")
    return plain
