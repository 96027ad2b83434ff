"""Receivers of alerts on loopback: one for webhooks, which checks every signature, and one for syslog over TCP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@dataclass
class Received:
    """What arrived at a receiver. ``faults`` names requests whose signature is not right."""

    port: int = 0
    alerts: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    octets: bytes = b""


@contextmanager
def webhook_receiver() -> Iterator[Received]:
    """Give a receiver that checks what it gets as Standard Webhooks 1.0.0 says, and answers 204."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            name, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
            signed = f"{name}.{at}.".encode() + body
            digest = hmac.new(bytes(range(32)), signed, hashlib.sha256).digest()
            if self.headers["webhook-signature"] != "v1," + base64.b64encode(digest).decode():
                received.faults.append(name)
            received.alerts.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            del arguments

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler), received):
        yield received


@contextmanager
def syslog_receiver() -> Iterator[Received]:
    """Give a receiver that keeps the octets of every connection, one connection after the other."""
    received = Received()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            received.octets += self.rfile.read()

    with _serving(socketserver.TCPServer(("127.0.0.1", 0), Handler), received):
        yield received


@contextmanager
def _serving(server: socketserver.TCPServer, received: Received) -> Iterator[None]:
    received.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
