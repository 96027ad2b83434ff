"""What a client talks to: a server that says what the test wrote down, or a real hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.client.transport import Login, Transport
from hub.store.database import Database
from tests.client.hub_server import HubServer, hub_server
from tests.client.scripted_server import ScriptedServer, scripted_server


class Session:
    """A transport that waits for nothing, and a list of what it would have waited and said."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.said: list[str] = []
        self.transport = Transport(
            Login(token="secret-token"),
            sleep=self.waited.append,
            notice=self.said.append,
            timeout=10,
        )


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A scripted server."""
    with scripted_server() as served:
        yield served


@pytest.fixture
def session() -> Session:
    """A transport with a token."""
    return Session()


@pytest.fixture
def running(sqlite_url: str) -> Iterator[HubServer]:
    """A hub with the peers aa, bb (members of alpha) and cc (of nothing)."""
    database = Database.open(sqlite_url)
    with hub_server(database) as served:
        yield served
    database.close()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the environment of whoever runs the tests out of them."""
    for name in ("URL", "TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"CYBEX_CLIENT_{name}", raising=False)
