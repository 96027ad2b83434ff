"""`Tools.session`: the hardened sessions with which a connector reaches its system, as its configuration allows."""

from __future__ import annotations

from collections.abc import Callable

import requests

from connectors.sdk.config import Connector
from hub.client.outgoing import guarded_session


def sessions(connector: Connector, progress: Callable[[str], None]) -> Callable[[str], requests.Session]:
    """Return the factory for one connector; credentials are the connector's to add to a session, headers or auth."""
    network = connector.table.network
    certificate = None
    if network.certificate is not None and network.certificate_key is not None:
        certificate = (str(connector.path(network.certificate)), str(connector.path(network.certificate_key)))
    ca_file = None if network.ca is None else str(connector.path(network.ca))

    def session(base: str) -> requests.Session:
        return guarded_session(
            base=base,
            allow_private=network.allow_private,
            allow_http=network.allow_http,
            ca_file=ca_file,
            certificate=certificate,
            timeout=network.timeout,
            notice=progress,
        )

    return session
