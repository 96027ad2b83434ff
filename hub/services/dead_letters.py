"""Dead letters: what did not cross to another hub or from it, for the operator to look at, send again, or give up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hub.domain import limits
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.services import audit
from hub.services.actor import Actor, require_operator
from hub.services.context import Hub
from hub.store import dead_letters as store
from hub.store import peers as peer_store
from hub.store.dead_letters import DeadLetter

NO_LETTER = "there is no such dead letter"
NO_HUB = "there is no such hub"


def listed(
    hub: Hub,
    actor: Actor,
    *,
    handle: str | None = None,
    settled: bool = False,
    limit: int = limits.API_PAGE_MAX,
    after: str | None = None,
) -> list[DeadLetter]:
    """Return the newest letters, the newest first. Operators only. Raises NotFound.

    :param handle: of one hub only. :param settled: those too that an operator has settled.
    :param after: uuid of the last one seen.
    """
    require_operator(actor)
    with hub.db.read() as tx:
        peer = None if handle is None else peer_store.by_handle(tx, handle)
        if handle is not None and (peer is None or not peer.partner_hub):
            raise NotFound(NO_HUB)
        last = [] if after is None else store.by_uuids(tx, [after])
        before = None if after is None else (last[0].id if last else 0)
        return store.of_peer(tx, None if peer is None else peer.id, settled=settled, limit=limit, before=before)


def settle(
    hub: Hub, actor: Actor, action: Literal["replay", "drop"], uuids: Sequence[str], *, handle: str | None = None
) -> int:
    """Have letters sent again, or give them up; return how many. All that are open of one hub when none is named.

    Raises:
        NotFound: one of them does not exist. Conflict: one is settled, or only the other hub can send it again.
    """
    require_operator(actor)
    if not uuids and handle is None:
        raise InvalidRequest("name the letters, or the hub whose letters are all meant", field="letters")
    with hub.db.write() as tx:
        now = hub.clock()
        if uuids:
            letters = store.by_uuids(tx, uuids)
        else:
            peer = peer_store.by_handle(tx, str(handle))
            if peer is None or not peer.partner_hub:
                raise NotFound(NO_HUB)
            letters = store.of_peer(tx, peer.id, limit=limits.DEAD_LETTERS_AT_ONCE)
            letters = [one for one in letters if action == "drop" or one.direction == "out"]
        if len(letters) < len(set(uuids)) or any(handle not in (None, one.peer) for one in letters):
            raise NotFound(NO_LETTER)
        if any(one.settled_at is not None for one in letters):
            raise Conflict("one of them is settled already")
        if action == "replay" and any(one.direction == "in" for one in letters):
            raise Conflict("what could not be taken is sent again by the other hub; ask its operator to replay it")
        ids = [one.id for one in letters]
        if action == "replay":
            store.replay(tx, ids)
        else:
            store.drop(tx, ids, now=now)
        for name in sorted({one.peer for one in letters}):
            mine = [one for one in letters if one.peer == name]
            audit.record(tx, hub, actor, f"dead-letter.{action}", f"links/{name}", mine[0].peer_id, letters=len(mine))
    return len(letters)
