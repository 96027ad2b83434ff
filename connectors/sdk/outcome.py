"""How a connector is after a run: what a success ends and what a failure adds to."""

from __future__ import annotations

from typing import Final

import msgspec

from connectors.sdk import limits
from connectors.sdk.breaker import State
from connectors.sdk.result import Result
from connectors.sdk.state import Folder, Status

SECOND: Final = 1_000_000


def after(begun: Status, result: Result, error: str | None, now: int, jitter: float) -> Status:
    """Return how a connector is once a run has ended.

    :param error: None for a run that did its work. :param now: microseconds since the epoch. :param jitter: 0 to 1.
    """
    counted = msgspec.structs.replace(
        begun,
        finished_at=now,
        objects=begun.objects + result.objects,
        withdrawn=begun.withdrawn + result.withdrawn,
        refused=begun.refused + result.refused,
    )
    if error is not None:
        return failed(counted, error, now, jitter)
    lag = 0 if result.complete else _since(begun.last_success_at, now)
    return msgspec.structs.replace(
        counted,
        state=State.OK,
        last_success_at=now if result.complete else begun.last_success_at,
        last_error=None,
        failures=0,
        retry_at=None,
        lag_seconds=lag,
    )


def failed(begun: Status, error: str, now: int, jitter: float) -> Status:
    """Return how a connector is once a run has failed."""
    breaker = begun.breaker.failed(now, jitter=jitter)
    return msgspec.structs.replace(
        begun,
        state=breaker.state,
        finished_at=now,
        last_error=error[: limits.ERROR_LENGTH],
        failures=breaker.failures,
        retry_at=breaker.retry_at,
        lag_seconds=_since(begun.last_success_at, now),
    )


def _since(success: int | None, now: int) -> int | None:
    return None if success is None else max(0, now - success) // SECOND


def interrupted(folder: Folder, why: str, *, since: int, now: int, jitter: float) -> None:
    """Record, for a run that ended without recording its end, that it failed.

    :param since: when its process was started: it may have ended before the run began. Both microseconds since the
        epoch.
    """
    status = folder.status()
    if (status.started_at or 0) < since:
        folder.save(
            failed(msgspec.structs.replace(status, started_at=since), f"it could not start: {why}", now, jitter)
        )
    elif status.state is State.RUNNING:
        folder.save(failed(status, why, now, jitter))


def stopped(folder: Folder, *, now: int) -> None:
    """Record, for a run that was ended together with its worker, that it is over; that is no failure of its own."""
    status = folder.status()
    if status.state is State.RUNNING:
        folder.save(msgspec.structs.replace(status, state=status.breaker.state, finished_at=now))
