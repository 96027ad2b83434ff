"""One line of `cybex doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

DAY: Final = 24 * 3600
EXPIRY_DAYS: Final = 21
"""A certificate or key that ends sooner than this is told of: enough for an exchange of keys between countries."""

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do when it is not well."""

    check: str
    level: Level
    text: str
    remedy: str = ""


def days_left(until: float, now: int) -> int:
    """Return how many whole days are left; negative when it is over. Seconds since the epoch."""
    return int((until - now) // DAY)


def expiry(days: int) -> Level:
    """Say how bad it is that something ends in so many days."""
    return "fail" if days < 0 else "warn" if days <= EXPIRY_DAYS else "ok"
