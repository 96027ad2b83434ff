"""Settles who is calling. Unknown, wrong, expired, revoked and suspended give one answer after the same work."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.credentials import (
    SALT_BYTES,
    Basic,
    Bearer,
    Certificate,
    Presented,
    as_bearer,
    fingerprint_text,
    read_bearer_token,
    secret_matches,
)
from hub.domain.membership import Caller, CredentialKind, Role
from hub.errors import Busy, Unauthenticated
from hub.services.actor import HUB_HANDLE
from hub.services.context import Hub
from hub.store import credentials as credential_store
from hub.store.credentials import StoredCredential

REFUSED: Final = "the credential is unknown, wrong, expired or revoked"

_NO_SALT: Final = bytes(SALT_BYTES)
_NO_HASH: Final = bytes(32)


def authenticate(hub: Hub, presented: Presented, *, remote: str = "") -> Caller:
    """Return the caller a credential belongs to, and note its use at most once a minute.

    :param remote: the client's address as the transport or a trusted proxy states it, never as the client does.

    Raises:
        Unauthenticated: always with the same text.
    """
    if isinstance(presented, Basic):
        presented = as_bearer(presented) or presented
    now = hub.clock()
    name = _name(presented)
    if name is not None and hub.throttle.refuses(remote, name, now):
        raise Unauthenticated(REFUSED)
    with hub.db.read() as tx:
        stored = _look_up(tx, presented)
    proved = _proves(presented, stored)
    if stored is None or not proved or not _stands(stored, now):
        if name is not None:
            hub.throttle.failed(remote, name, now)
        raise Unauthenticated(REFUSED)
    if name is not None:
        hub.throttle.succeeded(remote, name)
    _touch(hub, stored, now)
    return Caller(stored.peer, stored.credential.id, stored.credential.role)


def _name(presented: Presented) -> str | None:
    """Return what failures are counted under; the key of a certificate is proved by TLS, there is nothing to guess."""
    if isinstance(presented, Basic):
        return f"basic:{presented.username}"
    if isinstance(presented, Bearer):
        parts = read_bearer_token(presented.token)
        return "bearer:" if parts is None else f"bearer:{parts[0]}"
    return None


def _look_up(tx: Connection, presented: Presented) -> StoredCredential | None:
    if isinstance(presented, Basic):
        # PostgreSQL text cannot hold NUL; no user name does either.
        return credential_store.by_username(tx, presented.username.replace("\0", " "))
    if isinstance(presented, Bearer):
        return credential_store.by_lookup(tx, (read_bearer_token(presented.token) or ("", ""))[0])
    return credential_store.by_fingerprint(tx, fingerprint_text(presented.fingerprint) or "")


def _proves(presented: Presented, stored: StoredCredential | None) -> bool:
    """Say whether what was presented proves this credential; an unknown one costs the same hash and comparison."""
    salt = _NO_SALT if stored is None else stored.salt
    expected = _NO_HASH if stored is None else stored.secret_hash
    if isinstance(presented, Certificate):
        return stored is not None and stored.credential.kind is CredentialKind.CERTIFICATE
    if isinstance(presented, Basic):
        kind, secret = CredentialKind.BASIC, presented.password
    else:
        kind, secret = CredentialKind.BEARER, (read_bearer_token(presented.token) or ("", ""))[1]
    matches = secret_matches(salt, expected, secret)
    return matches and stored is not None and stored.credential.kind is kind


def _stands(stored: StoredCredential, now: int) -> bool:
    """Say whether it is still good: not revoked, not expired, the peer not suspended and entitled to the role."""
    credential = stored.credential
    if credential.revoked_at is not None or stored.peer.suspended_at is not None:
        return False
    if credential.expires_at is not None and credential.expires_at <= now:
        return False
    return credential.role is not Role.OPERATOR or stored.peer.handle == HUB_HANDLE


def _touch(hub: Hub, stored: StoredCredential, now: int) -> None:
    last = stored.credential.last_used_at
    if last is not None and now - last < limits.LAST_USED_RESOLUTION_US:
        return
    # Knowing when a credential was last used is not worth refusing a good caller while the database is busy.
    with suppress(Busy), hub.db.write(patience_ms=20) as tx:
        credential_store.touch(tx, stored.credential.id, now)
