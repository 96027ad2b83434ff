"""One table from the error tree to HTTP, one shape on the wire: a TAXII error message, or a JSON problem under /api.

Nothing of an unexpected exception reaches the client: it gets a random ``error_id``, and the log has the same one with
the place where it happened. The exception's text stays out of the log too, because it may hold content.
"""

from __future__ import annotations

import traceback
from typing import Final

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from hub.domain.media_type import TAXII
from hub.domain.taxii_resources import error as error_resource
from hub.domain.taxii_resources import to_bytes
from hub.errors import CybexError, TooManyRequests
from hub.services.context import Hub
from hub.web.credentials import CHALLENGES

PROBLEM: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
"""How long a client waits when the hub is busy: the write lock is held for less than a second at a time."""

log = structlog.get_logger()


def error_response(hub: Hub, failure: CybexError | HTTPException | int, path: str) -> Response:
    """Return the answer for an error; ``path`` decides between TAXII and the API's form.

    :param failure: an error of the hub, one of the router's, or a bare status for what must not be explained.
    """
    detail, field, headers = "", None, list[tuple[str, str]]()
    if isinstance(failure, CybexError):
        status, title, code = failure.status, failure.title, failure.code
        detail, field = failure.detail, failure.field
    else:
        status = failure if isinstance(failure, int) else failure.code or 500
        title = HTTP_STATUS_CODES.get(status, "Error")
        code = title.lower().replace(" ", "-")
        headers = _allow(failure)
    if isinstance(failure, TooManyRequests):
        headers = [("Retry-After", str(failure.retry_after)), *failure.headers]
    error_id = hub.token_bytes(12).hex()
    if path == "/api" or path.startswith("/api/"):
        problem = {"type": f"urn:cybex:error:{code}", "title": title, "status": status, "error_id": error_id}
        body = to_bytes(problem | ({"detail": detail} if detail else {}) | ({"field": field} if field else {}))
        media_type = PROBLEM
    else:
        body = to_bytes(
            error_resource(title=title, detail=detail, field=field, status=status, error_id=error_id, code=code)
        )
        media_type = TAXII
    response = Response(body, status, content_type=media_type)
    for name, value in headers + _headers_of(status):
        response.headers.add(name, value)
    return response


def register(app: Flask, hub: Hub) -> None:
    """Make every failure of the app, the router's included, answer in the hub's own form."""

    def known(failure: CybexError) -> Response:
        return error_response(hub, failure, request.path)

    def routed(failure: HTTPException) -> Response:
        return error_response(hub, failure, request.path)

    def unexpected(failure: Exception) -> Response:
        response = error_response(hub, 500, request.path)
        payload = response.get_json(force=True)
        log_unexpected(failure, str(payload["error_id"]))
        return response

    app.register_error_handler(CybexError, known)
    app.register_error_handler(HTTPException, routed)
    app.register_error_handler(Exception, unexpected)


def log_unexpected(failure: BaseException, error_id: str) -> None:
    """Write one log line with the kind of an unexpected exception and where it happened, never with its text."""
    frames = traceback.extract_tb(failure.__traceback__)[-12:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("web.unexpected", error_id=error_id, exception=type(failure).__qualname__, places=places)


def _allow(failure: HTTPException | int) -> list[tuple[str, str]]:
    methods = getattr(failure, "valid_methods", None)
    return [("Allow", ", ".join(sorted(methods)))] if methods else []


def _headers_of(status: int) -> list[tuple[str, str]]:
    """Return the headers that HTTP wants with a status."""
    if status == 401:
        return [("WWW-Authenticate", challenge) for challenge in CHALLENGES]
    if status == 415:
        return [("Accept-Post", TAXII), ("Accept-Encoding", "gzip, zstd, identity")]
    if status == 503:
        return [("Retry-After", str(RETRY_AFTER_SECONDS))]
    return []
