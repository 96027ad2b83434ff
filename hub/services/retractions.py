"""How far a retraction has come: whom it has to reach, who says that he has removed it, who has not answered.

For the peer that did it, the author's peer, the moderators of the group and the operator. For everybody else there is
no such retraction. Names stand only where the asker may know of the peer; the others are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from hub.domain.membership import Caller, Right
from hub.domain.retraction import Kind
from hub.errors import NotFound
from hub.services import access
from hub.services.acquaintance import known_peers
from hub.services.actor import Actor, limited, require_reader
from hub.services.context import Hub
from hub.store import groups as group_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store import reaches as reach_store
from hub.store import retractions as store
from hub.store.reaches import StoredReach
from hub.store.retractions import Retraction

NO_RETRACTION: Final = "there is no such retraction"


@dataclass(frozen=True, slots=True)
class Holder:
    """A peer that a retraction has to reach. ``removed_at`` is in microseconds since the epoch.

    :param handle: None where the asker may not know of the peer.
    :param removed_at: when it last said so, if it did of every object that the act took from it; of another hub, when
        it reported that everybody there and beyond had; else None.
    :param beyond: of another hub, as it last reported: how many there and beyond had it, and how many have removed it.
    """

    handle: str | None
    removed_at: int | None
    beyond: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """One act of withdrawal and how far it has come. The actor is not among the holders: he knows.

    :param objects: (STIX id, versions with their SHA-256 in hex) of everything that went.
    :param holders: None where not even their number is told, because a pseudonym is behind it.
    """

    uuid: str
    kind: Kind
    reason: str | None
    at: int
    group: str
    collection: str
    actor: str | None
    objects: Mapping[str, tuple[tuple[str, str], ...]]
    notices: tuple[str, ...]
    holders: tuple[Holder, ...] | None
    log_indexes: tuple[int, ...]

    @property
    def removed(self) -> int:
        """How many of the holders say that they have removed everything."""
        return sum(one.removed_at is not None for one in self.holders or ())


def found(hub: Hub, actor: Actor, name: str) -> list[Progress]:
    """Return the acts of this uuid, or those that this notice tells of, or that withdrew this object; newest first.

    Raises NotFound when there are none, or none that the actor may follow.
    """
    require_reader(actor)
    with hub.db.read() as tx:
        uuids = {one.uuid for one in store.named(tx, name)}
        acts = _acts(tx, actor, store.of_acts(tx, sorted(uuids)))
    if not acts:
        raise NotFound(NO_RETRACTION)
    return acts


def listed(hub: Hub, actor: Actor, *, limit: int, after: str | None = None) -> list[Progress]:
    """Return the acts that the actor may follow, the newest first.

    :param after: uuid of the last act seen; None begins with the newest.
    """
    require_reader(actor)
    caller = limited(actor)
    with hub.db.read() as tx:
        moderated = [] if caller is None else sorted(_moderates(tx, caller))
        peer_id = None if caller is None else caller.peer.id
        before = None
        if after is not None:
            seen = store.of_acts(tx, [after])
            before = seen[-1].id if seen else 0
        rows = store.acts(tx, limit=limit, before=before, peer_id=peer_id, group_ids=moderated)
        return _acts(tx, actor, store.of_acts(tx, [uuid for _, uuid in rows]))


def _moderates(tx: Connection, caller: Caller) -> set[int]:
    mine = ((group.id, member_store.get(tx, group.id, caller.peer.id)) for group in access.groups(tx, caller))
    return {group_id for group_id, member in mine if member is not None and Right.MODERATE in member.rights}


def _acts(tx: Connection, actor: Actor, rows: Sequence[Retraction]) -> list[Progress]:
    caller = limited(actor)
    moderated = set() if caller is None else _moderates(tx, caller)
    by_act: dict[tuple[str, int], list[Retraction]] = {}
    for row in rows:
        own = caller is None or caller.peer.id in (row.actor_peer_id, row.author_peer_id)
        if own or row.group_id in moderated:
            by_act.setdefault((row.uuid, row.collection_id), []).append(row)
    handles = {peer.id: peer.handle for peer in peer_store.all(tx)}
    acts = sorted(by_act.values(), key=lambda some: some[-1].id, reverse=True)
    return [_progress(tx, caller, some, handles) for some in acts]


def _progress(
    tx: Connection, caller: Caller | None, rows: Sequence[Retraction], handles: Mapping[int, str]
) -> Progress:
    first = rows[0]
    known = known_peers(tx, caller, group_store.by_id(tx, first.group_id))
    answers = store.removed_at(tx, first.group_id, sorted({row.stix_id for row in rows}))
    objects: dict[str, dict[str, str]] = {}
    owed: dict[int, list[int | None]] = {}
    for row in rows:
        objects.setdefault(row.stix_id, {}).update(row.versions)
        for peer_id in row.holders.peers - {row.actor_peer_id}:
            at = answers.get((row.stix_id, peer_id))
            owed.setdefault(peer_id, []).append(None if at is None or at < row.at else at)
    reports = reach_store.of_acts(tx, [first.uuid], "in")
    hubs = {peer_id for peer_id in owed if peer_store.by_id(tx, peer_id).partner_hub}
    holders = [
        _other_hub(handles[peer_id] if peer_id in known else None, reports.get((first.uuid, peer_id)))
        if peer_id in hubs
        else Holder(handles[peer_id] if peer_id in known else None, _last(times))
        for peer_id, times in owed.items()
    ]
    veiled = caller is not None and any(row.holders.veiled for row in rows)
    actor_known = first.actor_peer_id is not None and first.actor_peer_id in known
    return Progress(
        uuid=first.uuid,
        kind=first.kind,
        reason=first.reason,
        at=first.at,
        group=first.group,
        collection=first.collection,
        actor=handles[first.actor_peer_id] if actor_known and not veiled and first.actor_peer_id else None,
        objects={stix_id: tuple(sorted(versions.items())) for stix_id, versions in objects.items()},
        notices=tuple(dict.fromkeys(row.notice_id for row in rows if row.notice_id is not None)),
        holders=None if veiled else tuple(sorted(holders, key=lambda one: (one.handle is None, one.handle or ""))),
        log_indexes=tuple(row.log_index for row in rows if row.log_index is not None),
    )


def _other_hub(handle: str | None, report: StoredReach | None) -> Holder:
    """Return how far another hub says that it has come; who may not know of the hub is told whether it is done."""
    if report is None:
        return Holder(handle, None)
    done = report.at if report.removed == report.holders else None
    return Holder(handle, done, None if handle is None else (report.holders, report.removed))


def _last(times: Sequence[int | None]) -> int | None:
    answered = [at for at in times if at is not None]
    return max(answered) if len(answered) == len(times) else None
