"""The JSON API of operators, moderators, administrators and the console, at /api/v1.

The routes are made from the OpenAPI document; an operation without a handler, or the reverse, ends the start. Order of
checks: authenticate, path, Accept, query, Content-Type, size, body; then the service decides who may.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Response, request

from hub.domain.membership import Caller
from hub.domain.taxii_resources import to_bytes
from hub.services.context import Hub
from hub.web.api import (
    acknowledgements,
    agreements,
    collections,
    connectors,
    credentials,
    dead_letters,
    delivered,
    document,
    explain,
    exports,
    feedback,
    groups,
    key_directory,
    key_rotation,
    keys,
    links,
    log,
    members,
    object_paths,
    peers,
    preview,
    proposals,
    pseudonyms,
    quotas,
    receipts,
    records,
    relay_rights,
    retractions,
    signatures,
    strictness,
    whoami,
    withdrawals,
)
from hub.web.api.call import Call, Handler
from hub.web.api.document import Operation
from hub.web.credentials import identify
from hub.web.origin import TrustedProxies
from hub.web.turn import turn

BASE: Final = "/api/v1"
DOCUMENT: Final = "getOpenApiDocument"

HANDLERS: Final[dict[str, Handler]] = {
    **whoami.HANDLERS,
    **peers.HANDLERS,
    **quotas.HANDLERS,
    **credentials.HANDLERS,
    **keys.HANDLERS,
    **key_rotation.HANDLERS,
    **key_directory.HANDLERS,
    **groups.HANDLERS,
    **members.HANDLERS,
    **proposals.HANDLERS,
    **collections.HANDLERS,
    **relay_rights.HANDLERS,
    **records.HANDLERS,
    **explain.HANDLERS,
    **delivered.HANDLERS,
    **object_paths.HANDLERS,
    **preview.HANDLERS,
    **signatures.HANDLERS,
    **log.HANDLERS,
    **receipts.HANDLERS,
    **acknowledgements.HANDLERS,
    **pseudonyms.HANDLERS,
    **feedback.HANDLERS,
    **retractions.HANDLERS,
    **withdrawals.HANDLERS,
    **exports.HANDLERS,
    **connectors.HANDLERS,
    **agreements.HANDLERS,
    **links.HANDLERS,
    **dead_letters.HANDLERS,
}


def register(app: Flask, hub: Hub) -> None:
    """Serve the API from the app."""
    trusted = TrustedProxies(hub.trusted_proxies)
    operations = {operation.id: operation for operation in document.operations()}
    if operations.keys() != HANDLERS.keys() | {DOCUMENT}:
        raise AssertionError("the operations of openapi.json and the handlers of the API differ")

    def view(operation: Operation) -> Any:
        def serve(**path: str) -> Response:
            if not operation.secured:
                return Response(document.document_bytes(), content_type="application/json")
            return _answer(hub, trusted, operation, path)

        return serve

    for operation in operations.values():
        app.add_url_rule(
            operation.rule,
            endpoint=f"api {operation.id}",
            view_func=view(operation),
            methods=[operation.method],
            provide_automatic_options=False,
        )


def _answer(hub: Hub, trusted: TrustedProxies, operation: Operation, path: dict[str, str]) -> Response:
    caller = identify(request.environ, hub, trusted)
    with turn(hub, caller):
        return _answer_to(caller, hub, operation, path)


def _answer_to(caller: Caller, hub: Hub, operation: Operation, path: dict[str, str]) -> Response:
    names = strictness.path_values(operation, path)
    strictness.check_accept(request.headers.get("Accept"))
    query = strictness.query_values(operation, request)
    body = strictness.body_value(operation, request)
    answer = HANDLERS[operation.id](Call(hub, caller, names, query, body))
    response = Response(status=answer.status)
    if answer.body is not None:
        response.data = to_bytes(answer.body)
        response.content_type = "application/json"
    else:
        response.headers.pop("Content-Type", None)
    if answer.location is not None:
        response.location = BASE + answer.location
    if answer.digest is not None:
        response.set_etag(answer.digest)
        # To be kept by the one who asked, and asked for again each time: keys may be revoked at any moment.
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response
