"""Octets of bodies as they crossed the wire, packed, in both directions: what a thin link has to be paid for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """What was sent and received so far; heads of requests and answers, some 500 octets each, are not in it."""

    requests: int = 0
    sent: int = 0
    received: int = 0

    @property
    def octets(self) -> int:
        """Both directions together."""
        return self.sent + self.received

    def add(self, sent: int, received: int) -> None:
        """Count one request and its answer."""
        self.requests += 1
        self.sent += sent
        self.received += received

    def __str__(self) -> str:
        """Say it in a few words."""
        return f"{self.sent:,} octets sent, {self.received:,} received in {self.requests} requests"
