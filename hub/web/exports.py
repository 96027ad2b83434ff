"""``/exports/``: what a peer may read in the formats of other systems, for whoever holds a token or a credential.

An export token stands in the path, or is the password of HTTP Basic at ``/exports/``: firewalls can do nothing else.
``/exports/groups/{group}/{format}`` takes the credentials that TAXII takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Final

from flask import Flask, Response, g, request

from hub.domain.credentials import Basic
from hub.errors import InvalidRequest, NotFound, Unauthenticated
from hub.exports.options import NAMES, read_texts
from hub.services import export_tokens, exports
from hub.services.context import Hub
from hub.services.exports import Asked, Made
from hub.web.compression import negotiate, packer
from hub.web.credentials import identify, present
from hub.web.origin import TrustedProxies, remote_address

METHODS: Final = ("GET",)
_CHUNK: Final = 64 * 1024
_MOST_TAGS: Final = 16
"""Entity tags of one If-None-Match that are looked at."""


def register(app: Flask, hub: Hub) -> None:
    """Serve exports from the app."""
    trusted = TrustedProxies(hub.trusted_proxies)

    def by_path(token: str, name: str = "") -> Response:
        del name  # it is there for systems that want an address to end in .txt
        try:
            asked = export_tokens.opened(hub, token, remote=remote_address(request.environ, trusted))
        except Unauthenticated:
            raise NotFound from None  # an address that names nothing
        return _answer(hub, asked)

    def by_password() -> Response:
        presented = present(request.environ, trusted)
        if not isinstance(presented, Basic):
            raise Unauthenticated("send the export token as the password of HTTP Basic, with any user name")
        remote = remote_address(request.environ, trusted)
        return _answer(hub, export_tokens.opened(hub, presented.password, remote=remote))

    def by_credential(slug: str, format_: str) -> Response:
        caller = identify(request.environ, hub, trusted)
        given = dict(_parameters())
        collection = given.pop("collection", None)
        return _answer(hub, Asked(caller, slug, collection, format_, read_texts(given)))

    app.add_url_rule("/exports/", "exports", by_password, methods=METHODS)
    app.add_url_rule("/exports/<token>", "export", by_path, methods=METHODS)
    app.add_url_rule("/exports/<token>/<name>", "export as", by_path, methods=METHODS)
    app.add_url_rule("/exports/groups/<slug>/<format_>", "export of a group", by_credential, methods=METHODS)


def _parameters() -> Iterator[tuple[str, str]]:
    """Yield the parameters of the query. Raises InvalidRequest for one that means nothing or comes twice."""
    for name, texts in request.args.lists():
        if name != "collection" and name not in NAMES:
            raise InvalidRequest("there is no such parameter", field="query")
        if len(texts) != 1:
            raise InvalidRequest("give it once", field=name)
        yield name, texts[0]


def _answer(hub: Hub, asked: Asked) -> Response:
    """Return the export, or 304 when the client has it (RFC 9110 §13.1.2)."""
    g.caller = asked.caller  # for the line in the log
    coding = negotiate(request.headers.get("Accept-Encoding"))
    made = exports.make(hub, asked, known=_known(), packer=None if coding is None else packer(coding))
    if made.body is None:
        response = Response(status=304)
        del response.headers["Content-Type"]
    else:
        response = _whole(hub, asked, made, made.body, coding)
    response.set_etag(made.digest, weak=True)  # what differs between two of one tag is when they were made
    response.last_modified = datetime.fromtimestamp(made.changed_at // 1_000_000, UTC)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Accept-Encoding")
    return response


def _whole(hub: Hub, asked: Asked, made: Made, body: IO[bytes], coding: str | None) -> Response:
    if request.method == "HEAD":
        response = Response(status=200, content_type=made.format.media_type)
        body.close()
    else:
        exports.note(hub, made, asked.caller)
        response = Response(_pieces(body), 200, content_type=made.format.media_type)
        response.call_on_close(body.close)
    # The length is known before the first byte goes out: a client sees when something is missing at the end.
    response.headers["Content-Length"] = str(made.size)
    if coding is not None:
        response.headers["Content-Encoding"] = coding
    name = f"{made.place.replace('/', '-')}-{asked.format}.{made.format.extension}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if made.account is not None:
        response.headers["X-Cybex-Entries"] = str(made.account.entries)
        response.headers["X-Cybex-Left-Out"] = str(sum(made.account.left_out.values()))
    return response


def _pieces(body: IO[bytes]) -> Iterator[bytes]:
    while piece := body.read(_CHUNK):
        yield piece


def _known() -> frozenset[str]:
    """Return the entity tags that the client has."""
    given = request.if_none_match.as_set(include_weak=True)
    return frozenset(sorted(given)[:_MOST_TAGS])
