"""A server that speaks no HTTP of its own: a test writes the octets, one connection after the other."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Talk = Callable[[socket.socket, threading.Event], None]
"""Talks to one client until it has said all, or the event is set because the test is over."""


@dataclass
class RawServer:
    """Where it listens, and the requests' heads as they came."""

    port: int
    heads: list[bytes] = field(default_factory=list)


@contextmanager
def raw_server(talk: Talk, *, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve on a free loopback port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = RawServer(listener.getsockname()[1])
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                try:
                    secured = tls.wrap_socket(line, server_side=True) if tls else line
                    with secured:
                        served.heads.append(_head(secured))
                        talk(secured, over)
                except OSError:  # the client has had enough
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield served
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _head(line: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = line.recv(65536)
        if not piece:
            break
        head += piece
    return head


def drip(octet: bytes) -> Talk:
    """Send one octet again and again, faster than any time limit of a single read."""

    def talk(line: socket.socket, over: threading.Event) -> None:
        while not over.wait(0.01):
            line.sendall(octet)

    return talk


def says(octets: bytes) -> Talk:
    """Send these octets and hang up."""
    return lambda line, _: line.sendall(octets)
