"""One line per request: who, which route, what came of it. No query values, no bodies, no secrets, no names of others.

The route is the rule (``/<group>/collections/<collection>/objects/``), not the path: an access log must not become a
list of who asked for which indicator.
"""

from __future__ import annotations

import time
from typing import Final

import structlog
from flask import Flask, Response, g, request

from hub.domain.membership import Caller
from hub.services.context import Hub
from hub.web.waiting import waits

log = structlog.get_logger()

QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that machines ask every few seconds; only their failures are worth a line."""


def register(app: Flask, hub: Hub) -> None:
    """Make the app write one event ``http.request`` per answer."""
    del hub
    app.before_request(_begin)
    app.after_request(_finish)


def elapsed_seconds() -> float | None:
    """Return how long the current request has taken, None when it never reached the app's first step."""
    begun = g.get("request_begun")
    return None if begun is None else time.perf_counter() - begun


def route() -> str:
    """Return the rule the request was routed to; what has none is one route, so that nobody can invent more."""
    return "(none)" if request.url_rule is None else request.url_rule.rule


def _begin() -> None:
    g.request_begun = time.perf_counter()


def _finish(response: Response) -> Response:
    if waits(request.environ):  # nothing is sent yet
        return response
    seconds = elapsed_seconds()
    fields: dict[str, object] = {
        "route": route(),
        "method": request.method,
        "status": response.status_code,
        "ms": None if seconds is None else round(seconds * 1000, 1),
        "bytes": response.calculate_content_length(),
    }
    caller = g.get("caller")
    if isinstance(caller, Caller):
        fields["peer"] = caller.peer.handle
    if response.status_code >= 400 and response.is_json:
        error_id = (response.get_json(silent=True) or {}).get("error_id")
        if isinstance(error_id, str):
            fields["error_id"] = error_id
    if response.status_code >= 500:
        log.warning("http.request", **fields)
    elif fields["route"] not in QUIET:
        log.info("http.request", **fields)
    return response
