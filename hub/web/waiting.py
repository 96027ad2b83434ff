"""``Prefer: wait=N`` (RFC 7240 §4.3): an answer that would be empty waits until there is something, or N seconds.

A server that can keep a request without a thread puts a `Slot` into the environ. The view answers as it always does;
when its answer is empty and the client would wait, the slot says so, the server keeps the connection and not the
answer, and asks the view again once there may be news: the same authentication, rights and policy then decide again.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request

from hub.domain import limits
from hub.domain.membership import Caller
from hub.domain.prefer import wait_seconds
from hub.services.context import Hub
from hub.store import news

SLOT: Final = "cybex.slot"


@dataclass(slots=True)
class Slot:
    """The place of one request in the waiting room.

    :param until: when it waits no longer, seconds of `time.monotonic`; None before it was first answered.
    :param seen: how far each collection was when the view looked; None when the answer is to be sent.
    :param change: the last change of rights then.
    """

    until: float | None = None
    peer_id: int = 0
    request: str = ""
    seen: Mapping[int, int] | None = None
    change: int = 0


def waits(environ: Mapping[str, Any]) -> bool:
    """Say whether the answer of this request is not sent: it waits."""
    slot = environ.get(SLOT)
    return isinstance(slot, Slot) and slot.seen is not None


def offer(hub: Hub, caller: Caller, collection_ids: Collection[int], response: Response, *, empty: bool) -> Response:
    """Return the answer, to be sent now or kept until there is news of these collections.

    Without the preference, on a server that cannot wait, and for a HEAD it is the answer as it was.

    :raises TooManyRequests: too many readers of this peer wait already.
    """
    wanted = wait_seconds(request.headers.get("Prefer"))
    slot = request.environ.get(SLOT)
    if wanted is None or not isinstance(slot, Slot) or request.method != "GET":
        return response
    granted = min(wanted, limits.WAIT_SECONDS)
    response.headers["Preference-Applied"] = f"wait={granted}"
    response.vary.add("Prefer")
    if not empty or granted == 0 or hub.waiting.closed:
        return response
    now = time.monotonic()
    if slot.until is None:
        hub.waiting.make_room(caller.peer.id, request.full_path)
        slot.until, slot.peer_id, slot.request = now + granted, caller.peer.id, request.full_path
    if now >= slot.until:
        return response
    with hub.db.read() as tx:  # of the snapshot in which the page was empty
        slot.seen, slot.change = news.last_dates(tx, collection_ids), news.last_change(tx)
    return response
