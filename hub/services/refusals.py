"""What was not stored, and by which rule: all of it for an operator, his own for everybody else."""

from __future__ import annotations

from dataclasses import dataclass

from hub.services.actor import Actor, limited, require_reader
from hub.services.context import Hub
from hub.store import collections as collection_store
from hub.store import peers as peer_store
from hub.store import refusals as store
from hub.store.refusals import Refusal


@dataclass(frozen=True, slots=True)
class NamedRefusal:
    """A refusal with the public names of who submitted to where; a collection that is gone has none."""

    refusal: Refusal
    handle: str
    collection: str | None


def recent(hub: Hub, actor: Actor, *, limit: int, before: int | None = None) -> list[NamedRefusal]:
    """Return the newest refusals the actor may see, the newest first; ``before`` is the id of the last one seen."""
    require_reader(actor)
    caller = limited(actor)
    with hub.db.read() as tx:
        rows = store.recent(tx, limit=limit, before=before, peer_id=None if caller is None else caller.peer.id)
        handles = {peer.id: peer.handle for peer in peer_store.all(tx)} if caller is None else {}
        found = {row.collection_id: collection_store.by_id(tx, row.collection_id) for row in rows}
    if caller is not None:
        handles = {caller.peer.id: caller.peer.handle}
    uuids = {key: None if collection is None else collection.uuid for key, collection in found.items()}
    return [NamedRefusal(row, handles[row.peer_id], uuids[row.collection_id]) for row in rows]
