"""The key directory: the signing keys of peers, revoked ones included, since old signatures need them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Select, and_, case, false, insert, or_, select, update

from hub.domain.keys import COMPROMISED, SigningKey
from hub.store.batches import batches
from hub.store.conflicts import refusing_duplicates
from hub.store.rows import PSEUDONYM_IDENTITY, key_of
from hub.store.tables import member, peer, pseudonym, signing_key


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
    pseudonym_id: int | None = None,
) -> SigningKey:
    """Return the new key, of the peer's own name or of its pseudonym. Raises Conflict when it is known already."""
    values = {
        "peer_id": peer_id,
        "kid": kid,
        "algorithm": algorithm,
        "public_key": public_key,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "created_at": now,
        "pseudonym_id": pseudonym_id,
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


def of_peer(tx: Connection, peer_id: int, *, group_id: int | None = None) -> list[SigningKey]:
    """Return a peer's keys, the oldest first; with a group also those of the pseudonym it has there, else of none."""
    c = signing_key.c
    named = c.pseudonym_id.is_(None) if group_id is None else or_(c.pseudonym_id.is_(None), _of_pseudonyms(group_id))
    return [key_of(row) for row in tx.execute(_keys().where(c.peer_id == peer_id, named))]


def of_pseudonym(tx: Connection, pseudonym_id: int) -> list[SigningKey]:
    """Return the keys of a pseudonym, the oldest first."""
    return [key_of(row) for row in tx.execute(_keys().where(signing_key.c.pseudonym_id == pseudonym_id))]


def of_group(tx: Connection, group_id: int) -> list[SigningKey]:
    """Return the keys of a group's active members and of all its pseudonyms, the oldest first.

    The keys of a pseudonym stay when its peer is suspended or leaves: that they went together would tell whose it is.
    """
    c = signing_key.c
    inside = select(member.c.peer_id).where(member.c.group_id == group_id, member.c.suspended_at.is_(None))
    own = and_(c.pseudonym_id.is_(None), c.peer_id.in_(inside), peer.c.suspended_at.is_(None))
    return [key_of(row) for row in tx.execute(_keys().where(or_(own, _of_pseudonyms(group_id))))]


def of_ids(tx: Connection, key_ids: Iterable[int]) -> list[SigningKey]:
    """Return the keys with these ids, the oldest first within each batch."""
    found: list[SigningKey] = []
    for some in batches(sorted(key_ids)):
        found += [key_of(row) for row in tx.execute(_keys().where(signing_key.c.id.in_(some)))]
    return found


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
    joined = (
        select(signing_key, peer.c.identity, pseudonym.c.identity.label(PSEUDONYM_IDENTITY))
        .join(peer, peer.c.id == signing_key.c.peer_id)
        .outerjoin(pseudonym, pseudonym.c.id == signing_key.c.pseudonym_id)
    )
    return joined.order_by(signing_key.c.id)


def _of_pseudonyms(group_id: int) -> ColumnElement[bool]:
    return signing_key.c.pseudonym_id.in_(select(pseudonym.c.id).where(pseudonym.c.group_id == group_id))
