"""Links: how this hub reaches other hubs, how that has been going, and how far each collection has come."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from hub.store.conflicts import refusing_duplicates
from hub.store.tables import entry, link, link_position, quota_use

Direction = Literal["out", "in"]


@dataclass(frozen=True, slots=True)
class Link:
    """One link. Times are microseconds since the epoch.

    :param url: base of the other hub; None where a link is carried by hand, or only the other side calls.
    :param max_bytes: octets on the wire in one run; None is no bound.
    :param failures: in a row. :param retry_at: nothing is tried before that. :param leased_until: a process is at it.
    """

    peer_id: int
    url: str | None
    push: bool
    pull: bool
    allow_private: bool
    max_bytes: int | None
    created_at: int
    paused_at: int | None
    last_attempt_at: int | None
    last_success_at: int | None
    last_error: str | None
    failures: int
    retry_at: int | None
    leased_until: int | None
    sent_octets: int
    received_octets: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far one collection has come in one direction, as the giving hub writes it."""

    collection_id: int
    direction: Direction
    position: str
    objects: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What lies in a collection after a date: how many entries, and the date of the first; None when there is none."""

    objects: int
    since: int | None


def add(
    tx: Connection,
    *,
    peer_id: int,
    url: str | None,
    push: bool,
    pull: bool,
    allow_private: bool,
    max_bytes: int | None,
    now: int,
) -> Link:
    """Return the new link. Raises Conflict when there is one to this hub already."""
    values = {
        "peer_id": peer_id,
        "url": url,
        "push": push,
        "pull": pull,
        "allow_private": allow_private,
        "max_bytes": max_bytes,
        "created_at": now,
    }
    with refusing_duplicates(tx, "there is a link to this hub already; change it", field="peer"):
        tx.execute(insert(link).values(values))
    return _made(get(tx, peer_id))


def get(tx: Connection, peer_id: int) -> Link | None:
    """Return the link to a hub."""
    row = tx.execute(select(link).where(link.c.peer_id == peer_id)).one_or_none()
    return None if row is None else Link(*row)


def all(tx: Connection) -> list[Link]:  # noqa: A001 - read as links.all(tx)
    """Return every link, in the order in which their hubs became known."""
    return [Link(*row) for row in tx.execute(select(link).order_by(link.c.peer_id))]


def change(
    tx: Connection,
    peer_id: int,
    *,
    url: str | EllipsisType | None = ...,
    push: bool | EllipsisType = ...,
    pull: bool | EllipsisType = ...,
    allow_private: bool | EllipsisType = ...,
    max_bytes: int | EllipsisType | None = ...,
    paused_at: int | EllipsisType | None = ...,
) -> Link:
    """Return the link with what was given changed, to be tried again at once."""
    given = {
        "url": url,
        "push": push,
        "pull": pull,
        "allow_private": allow_private,
        "max_bytes": max_bytes,
        "paused_at": paused_at,
    }
    values = {name: value for name, value in given.items() if value is not ...}
    tx.execute(update(link).where(link.c.peer_id == peer_id).values(**values, retry_at=None))
    return _made(get(tx, peer_id))


def remove(tx: Connection, peer_id: int) -> bool:
    """Say whether there was a link, which is gone now; how far each collection came is kept for the next one."""
    return tx.execute(delete(link).where(link.c.peer_id == peer_id)).rowcount == 1


def lease(tx: Connection, peer_id: int, until: int, now: int) -> bool:
    """Say whether the caller alone may work on the link until then: it is not paused and no other process is at it."""
    c = link.c
    free = or_(c.leased_until.is_(None), c.leased_until <= now)
    statement = update(link).where(c.peer_id == peer_id, c.paused_at.is_(None), free).values(leased_until=until)
    return tx.execute(statement).rowcount == 1


def release(tx: Connection, peer_id: int) -> None:
    """Let other processes work on the link again."""
    tx.execute(update(link).where(link.c.peer_id == peer_id).values(leased_until=None))


def attempted(tx: Connection, peer_id: int, now: int) -> None:
    """Note that a run has begun."""
    tx.execute(update(link).where(link.c.peer_id == peer_id).values(last_attempt_at=now))


def succeeded(tx: Connection, peer_id: int, now: int) -> None:
    """Note that the other hub has answered as it should: failures are counted from nothing again."""
    values = {"last_success_at": now, "last_error": None, "failures": 0, "retry_at": None}
    tx.execute(update(link).where(link.c.peer_id == peer_id).values(values))


def failed(tx: Connection, peer_id: int, now: int, error: str, retry_at: int | None) -> int:
    """Note a failure and when to try again; return how many there have been in a row. The text holds no content."""
    values = {"last_attempt_at": now, "last_error": error, "failures": link.c.failures + 1, "retry_at": retry_at}
    tx.execute(update(link).where(link.c.peer_id == peer_id).values(values))
    found = get(tx, peer_id)
    return 0 if found is None else found.failures


def count_octets(tx: Connection, peer_id: int, *, sent: int = 0, received: int = 0) -> None:
    """Add what went over the wire in both directions."""
    c = link.c
    values = {"sent_octets": c.sent_octets + sent, "received_octets": c.received_octets + received}
    tx.execute(update(link).where(c.peer_id == peer_id).values(values))


def positions(tx: Connection, peer_id: int) -> list[Position]:
    """Return how far each collection has come, by collection and direction."""
    c = link_position.c
    rows = tx.execute(
        select(c.collection_id, c.direction, c.position, c.objects, c.updated_at)
        .where(c.peer_id == peer_id)
        .order_by(c.collection_id, c.direction)
    )
    return [Position(*row) for row in rows]


def waiting(tx: Connection, collection_id: int, after: int) -> Waiting:
    """Return what was added to a collection after a date: not all of it need cross."""
    c = entry.c
    counted = select(func.count(), func.min(c.date_added)).where(c.collection_id == collection_id, c.date_added > after)
    objects, since = tx.execute(counted).one()
    return Waiting(objects, since)


def _made(found: Link | None) -> Link:
    if found is None:
        raise AssertionError("a link that was just looked at")
    return found


def used(tx: Connection, peer_id: int, now: int) -> tuple[int, int]:
    """Return how many objects and octets a peer has brought in this hour of the clock."""
    c = quota_use.c
    statement = select(c.objects, c.octets).where(c.peer_id == peer_id, c.hour == now // 3_600_000_000)
    row = tx.execute(statement).one_or_none()
    return (0, 0) if row is None else (row.objects, row.octets)
