"""The outermost layer: bounds the request target and tidies its path in place, without a redirect.

A redirect would lose the body of a POST and, behind a TLS proxy, send credentials to http; so ``//`` is one slash and,
together with the router's ``strict_slashes``, the last slash may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from hub.domain import limits
from hub.errors import NotFound, UriTooLong
from hub.services.context import Hub
from hub.web.errors import error_response
from hub.web.security_headers import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SLASHES: Final = re.compile(r"/{2,}")


class TidyPaths:
    """WSGI middleware: collapses ``//`` in the path, refuses targets that are too long or not plain text."""

    def __init__(self, app: WSGIApplication, hub: Hub) -> None:
        self._app = app
        self._hub = hub

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = _SLASHES.sub("/", environ.get("PATH_INFO") or "/")
        refusal = _refusal(path, environ.get("QUERY_STRING") or "")
        if refusal is not None:
            response = error_response(self._hub, refusal, path)
            response.headers.extend(HEADERS)
            return response(environ, start_response)
        environ["PATH_INFO"] = path
        return self._app(environ, start_response)


def _refusal(path: str, query: str) -> NotFound | UriTooLong | None:
    if len(path) + len(query) > limits.MAX_URL_LENGTH:
        return UriTooLong(f"the request target may have at most {limits.MAX_URL_LENGTH} octets")
    # Every path of the hub is plain ASCII: anything else names nothing, and is not let near the router or a database.
    return None if path.isascii() and path.isprintable() else NotFound()
