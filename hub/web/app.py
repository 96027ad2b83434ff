"""The WSGI application: which parts it has, and in which order they see a request and its answer."""

from __future__ import annotations

from flask import Flask

from hub.services.context import Hub
from hub.web import (
    api,
    compression,
    errors,
    exports,
    health,
    relay,
    request_log,
    schemas,
    security_headers,
    taxii,
    tlog,
)
from hub.web.paths import TidyPaths


def create_app(hub: Hub) -> Flask:
    """Return the application of one hub; it keeps no state of its own, so any number of processes may serve it."""
    app = Flask("hub.web", static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False  # both would answer with redirects; see hub.web.paths
    app.url_map.strict_slashes = False
    errors.register(app, hub)
    request_log.register(app, hub)  # before the others: its line then says what is really sent
    compression.register(app)
    security_headers.register(app, hub.public_url)
    for part in (health, schemas, tlog, exports, relay, taxii, api):
        part.register(app, hub)
    app.wsgi_app = TidyPaths(app.wsgi_app, hub)  # type: ignore[method-assign] # the way Flask documents it
    return app
