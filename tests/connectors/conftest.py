"""What the runner lends a connector, without a runner: a clock that stands still, a folder, sessions without a network.

``tools`` is a `connectors.sdk.exchange.Tools`; ``sessions`` holds the answers of a world that does not exist;
``clock.now`` moves the time.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

from connectors.sdk.exchange import Tools

IDENTITY = "identity--0c1f3c43-3f0b-4b9f-9c4e-0a7d1a4b9a11"
"""The peer in whose name the connector publishes."""

START = 1_795_348_800_000_000
"""2026-11-22T12:00:00Z in microseconds."""


class Clock:
    """A clock that stands still until a test moves it. Microseconds since the epoch, UTC."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


Answer = tuple[int, bytes, Mapping[str, str]]
Handler = Callable[[requests.PreparedRequest], Answer]


@dataclass
class Sessions(HTTPAdapter):
    """The factory in `Tools.session`: answers what a test has put in, and refuses every address but loopback.

    :param requests: what was asked, in order. :param bases: the addresses a session was asked for.
    """

    handlers: dict[tuple[str, str], Handler] = field(default_factory=dict)
    requests: list[requests.PreparedRequest] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __call__(self, base: str) -> requests.Session:
        """Return a session that is answered from here."""
        self.bases.append(base)
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", self)
        session.mount("https://", self)
        return session

    def answer(
        self, url: str, body: Any = b"", *, method: str = "GET", status: int = 200, headers: Mapping[str, str] = {}
    ) -> None:
        """Answer this from now on; JSON for anything that is not octets."""
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.handlers[(method, url)] = lambda _: (status, octets, headers)

    def handle(self, url: str, handler: Handler, *, method: str = "GET") -> None:
        """Let a function answer this from now on."""
        self.handlers[(method, url)] = handler

    def send(  # type: ignore[override] # the options of a real connection do not matter here
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Answer a request: by its whole URL, else by the URL without its query, else over loopback."""
        self.requests.append(request)
        url, method = str(request.url), str(request.method)
        handler = self.handlers.get((method, url)) or self.handlers.get((method, url.partition("?")[0]))
        if handler is not None:
            status, body, headers = handler(request)
            raw = HTTPResponse(io.BytesIO(body), headers=dict(headers), status=status, preload_content=False)
            return self.build_response(request, raw)
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise requests.ConnectionError(f"no test has an answer for {method} {url}")
        return super().send(request, **options)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def sessions() -> Sessions:
    """The world that a connector's requests meet."""
    return Sessions()


@pytest.fixture
def told() -> list[str]:
    """What a connector has said about its progress."""
    return []


@pytest.fixture
def tools(clock: Clock, sessions: Sessions, told: list[str], tmp_path: Path) -> Tools:
    """Everything a connector touches the world with; relative paths of settings start at ``tmp_path``."""
    folder = tmp_path / "connector-state"
    folder.mkdir(mode=0o700)
    return Tools(identity=IDENTITY, clock=clock, session=sessions, folder=folder, base=tmp_path, progress=told.append)
