"""Members: peers inside a trust group, with their rights."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from hub.domain.membership import HUB_HANDLE, Member, Peer, PeerKind, Right
from hub.store.rows import member_of, peer_of
from hub.store.tables import collection, collection_override, member, peer, relay_right


def put(tx: Connection, *, group_id: int, peer_id: int, rights: Iterable[Right | str], now: int) -> Member:
    """Return the peer's membership with exactly these rights; a suspension and the day of joining stay as they were."""
    held = frozenset(Right(right) for right in rights)
    values = {
        "may_read": Right.READ in held,
        "may_write": Right.WRITE in held,
        "may_moderate": Right.MODERATE in held,
    }
    found = update(member).where(member.c.group_id == group_id, member.c.peer_id == peer_id).values(values)
    if tx.execute(found).rowcount == 0:
        tx.execute(insert(member).values(group_id=group_id, peer_id=peer_id, joined_at=now, **values))
    made = get(tx, group_id, peer_id)
    if made is None:
        raise AssertionError("a membership that was just written")
    return made


def get(tx: Connection, group_id: int, peer_id: int) -> Member | None:
    """Return the peer's membership, suspended or not."""
    row = tx.execute(select(member).where(member.c.group_id == group_id, member.c.peer_id == peer_id)).one_or_none()
    return None if row is None else member_of(row)


def of_group(tx: Connection, group_id: int) -> list[tuple[Peer, Member]]:
    """Return every member of a group, suspended ones included, by handle."""
    rows = tx.execute(
        select(peer, member)
        .join(member, member.c.peer_id == peer.c.id)
        .where(member.c.group_id == group_id)
        .order_by(peer.c.handle)
    )
    return [(peer_of(row), member_of(row)) for row in rows]


def readable(tx: Connection, peer_id: int) -> set[int]:
    """Return the ids of the collections a peer may read in, in this transaction; another hub reads in none."""
    right = func.coalesce(collection_override.c.can_read, member.c.may_read)
    joined = (
        collection.join(member, member.c.group_id == collection.c.group_id)
        .join(peer, peer.c.id == member.c.peer_id)
        .outerjoin(
            collection_override,
            and_(
                collection_override.c.collection_id == collection.c.id,
                collection_override.c.peer_id == member.c.peer_id,
            ),
        )
    )
    statement = select(collection.c.id).select_from(joined)
    active = and_(member.c.suspended_at.is_(None), peer.c.suspended_at.is_(None), not_partner_hub())
    return set(tx.execute(statement.where(peer.c.id == peer_id, active, right)).scalars())


def not_partner_hub() -> ColumnElement[bool]:
    """Return the condition on `peer` that it is not another hub, which reads nothing as a member (`one-door`)."""
    return or_(peer.c.kind != PeerKind.HUB.value, peer.c.handle == HUB_HANDLE)


def suspend(tx: Connection, group_id: int, peer_id: int, now: int) -> bool:
    """Say whether the membership became suspended just now."""
    statement = update(member).where(
        member.c.group_id == group_id, member.c.peer_id == peer_id, member.c.suspended_at.is_(None)
    )
    return tx.execute(statement.values(suspended_at=now)).rowcount == 1


def restore(tx: Connection, group_id: int, peer_id: int) -> bool:
    """Say whether the membership was suspended and is no longer."""
    statement = update(member).where(
        member.c.group_id == group_id, member.c.peer_id == peer_id, member.c.suspended_at.is_not(None)
    )
    return tx.execute(statement.values(suspended_at=None)).rowcount == 1


def remove(tx: Connection, group_id: int, peer_id: int) -> bool:
    """Say whether the peer was a member and is no longer; its overrides and relay rights in the group go with it."""
    inside = select(collection.c.id).where(collection.c.group_id == group_id)
    tx.execute(
        delete(collection_override).where(
            collection_override.c.peer_id == peer_id, collection_override.c.collection_id.in_(inside)
        )
    )
    tx.execute(delete(relay_right).where(relay_right.c.group_id == group_id, relay_right.c.peer_id == peer_id))
    statement = delete(member).where(member.c.group_id == group_id, member.c.peer_id == peer_id)
    return tx.execute(statement).rowcount == 1
