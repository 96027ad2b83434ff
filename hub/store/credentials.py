"""Credentials: how peers prove who they are. Secrets are stored as salted digests only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, bindparam, insert, or_, select, update

from hub.domain.membership import Credential, CredentialKind, Peer, Role
from hub.store.conflicts import refusing_duplicates
from hub.store.prepared import Prepared
from hub.store.rows import CREDENTIAL, credential_from, credential_of, peer_from
from hub.store.tables import credential, peer

TOUCH_INTERVAL_US: Final = 60_000_000
"""How exact `last_used_at` is: a feed that polls ten times a second must not cost ten commits."""


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A credential, whose it is, and what proves it. For a certificate salt and hash are empty."""

    credential: Credential
    peer: Peer
    salt: bytes
    secret_hash: bytes


def add(
    tx: Connection,
    *,
    peer_id: int,
    kind: CredentialKind | str,
    role: Role | str,
    label: str,
    username: str | None,
    lookup: str | None,
    salt: bytes,
    secret_hash: bytes,
    fingerprint: str | None,
    now: int,
    expires_at: int | None,
) -> Credential:
    """Return the new credential.

    Raises Conflict when a credential that is not revoked has the user name or the certificate.
    """
    values = {
        "peer_id": peer_id,
        "kind": CredentialKind(kind).value,
        "role": Role(role).value,
        "label": label,
        "username": username,
        "lookup": lookup,
        "salt": salt,
        "secret_hash": secret_hash,
        "fingerprint": fingerprint,
        "created_at": now,
        "expires_at": expires_at,
    }
    with refusing_duplicates(tx, "another credential has this user name or certificate", field="username"):
        return credential_of(tx.execute(insert(credential).values(values).returning(*credential.c)).one())


def by_id(tx: Connection, credential_id: int) -> Credential | None:
    """Return a credential by its id, without what proves it."""
    row = tx.execute(select(credential).where(credential.c.id == credential_id)).one_or_none()
    return None if row is None else credential_of(row)


def by_username(tx: Connection, username: str) -> StoredCredential | None:
    """Return the credential with this user name, expired or revoked ones included: the caller decides."""
    return _one(_BY_USERNAME.rows(tx, presented=username))


def by_lookup(tx: Connection, lookup: str) -> StoredCredential | None:
    """Return the credential whose token has this public part, expired or revoked ones included."""
    return _one(_BY_LOOKUP.rows(tx, presented=lookup))


def by_fingerprint(tx: Connection, fingerprint: str) -> StoredCredential | None:
    """Return the credential of the certificate with this fingerprint, expired or revoked ones included."""
    return _one(_BY_FINGERPRINT.rows(tx, presented=fingerprint))


def of_peer(tx: Connection, peer_id: int) -> list[Credential]:
    """Return a peer's credentials, the oldest first, revoked ones included."""
    rows = tx.execute(select(credential).where(credential.c.peer_id == peer_id).order_by(credential.c.id))
    return [credential_of(row) for row in rows]


def revoke(tx: Connection, credential_id: int, now: int) -> bool:
    """Say whether the credential became revoked just now: False when there is none or it was revoked before."""
    statement = update(credential).where(credential.c.id == credential_id, credential.c.revoked_at.is_(None))
    return tx.execute(statement.values(revoked_at=now)).rowcount == 1


def touch(tx: Connection, credential_id: int, now: int) -> bool:
    """Record the use of a credential, at most once per `TOUCH_INTERVAL_US`; say whether anything was written."""
    long_ago = or_(credential.c.last_used_at.is_(None), credential.c.last_used_at <= now - TOUCH_INTERVAL_US)
    statement = update(credential).where(credential.c.id == credential_id, long_ago)
    return tx.execute(statement.values(last_used_at=now)).rowcount == 1


def _by(column: Column[str]) -> Prepared:
    # A user name or certificate may also stand on revoked lines; the one in force comes first, then the newest.
    return Prepared(
        select(credential, peer)
        .join(peer, peer.c.id == credential.c.peer_id)
        .where(column == bindparam("presented"))
        .order_by(credential.c.revoked_at.is_(None).desc(), credential.c.id.desc())
        .limit(1)
    )


_BY_USERNAME: Final = _by(credential.c.username)
_BY_LOOKUP: Final = _by(credential.c.lookup)
_BY_FINGERPRINT: Final = _by(credential.c.fingerprint)


def _one(rows: Sequence[tuple[Any, ...]]) -> StoredCredential | None:
    if not rows:
        return None
    found, salt, secret_hash = credential_from(rows[0][:CREDENTIAL])
    return StoredCredential(found, peer_from(rows[0][CREDENTIAL:]), salt, secret_hash)
