"""The turn of a request among those of its peer; one that has waited for news has had it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from flask import request

from hub.domain.membership import Caller
from hub.services.context import Hub
from hub.web.waiting import SLOT, Slot


def turn(hub: Hub, caller: Caller) -> AbstractContextManager[None]:
    """Return what counts the current request while it is answered; entering it raises TooManyRequests."""
    slot = request.environ.get(SLOT)
    waited = isinstance(slot, Slot) and slot.until is not None  # it is answered by a thread of the waiting room
    return nullcontext() if waited else hub.turns.of(caller.peer.id)
