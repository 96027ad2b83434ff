"""Which keys signed what the readers of a group may see; the keys of a peer that left stay in its directory by this."""

from __future__ import annotations

from sqlalchemy import Connection, and_, exists, or_, select

from hub.store.leave import insert_or_leave
from hub.store.tables import audience, audience_peer, key_shown


def add(tx: Connection, group_id: int, key_id: int, audience_id: int) -> bool:
    """Say whether this is new: in this group, something signed with this key is there for this audience."""
    values = {"group_id": group_id, "key_id": key_id, "audience_id": audience_id}
    return int(tx.execute(insert_or_leave(tx, key_shown).values(values)).rowcount) == 1


def of_reader(tx: Connection, group_id: int, peer_id: int | None) -> set[int]:
    """Return the ids of the keys that signed something this peer may see in the group; None may see everything."""
    c = key_shown.c
    statement = select(c.key_id).distinct().where(c.group_id == group_id)
    if peer_id is not None:
        named = exists().where(audience_peer.c.audience_id == c.audience_id, audience_peer.c.peer_id == peer_id)
        admitted = or_(
            audience.c.kind == "group",
            and_(audience.c.kind == "named", named),
            and_(audience.c.kind == "except", ~named),
        )
        statement = statement.join(audience, audience.c.id == c.audience_id).where(admitted)
    return {row.key_id for row in tx.execute(statement)}
