"""A real hub behind a real socket for the client's tests: two peers in a group that requires signatures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from wsgiref.types import WSGIApplication

import structlog
from werkzeug.serving import WSGIRequestHandler, make_server

from hub.client import keyfile
from hub.domain.key_material import PrivateKey
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import credentials, groups, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.store.database import Database
from hub.web.app import create_app
from tests.services.cast import make_hub

EVER = 1_000_000_000_000_000
"""Keys are valid from 2001 on, so that tests may sign at any time since."""


@dataclass
class HubServer:
    """The hub, where it answers, and what its peers log in and sign with."""

    hub: Hub
    base_url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    identity: dict[str, str] = field(default_factory=dict)
    keys: dict[str, PrivateKey] = field(default_factory=dict)

    @property
    def api_root(self) -> str:
        return f"{self.base_url}alpha/"

    def key_file(self, handle: str, directory: Path) -> Path:
        """Write a peer's key with the public part beside it, as `cybex key new` does."""
        path = directory / f"{handle}.pem"
        keyfile.write(path, self.keys[handle])
        keyfile.write_public(path, self.keys[handle], self.identity[handle])
        return path

    def token_file(self, handle: str, directory: Path) -> Path:
        """Write a peer's token."""
        path = directory / f"{handle}.token"
        path.write_text(self.tokens[handle] + "\n")
        return path


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hub_server(
    database: Database, served: Callable[[WSGIApplication, Hub], WSGIApplication] = lambda app, hub: app
) -> Iterator[HubServer]:
    """Make the peers in an empty, migrated database and serve until the block ends.

    :param served: makes what answers out of the hub's own application.
    """
    hub = replace(make_hub(database), clock=lambda: time.time_ns() // 1000)
    made = HubServer(hub)
    peers.add(hub, OPERATOR, handle="hub", name="The hub", kind=PeerKind.HUB)
    groups.add(hub, OPERATOR, slug="alpha", title="Alpha")
    for handle in ("aa", "bb", "cc"):
        made.identity[handle] = peers.add(hub, OPERATOR, handle=handle, name=handle, kind=PeerKind.NATIONAL).identity
        made.keys[handle] = keyfile.generate()
        keys.enrol(hub, OPERATOR, handle, public_key=made.keys[handle].public.text, valid_from=EVER)
        issued = credentials.add(hub, OPERATOR, handle, kind=CredentialKind.BEARER, role=Role.FEED, label="test")
        assert issued.secret is not None
        made.tokens[handle] = issued.secret
    for handle in ("aa", "bb"):
        members.put(hub, OPERATOR, "alpha", handle, {Right.READ, Right.WRITE})
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # commands print where it would log
    server = make_server("127.0.0.1", 0, served(create_app(hub), hub), threaded=True, request_handler=_Quiet)
    made.base_url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        structlog.reset_defaults()
