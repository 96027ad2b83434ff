"""Answers requests for granian's WSGI worker, and keeps those that wait without a thread.

granian hands every request a protocol object, and its answer is whatever that object is told, by any thread, at any
time. So a request that waits is its environ and this object: the thread goes back, the connection stays open, and the
application is asked again when the waiting room calls.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from hub.services.context import Hub
from hub.services.waiting_room import Wait
from hub.web.waiting import SLOT, Slot

ENVIRON: Final[dict[str, Any]] = {
    "SCRIPT_NAME": "",
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
"""What WSGI wants besides the request; nothing of the process's own environment."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Answers(Protocol):
    """The part of granian's protocol object that is used: one answer for one request."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send the answer."""


class KeptRequests:
    """Calls a WSGI application for each request, more than once for those that wait."""

    def __init__(self, app: Application, hub: Hub, errors: Any) -> None:
        self._app = app
        self._hub = hub
        self._base = {**ENVIRON, "wsgi.errors": errors}

    def __call__(self, protocol: Answers, scope: dict[str, Any]) -> None:
        """Answer, or keep the request; ``scope`` is the request's part of the environ."""
        self._ask(protocol, scope, Slot(), scope["wsgi.input"])

    def close(self) -> None:
        """Answer everybody who waits, and let nobody wait any more."""
        self._hub.waiting.close()

    def _ask(self, protocol: Answers, scope: dict[str, Any], slot: Slot, body: Any) -> None:
        slot.seen = None
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            del exc_info
            started[:] = status, headers

        environ = {**self._base, **scope, "wsgi.input": body, SLOT: slot}
        answer = self._app(environ, start_response)
        try:
            content = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        seen = _seen(slot)
        if seen is None:
            protocol.response_bytes(int(started[0][:3]), started[1], content)
        else:
            self._keep(protocol, scope, slot, seen)

    def _keep(self, protocol: Answers, scope: dict[str, Any], slot: Slot, seen: Mapping[int, int]) -> None:
        scope.pop("wsgi.input", None)  # a GET: there is nothing in it, and it holds the connection's buffers

        def called(last: bool) -> None:
            if last:
                slot.until = 0.0
            try:
                self._ask(protocol, scope, slot, io.BytesIO())
            except BaseException:
                protocol.response_bytes(500, [("Content-Length", "0")], b"")
                raise

        until = time.monotonic() if slot.until is None else slot.until
        self._hub.waiting.add(self._hub.db, Wait(slot.peer_id, seen, until, called, slot.request, slot.change))


def _seen(slot: Slot) -> Mapping[int, int] | None:
    return slot.seen  # a type checker does not know that the application may have set it
