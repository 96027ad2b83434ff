"""Export tokens: secret addresses at which machines poll one export each. Secrets are stored as salted digests only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from hub.store.credentials import TOUCH_INTERVAL_US
from hub.store.tables import collection, credential, export_token, peer, trust_group

_T: Final = export_token.c


@dataclass(frozen=True, slots=True)
class ExportToken:
    """A token, without what proves it. Names are public ones. Times are microseconds since the epoch.

    :param collection: its UUID; None is every collection of the group that the peer may read.
    :param options: compact JSON.
    """

    id: int
    uuid: str
    peer_id: int
    handle: str
    group: str
    collection: str | None
    format: str
    options: bytes
    label: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token with what proves it, and whether the credential that made it was revoked."""

    token: ExportToken
    credential_id: int | None
    salt: bytes
    secret_hash: bytes
    credential_revoked: bool


def add(
    tx: Connection,
    *,
    uuid: str,
    peer_id: int,
    credential_id: int | None,
    group_id: int,
    collection_id: int | None,
    format_: str,
    options: bytes,
    label: str,
    lookup: str,
    salt: bytes,
    secret_hash: bytes,
    now: int,
    expires_at: int | None,
) -> None:
    """Store a new token."""
    tx.execute(
        insert(export_token).values(
            uuid=uuid,
            peer_id=peer_id,
            credential_id=credential_id,
            group_id=group_id,
            collection_id=collection_id,
            format=format_,
            options=options,
            label=label,
            lookup=lookup,
            salt=salt,
            secret_hash=secret_hash,
            created_at=now,
            expires_at=expires_at,
        )
    )


def by_lookup(tx: Connection, lookup: str) -> StoredToken | None:
    """Return the token whose text has this public part, expired and revoked ones included: the caller decides."""
    row = _rows(tx, _T.lookup == lookup).one_or_none()
    if row is None:
        return None
    revoked = row.credential_revoked_at is not None
    return StoredToken(_token(row), row.credential_id, bytes(row.salt), bytes(row.secret_hash), revoked)


def by_uuid(tx: Connection, uuid: str) -> ExportToken | None:
    """Return a token by its public name."""
    row = _rows(tx, _T.uuid == uuid).one_or_none()
    return None if row is None else _token(row)


def listed(tx: Connection, peer_id: int | None) -> list[ExportToken]:
    """Return the tokens of a peer, or all of them, by their public name; revoked ones included."""
    found = _rows(tx, _T.id > 0 if peer_id is None else _T.peer_id == peer_id)
    return [_token(row) for row in found]


def revoke(tx: Connection, token_id: int, now: int) -> bool:
    """Say whether the token became revoked just now."""
    statement = update(export_token).where(_T.id == token_id, _T.revoked_at.is_(None))
    return tx.execute(statement.values(revoked_at=now)).rowcount == 1


def touch(tx: Connection, token_id: int, now: int) -> None:
    """Record the use of a token, at most once per `TOUCH_INTERVAL_US`."""
    long_ago = or_(_T.last_used_at.is_(None), _T.last_used_at <= now - TOUCH_INTERVAL_US)
    tx.execute(update(export_token).where(_T.id == token_id, long_ago).values(last_used_at=now))


def _rows(tx: Connection, condition: ColumnElement[bool]) -> Any:
    statement = (
        select(
            export_token,
            peer.c.handle,
            trust_group.c.slug,
            collection.c.uuid.label("collection_uuid"),
            credential.c.revoked_at.label("credential_revoked_at"),
        )
        .join(peer, peer.c.id == _T.peer_id)
        .join(trust_group, trust_group.c.id == _T.group_id)
        .join(collection, collection.c.id == _T.collection_id, isouter=True)
        .join(credential, credential.c.id == _T.credential_id, isouter=True)
        .where(condition)
        .order_by(_T.uuid)
    )
    return tx.execute(statement)


def _token(row: Row[Any]) -> ExportToken:
    return ExportToken(
        row.id,
        row.uuid,
        row.peer_id,
        row.handle,
        row.slug,
        row.collection_uuid,
        row.format,
        bytes(row.options),
        row.label,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
    )
