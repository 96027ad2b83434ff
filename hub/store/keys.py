"""The key directory: the signing keys of peers, revoked ones included, since old signatures need them."""

from __future__ import annotations

from sqlalchemy import Connection, Select, case, false, insert, or_, select, update

from hub.domain.keys import COMPROMISED, SigningKey
from hub.store.conflicts import refusing_duplicates
from hub.store.rows import key_of
from hub.store.tables import member, peer, signing_key


def add(
    tx: Connection,
    *,
    peer_id: int,
    kid: str,
    algorithm: str,
    public_key: str,
    valid_from: int,
    valid_until: int | None,
    now: int,
) -> SigningKey:
    """Return the new key. Raises Conflict when the hub knows it already, whoever's it is."""
    values = {
        "peer_id": peer_id,
        "kid": kid,
        "algorithm": algorithm,
        "public_key": public_key,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "created_at": now,
    }
    with refusing_duplicates(tx, "this key is registered already", field="kid"):
        tx.execute(insert(signing_key).values(values))
    made = by_kid(tx, kid)
    if made is None:
        raise AssertionError("a key that was just written")
    return made


def by_kid(tx: Connection, kid: str) -> SigningKey | None:
    """Return a key by its id, the hex SHA-256 of its SubjectPublicKeyInfo."""
    row = tx.execute(_keys().where(signing_key.c.kid == kid)).one_or_none()
    return None if row is None else key_of(row)


def of_peer(tx: Connection, peer_id: int) -> list[SigningKey]:
    """Return a peer's keys, the oldest first."""
    return [key_of(row) for row in tx.execute(_keys().where(signing_key.c.peer_id == peer_id))]


def of_group(tx: Connection, group_id: int) -> list[SigningKey]:
    """Return the keys of a group's active members, the oldest first."""
    inside = select(member.c.peer_id).where(member.c.group_id == group_id, member.c.suspended_at.is_(None))
    rows = tx.execute(_keys().where(signing_key.c.peer_id.in_(inside), peer.c.suspended_at.is_(None)))
    return [key_of(row) for row in rows]


def all(tx: Connection) -> list[SigningKey]:  # noqa: A001 - read as keys.all(tx)
    """Return every key of the hub, the oldest first."""
    return [key_of(row) for row in tx.execute(_keys())]


def revoke(tx: Connection, kid: str, at: int, reason: str, *, reported_at: int | None = None) -> bool:
    """Say whether the key became revoked, or known to be compromised, just now; the earliest time of both stands.

    :param reported_at: when the hub was told; now, unlike ``at``, which may lie before.
    """
    c = signing_key.c
    worse = c.revocation_reason != COMPROMISED if reason == COMPROMISED else false()
    earliest = case((c.revoked_at < at, c.revoked_at), else_=at)
    statement = update(signing_key).where(c.kid == kid, or_(c.revoked_at.is_(None), worse))
    values = {"revoked_at": earliest, "revocation_reason": reason, "reported_at": reported_at}
    return tx.execute(statement.values(values)).rowcount == 1


def retire(tx: Connection, kid: str, until: int) -> None:
    """Let a key expire at a time, or earlier if it would have expired earlier anyway."""
    c = signing_key.c
    later = or_(c.valid_until.is_(None), c.valid_until > until)
    tx.execute(update(signing_key).where(c.kid == kid, later).values(valid_until=until))


def _keys() -> Select[tuple[object, ...]]:
    joined = select(signing_key, peer.c.identity).join(peer, peer.c.id == signing_key.c.peer_id)
    return joined.order_by(signing_key.c.id)
