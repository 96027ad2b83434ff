"""The status of a submission (TAXII 2.1 §4.3), for the peer that made it and for nobody else."""

from __future__ import annotations

from hub.domain.membership import Caller
from hub.errors import NotFound
from hub.services import access
from hub.services.context import Hub
from hub.store import submissions as submission_store
from hub.store.submissions import Submission


def get(hub: Hub, caller: Caller, slug: str, uuid: str) -> Submission:
    """Return a status. Raises NotFound when there is none, or it is another peer's: status ids show object ids."""
    with hub.db.read() as tx:
        group, _ = access.group(tx, caller, slug)
        found = submission_store.get(tx, group.id, uuid, caller.peer.id)
    if found is None:
        raise NotFound("there is no such status")
    return found
