"""A tiny real HTTP server that answers what a test wrote down, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TAXII = "application/taxii+json;version=2.1"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer. ``cut`` promises more octets than it sends, and hangs up."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


Script = Callable[[Asked], Reply]


def envelope(*objects: Mapping[str, Any], dates: tuple[str, str] | None = None, **more: Any) -> Reply:
    """Return a page of objects with the dates of its first and last one."""
    headers = {"Content-Type": TAXII}
    if dates is not None:
        headers |= {"X-TAXII-Date-Added-First": dates[0], "X-TAXII-Date-Added-Last": dates[1]}
    body = dict(more) | ({"objects": [dict(one) for one in objects]} if objects else {})
    return Reply(200, json.dumps(body).encode(), headers)


@dataclass
class ScriptedServer:
    """Answers by its script: a function, or replies one after the other, the last one for ever."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    script: Script = lambda _: Reply()

    def replies(self, *replies: Reply) -> None:
        """Give these answers in turn."""
        left = list(replies)
        self.script = lambda _: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Serve on a free loopback port until the block ends."""
    served = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            names = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, names, self.rfile.read(length))
            served.asked.append(asked)
            reply = served.script(asked)
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + reply.cut))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = reply.cut

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
