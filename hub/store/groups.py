"""Trust groups: each is one TAXII API root."""

from __future__ import annotations

from types import EllipsisType

from sqlalchemy import Connection, insert, select
from sqlalchemy import update as update_rows

from hub.domain.membership import TrustGroup
from hub.errors import NotFound
from hub.store.conflicts import refusing_duplicates
from hub.store.rows import group_of
from hub.store.tables import member, trust_group


def add(
    tx: Connection,
    *,
    slug: str,
    title: str,
    description: str | None,
    default_tlp: str,
    tlp_ceiling: str,
    signature_required: bool,
    now: int,
) -> TrustGroup:
    """Return the new group. Raises Conflict when the slug is taken."""
    values = {
        "slug": slug,
        "title": title,
        "description": description,
        "default_tlp": default_tlp,
        "tlp_ceiling": tlp_ceiling,
        "signature_required": signature_required,
        "created_at": now,
    }
    with refusing_duplicates(tx, "a group with this slug exists already", field="slug"):
        return group_of(tx.execute(insert(trust_group).values(values).returning(*trust_group.c)).one())


def by_slug(tx: Connection, slug: str) -> TrustGroup | None:
    """Return a group by its slug."""
    row = tx.execute(select(trust_group).where(trust_group.c.slug == slug)).one_or_none()
    return None if row is None else group_of(row)


def by_id(tx: Connection, group_id: int) -> TrustGroup:
    """Return the group with this id, which came out of the database. Raises NotFound."""
    row = tx.execute(select(trust_group).where(trust_group.c.id == group_id)).one_or_none()
    if row is None:
        raise NotFound("there is no such group")
    return group_of(row)


def all(tx: Connection) -> list[TrustGroup]:  # noqa: A001 - read as groups.all(tx)
    """Return every group, by slug."""
    return [group_of(row) for row in tx.execute(select(trust_group).order_by(trust_group.c.slug))]


def of_peer(tx: Connection, peer_id: int) -> list[TrustGroup]:
    """Return the groups of which the peer is a member that is not suspended, by slug."""
    rows = tx.execute(
        select(trust_group)
        .join(member, member.c.group_id == trust_group.c.id)
        .where(member.c.peer_id == peer_id, member.c.suspended_at.is_(None))
        .order_by(trust_group.c.slug)
    )
    return [group_of(row) for row in rows]


def update(
    tx: Connection,
    group_id: int,
    *,
    title: str | EllipsisType = ...,
    description: str | EllipsisType | None = ...,
    default_tlp: str | EllipsisType = ...,
    tlp_ceiling: str | EllipsisType = ...,
    signature_required: bool | EllipsisType = ...,
    quantum_safe: str | EllipsisType = ...,
    member_visibility: str | EllipsisType = ...,
    two_person: bool | EllipsisType = ...,
    pseudonyms: bool | EllipsisType = ...,
) -> TrustGroup:
    """Return the group with what was given changed. Raises NotFound.

    What is stored already keeps the audience it was given: markings are decided once, at ingest.
    """
    given = {
        "title": title,
        "description": description,
        "default_tlp": default_tlp,
        "tlp_ceiling": tlp_ceiling,
        "signature_required": signature_required,
        "quantum_safe": quantum_safe,
        "member_visibility": member_visibility,
        "two_person": two_person,
        "pseudonyms": pseudonyms,
    }
    values = {key: value for key, value in given.items() if value is not ...}
    if values:
        tx.execute(update_rows(trust_group).where(trust_group.c.id == group_id).values(values))
    return by_id(tx, group_id)
