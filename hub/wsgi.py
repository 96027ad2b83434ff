"""The WSGI application, for granian's processes (`load`) and for any other server that wants a factory (`create`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hub import config
from hub.bootstrap import open_hub
from hub.config import Settings
from hub.services import deliveries, event_log, garbage, measures
from hub.services.context import Hub
from hub.services.parent_process import end_with_parent
from hub.web.app import create_app
from hub.web.kept_requests import KeptRequests


class Edge:
    """The outermost layer: what the server itself put into the environ goes no further.

    granian copies the process's environment into every environ: a variable ``HTTP_CLIENT_CERT`` would look like a
    header, and an error page of some library could print a database password. And a ``Client-Cert`` header is dropped
    unless the operator has said that his proxy sets it: a proxy that does not know the header passes on a forged one.
    """

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._inherited = config.forget_header_names()
        self._keeps_certificate = settings.server.client_certificate_header != "none"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        for name in self._inherited:
            environ.pop(name, None)
        if not self._keeps_certificate:
            environ.pop("HTTP_CLIENT_CERT", None)
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


def application(settings: Settings) -> Edge:
    """Return the application of the hub with these settings; opens its database."""
    return _opened(settings)[1]


def _opened(settings: Settings) -> tuple[Hub, Edge]:
    event_log.configure(settings.log.format, settings.log.level)
    measures.meters()  # now, so that the first request does not wait for it
    hub = open_hub(settings, prepared=True)
    deliveries.write_behind(hub)
    return hub, Edge(create_app(hub), settings)


def load(settings: Settings) -> KeptRequests:
    """Return what answers inside a process that `cybex serve` has started, and that ends when that does."""
    end_with_parent()
    hub, application = _opened(settings)
    garbage.settle()
    return KeptRequests(application, hub, sys.stderr)


def create(data: Path | None = None) -> Edge:
    """Return the application of the hub in CYBEX_DATA: ``granian --interface wsgi --factory hub.wsgi:create``."""
    return application(config.load(data))
