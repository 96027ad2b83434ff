"""Agreements with other hubs: the signed documents, who they are with, and what has become of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, insert, select, update

from hub.store.conflicts import refusing_duplicates
from hub.store.tables import agreement

State = Literal["offered", "agreed", "ended"]


@dataclass(frozen=True, slots=True)
class StoredAgreement:
    """One agreement. Times are microseconds since the epoch.

    :param document: JCS bytes with the signatures it has so far.
    """

    id: int
    uuid: str
    peer_id: int
    state: State
    document: bytes
    created_at: int
    agreed_at: int | None
    ended_at: int | None


def add(tx: Connection, *, uuid: str, peer_id: int, state: State, document: bytes, now: int) -> StoredAgreement:
    """Return the new agreement. Raises Conflict when its id is known already."""
    values = {
        "uuid": uuid,
        "peer_id": peer_id,
        "state": state,
        "document": document,
        "created_at": now,
        "agreed_at": now if state == "agreed" else None,
    }
    with refusing_duplicates(tx, "an agreement with this id is known already", field="id"):
        tx.execute(insert(agreement).values(values))
    return _made(by_uuid(tx, uuid))


def agree(tx: Connection, uuid: str, document: bytes, *, now: int) -> StoredAgreement:
    """Return an agreement that was offered, agreed from now on, as both have signed it."""
    values = {"state": "agreed", "document": document, "agreed_at": now}
    tx.execute(update(agreement).where(agreement.c.uuid == uuid).values(values))
    return _made(by_uuid(tx, uuid))


def end(tx: Connection, uuid: str, *, now: int) -> StoredAgreement:
    """Return an agreement that is ended from now on."""
    tx.execute(update(agreement).where(agreement.c.uuid == uuid).values(state="ended", ended_at=now))
    return _made(by_uuid(tx, uuid))


def by_uuid(tx: Connection, uuid: str) -> StoredAgreement | None:
    """Return an agreement by its id."""
    found = _rows(tx, agreement.c.uuid == uuid)
    return found[0] if found else None


def of_peer(tx: Connection, peer_id: int) -> list[StoredAgreement]:
    """Return every agreement with this hub, the newest first, ended ones included."""
    return _rows(tx, agreement.c.peer_id == peer_id)


def newest_agreed(tx: Connection, peer_id: int) -> StoredAgreement | None:
    """Return the agreement that both signed last, unless it is ended: an older one never comes back into force."""
    signed = [one for one in of_peer(tx, peer_id) if one.agreed_at is not None]
    newest = max(signed, key=lambda one: (one.agreed_at or 0, one.id), default=None)
    return newest if newest is not None and newest.state == "agreed" else None


def all(tx: Connection) -> list[StoredAgreement]:  # noqa: A001 - read as agreements.all(tx)
    """Return every agreement, the newest first."""
    return _rows(tx)


def digest(document: bytes) -> str:
    """Return the SHA-256 of a document as it is stored, in lower-case hex."""
    return hashlib.sha256(document).hexdigest()


def _made(found: StoredAgreement | None) -> StoredAgreement:
    if found is None:
        raise AssertionError("an agreement that was just written")
    return found


def _rows(tx: Connection, *conditions: ColumnElement[bool]) -> list[StoredAgreement]:
    statement = select(agreement).where(*conditions).order_by(agreement.c.id.desc())
    return [
        StoredAgreement(
            row.id,
            row.uuid,
            row.peer_id,
            row.state,
            bytes(row.document),
            row.created_at,
            row.agreed_at,
            row.ended_at,
        )
        for row in tx.execute(statement)
    ]
