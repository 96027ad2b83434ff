"""TAXII 2.1 over HTTP: one file per group of resources; nothing here knows SQL, policy or STIX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Flask, Response, request

from hub.domain.media_type import TAXII
from hub.services.context import Hub
from hub.web.credentials import identify
from hub.web.origin import TrustedProxies
from hub.web.taxii import api_root, collections, discovery, manifest, objects, status, versions
from hub.web.taxii import object as single
from hub.web.taxii.call import Call
from hub.web.turn import turn

View = Callable[..., Response]

_COLLECTION: Final = "/<slug>/collections/<ref>/"
ROUTES: Final[tuple[tuple[str, dict[str, View]], ...]] = (
    ("/taxii2/", {"GET": discovery.get}),
    ("/<slug>/", {"GET": api_root.get}),
    ("/<slug>/status/<uuid>/", {"GET": status.get}),
    ("/<slug>/collections/", {"GET": collections.get_all}),
    (_COLLECTION, {"GET": collections.get}),
    (_COLLECTION + "manifest/", {"GET": manifest.get}),
    (_COLLECTION + "objects/", {"GET": objects.get, "POST": objects.post}),
    (_COLLECTION + "objects/<oid>/", {"GET": single.get, "DELETE": single.delete}),
    (_COLLECTION + "objects/<oid>/versions/", {"GET": versions.get}),
)
"""Every TAXII endpoint and its methods (TAXII 2.1 §4, §5); HEAD and OPTIONS follow from them."""


def register(app: Flask, hub: Hub) -> None:
    """Serve TAXII 2.1 from the app: each view is called once its caller is known."""
    trusted = TrustedProxies(hub.trusted_proxies)

    def authenticated(views: dict[str, View]) -> View:
        def answer(method: str, path: dict[str, Any]) -> Response:
            call = Call(hub, identify(request.environ, hub, trusted), request, trusted)
            with turn(hub, call.caller):
                return views[method](call, **path)

        def serve(**path: Any) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            if method == "OPTIONS":
                return _options(views)
            if method != "GET":
                return answer(method, path)
            with hub.db.one_snapshot():
                return answer(method, path)

        return serve

    for rule, views in ROUTES:
        app.add_url_rule(rule, endpoint=f"taxii {rule}", view_func=authenticated(views), methods=[*views, "OPTIONS"])


def _options(views: dict[str, View]) -> Response:
    """Return which methods a resource has; it is the same for everybody, so nobody needs to be asked who he is."""
    allowed = sorted({*views, "HEAD", "OPTIONS"})
    return Response(b"", 200, headers={"Allow": ", ".join(allowed)}, content_type=TAXII)
