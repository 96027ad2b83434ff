"""``/api/v1/relay/``: where a partner hub hands batches over and fetches them. For everybody else it does not exist.

Batches are larger than what the rest of the API takes and are kept as octets, so these routes are not of its document;
docs/relay.md describes them.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from hub.domain import limits
from hub.domain.canonical import parse
from hub.domain.membership import Peer
from hub.domain.taxii_resources import to_bytes
from hub.errors import InvalidRequest, UnsupportedMediaType
from hub.services.context import Hub
from hub.services.relay import giving, incoming
from hub.services.relay.incoming import OutOfStep
from hub.web import waiting
from hub.web.body import check_content_coding, read_body
from hub.web.credentials import identify
from hub.web.errors import error_response
from hub.web.origin import TrustedProxies

JSON: Final = "application/json"

ROUTES: Final = {
    "push": ("POST", "/api/v1/relay/push"),
    "batch": ("GET", "/api/v1/relay/batch"),
    "reports": ("POST", "/api/v1/relay/reports"),
}
"""Method and path of each request of the relay protocol."""


def register(app: Flask, hub: Hub) -> None:
    """Serve the relay from the app."""
    trusted = TrustedProxies(hub.trusted_proxies)

    def push() -> Response:
        via = incoming.partner(identify(request.environ, hub, trusted))
        body = _body(limits.RELAY_BODY_BYTES)
        try:
            taken = incoming.take(hub, via, body, how="push")
        except OutOfStep as error:
            return _out_of_step(hub, error)
        return Response(to_bytes(taken.answer()), content_type=JSON)

    def batch() -> Response:
        caller = identify(request.environ, hub, trusted)
        to = incoming.partner(caller)
        found = giving.next_batch(hub, to, _asked())
        if isinstance(found, bytes):
            return Response(found, content_type=JSON, headers={"Cache-Control": "no-store"})
        nothing = Response(status=204)
        nothing.headers.pop("Content-Type", None)
        return waiting.offer(hub, caller, found.collection_ids, nothing, empty=bool(found.collection_ids))

    def reports() -> Response:
        to: Peer = incoming.partner(identify(request.environ, hub, trusted))
        giving.take_reports(hub, to, giving.read_reports(parse(_body(limits.RELAY_BODY_BYTES))))
        done = Response(status=204)
        done.headers.pop("Content-Type", None)
        return done

    for name, view in (("push", push), ("batch", batch), ("reports", reports)):
        method, path = ROUTES[name]
        app.add_url_rule(path, f"relay {name}", view, methods=[method], provide_automatic_options=False)


def _body(most: int) -> bytes:
    if request.mimetype != JSON:
        raise UnsupportedMediaType("send application/json", field="Content-Type")
    check_content_coding(request.environ)
    return read_body(request.environ, most)


def _asked() -> giving.Asked:
    unknown = request.args.keys() - {"positions", "max_bytes"}
    if unknown:
        raise InvalidRequest("there is no such parameter; known are positions, max_bytes", field="query")
    given = request.args.get("max_bytes", str(limits.RELAY_BATCH_BYTES))
    if not (given.isascii() and given.isdecimal() and len(given) < 12 and int(given) > 0):
        raise InvalidRequest("it must be a whole number above 0", field="max_bytes")
    positions = giving.read_positions(request.args.get("positions", ""))
    return giving.Asked(positions, min(int(given), limits.RELAY_BATCH_BYTES))


def _out_of_step(hub: Hub, error: OutOfStep) -> Response:
    """Return the usual answer with the position beside it, so that the other hub knows where to go on."""
    response = error_response(hub, error, request.path)
    problem = response.get_json(force=True)
    response.set_data(to_bytes({**problem, "position": error.position}))
    return response
