"""Audiences, each stored once: the page query compares one integer for most entries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from hub.domain.audience import Audience
from hub.store.batches import batches
from hub.store.leave import insert_or_leave
from hub.store.tables import WHOLE_GROUP_ID, audience, audience_peer


def intern(tx: Connection, wanted: Iterable[Audience]) -> dict[Audience, int]:
    """Return the id of each audience; the ones that are new are stored now."""
    ids = {one: WHOLE_GROUP_ID for one in wanted if one.kind == "group"}
    by_digest = {_digest(one): one for one in wanted if one.kind != "group"}
    if not by_digest:
        return ids
    ids.update(_found(tx, by_digest))
    # In one order everywhere: two transactions that make the same audiences then wait instead of deadlocking.
    for digest in sorted(set(by_digest) - {_digest(one) for one in ids}):
        one = by_digest[digest]
        ids[one] = _made(tx, one, digest)
    return ids


def _found(tx: Connection, by_digest: dict[bytes, Audience]) -> dict[Audience, int]:
    found: dict[Audience, int] = {}
    for some in batches(sorted(by_digest)):
        rows = tx.execute(select(audience.c.digest, audience.c.id).where(audience.c.digest.in_(some)))
        found.update((by_digest[digest], audience_id) for digest, audience_id in rows)
    return found


def _made(tx: Connection, one: Audience, digest: bytes) -> int:
    statement = insert_or_leave(tx, audience).values(digest=digest, key=one.key(), kind=one.kind)
    # Another collection's transaction may make it at this moment: PostgreSQL then waits for that one to end.
    made: int | None = tx.execute(statement.returning(audience.c.id)).scalar()
    if made is None:
        return int(tx.execute(select(audience.c.id).where(audience.c.digest == digest)).scalar_one())
    if one.peers:
        tx.execute(insert(audience_peer), [{"audience_id": made, "peer_id": peer_id} for peer_id in sorted(one.peers)])
    return made


def _digest(one: Audience) -> bytes:
    return hashlib.sha256(one.key().encode()).digest()
