"""The turn of a request with a body among those of its peer."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from flask import request

from hub.domain.membership import Caller
from hub.services.context import Hub

BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose bodies the hub does not read."""


def turn(hub: Hub, caller: Caller) -> AbstractContextManager[None]:
    """Return what counts the current request while it is answered; entering it raises TooManyRequests."""
    return nullcontext() if request.method in BODILESS else hub.turns.of(caller.peer.id)
