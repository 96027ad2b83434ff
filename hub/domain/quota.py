"""What a peer may hand in within an hour, and how an answer says it (draft-ietf-httpapi-ratelimit-headers).

The header fields are those of the drafts from -08 on: ``RateLimit-Policy`` and ``RateLimit``, one item for each bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOUR_US: Final = 3600 * 1_000_000

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """Objects, and octets of decoded bodies."""

    objects: int = 0
    octets: int = 0

    def plus(self, other: Amount) -> Amount:
        """Return the sum."""
        return Amount(self.objects + other.objects, self.octets + other.octets)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a peer may hand in within the hour, and what it has.

    :param seconds: until the hour is over and it may hand in as much again.
    """

    bound: Amount
    used: Amount
    seconds: int

    @property
    def left(self) -> Amount:
        """What it may still hand in."""
        return Amount(max(0, self.bound.objects - self.used.objects), max(0, self.bound.octets - self.used.octets))

    def exceeded_by(self, more: Amount) -> str | None:
        """Return the name of the bound that so much more would exceed, ``objects`` or ``octets``; None when it fits."""
        after = self.used.plus(more)
        if more.octets and after.octets > self.bound.octets:
            return "octets"
        return "objects" if more.objects and after.objects > self.bound.objects else None

    def after(self, objects: int, octets: int) -> Standing:
        """Return how it stands with so much more."""
        return Standing(self.bound, self.used.plus(Amount(objects, octets)), self.seconds)

    def headers(self) -> Headers:
        """Return the header fields that tell a client its bounds, and what is left of them."""
        window, left = HOUR_US // 1_000_000, self.left
        policy = f'"objects";q={self.bound.objects};qu="objects";w={window}, ' + (
            f'"octets";q={self.bound.octets};qu="content-bytes";w={window}'
        )
        now = f'"objects";r={left.objects};t={self.seconds}, "octets";r={left.octets};t={self.seconds}'
        return (("RateLimit-Policy", policy), ("RateLimit", now))


def hour_of(now: int) -> int:
    """Return the number of the hour, counted from the epoch, of microseconds since the epoch."""
    return now // HOUR_US


def seconds_left(now: int) -> int:
    """Return the whole seconds until the next hour begins, at least 1."""
    return max(1, -(-(HOUR_US - now % HOUR_US) // 1_000_000))
