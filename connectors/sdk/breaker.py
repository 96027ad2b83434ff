"""When a connector that failed is tried again: ever later, up to a bound, and never all of them at the same moment.

Pure: time and jitter are arguments.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from connectors.sdk import limits

SECOND = 1_000_000


class State(StrEnum):
    """How a connector is."""

    NEW = "new"  # it has never run
    RUNNING = "running"
    OK = "ok"
    FAILING = "failing"  # the last run failed, and it is tried again soon
    PAUSED = "paused"  # it failed so often that a person should look; it is tried again, rarely


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is remembered between attempts.

    :param failures: in a row. :param retry_at: microseconds since the epoch; None when nothing stands in the way.
    """

    failures: int = 0
    retry_at: int | None = None

    @property
    def state(self) -> State:
        """What this is called."""
        if self.failures == 0:
            return State.OK
        return State.PAUSED if self.failures >= limits.PAUSED_AFTER else State.FAILING

    def closed(self, now: int) -> bool:
        """Say whether an attempt may be made."""
        return self.retry_at is None or now >= self.retry_at

    def succeeded(self) -> Breaker:
        """Return what holds after a run that did its work."""
        return Breaker()

    def failed(self, now: int, *, jitter: float, wait: float | None = None) -> Breaker:
        """Return what holds after a run that failed.

        :param jitter: from 0 to 1; the wait is between a half and the whole of what the failures call for.
        :param wait: seconds that the other side asked for (Retry-After); believed as far as the bound.
        """
        failures = self.failures + 1
        longest = min(limits.BACKOFF_SECONDS_MAX, limits.BACKOFF_SECONDS * 2 ** min(failures - 1, 20))
        seconds = longest * (0.5 + 0.5 * min(max(jitter, 0.0), 1.0))
        if wait is not None:
            seconds = max(seconds, min(wait, limits.BACKOFF_SECONDS_MAX))
        return Breaker(failures, now + round(seconds * SECOND))


def stagger(name: str, every_us: int) -> int:
    """Return the first wait of a connector in microseconds, so that those of one interval do not start together.

    The same name always waits as long: a restart of the worker does not shift everything.
    """
    spread = min(every_us, 60 * SECOND)
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    return spread * place >> 32
