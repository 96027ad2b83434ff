"""A line between hubs that records what crosses it, and drops connections: at once, in the middle, or once it is late.

It stands in front of one hub. Which connections it drops, and where, is left to a seeded chance.
"""

from __future__ import annotations

import random
import select
import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import zstandard

Fault = Literal["none", "at once", "in a request", "before an answer", "in an answer"]
DROPPING: Final[tuple[Fault, ...]] = ("at once", "in a request", "before an answer", "in an answer")
_CHUNK: Final = 65_536


@dataclass
class Carried:
    """What one connection has carried: octets of requests, and of answers as they came from the hub."""

    fault: Fault
    requests: bytearray = field(default_factory=bytearray)
    answers: bytearray = field(default_factory=bytearray)


class Line:
    """Listens on 127.0.0.1 and carries each connection to `port`, which may change while the hub behind is restarted.

    :param dropping: how many of the connections are dropped, from 0 to 1.
    """

    def __init__(self, port: int, seed: int = 1) -> None:
        self.port = port
        self.dropping = 0.0
        self.carried: list[Carried] = []
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The base of the hub behind it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def faults(self) -> dict[Fault, int]:
        """Return how many connections met which end."""
        return {fault: sum(one.fault == fault for one in self.carried) for fault in ("none", *DROPPING)}

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            fault = self._random.choice(DROPPING) if self._random.random() < self.dropping else "none"
            one = Carried(fault)
            self.carried.append(one)
            left = self._random.randrange(1, 20_000 if fault == "in a request" else 3_000)
            answers = self._random.randrange(1, 4)
            threading.Thread(target=self._carry, args=(client, one, left, answers), daemon=True).start()

    def _carry(self, client: socket.socket, one: Carried, left: int, answers: int) -> None:
        """Carry octets until one side ends it, or the fault comes: after so many octets, or before that answer."""
        with client:
            if one.fault == "at once":
                return
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as hub:
                    hub.settimeout(None)
                    self._pass_on(client, hub, one, left, answers)
            except OSError:
                return

    def _pass_on(self, client: socket.socket, hub: socket.socket, one: Carried, left: int, answers: int) -> None:
        asked = False
        while True:
            ready, _, _ = select.select([client, hub], [], [])
            for source in ready:
                octets = source.recv(_CHUNK)
                if not octets:
                    return
                if source is client:
                    one.requests += octets
                    asked = True
                    if one.fault == "in a request" and len(one.requests) > left:
                        hub.sendall(octets[: max(0, len(octets) - (len(one.requests) - left))])
                        return
                    hub.sendall(octets)
                    continue
                one.answers += octets
                answers -= asked
                asked = False
                if one.fault == "before an answer" and answers <= 0:
                    return
                if one.fault == "in an answer" and len(one.answers) > left:
                    client.sendall(octets[: max(0, len(octets) - (len(one.answers) - left))])
                    return
                client.sendall(octets)


def contents(stream: bytes) -> Iterator[bytes]:
    """Yield what a stream of HTTP messages holds: itself, and each packed body in it, as far as it can be unpacked."""
    yield stream
    for magic, unpacker in ((zstandard.FRAME_HEADER, _zstd), (b"\x1f\x8b\x08", _gzip)):
        place = stream.find(magic)
        while place >= 0:
            try:
                yield unpacker(stream[place:])
            except (zstandard.ZstdError, zlib.error):  # octets that only look like the beginning of one
                yield b""
            place = stream.find(magic, place + len(magic))


def _zstd(octets: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(octets)


def _gzip(octets: bytes) -> bytes:
    return zlib.decompressobj(wbits=31).decompress(octets)
