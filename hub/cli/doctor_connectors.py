"""What `cybex doctor` finds about the connectors of ``hub.toml``: what is not right, what fails, what is silent."""

from __future__ import annotations

from collections.abc import Iterator

from hub.cli.finding import Finding
from hub.config import Settings
from hub.errors import ConfigError

SILENT_RUNS = 3
"""Intervals without a run after which the worker seems not to run them."""


def connectors(settings: Settings, now: int) -> Iterator[Finding]:
    """Look at each connector that the worker should run. :param now: seconds since the epoch."""
    if not settings.connector:
        return
    from connectors.sdk import state, supervisor  # a hub without connectors loads none of it
    from connectors.sdk.breaker import SECOND, State

    problems: list[tuple[str, ConfigError]] = []
    found = supervisor.configured(settings.connector, settings.file, lambda name, error: problems.append((name, error)))
    for name, error in problems:
        yield Finding("connectors", "warn", f"{name}: {error.field}: {error.detail}", "mend it in hub.toml")
    well = 0
    for one in found:
        status = state.Folder(one.folder).status()
        every = one.every_seconds
        if one.table.enabled and status.state in (State.FAILING, State.PAUSED):
            text = f"{one.name} has failed {status.failures} times in a row: {status.last_error}"
            yield Finding("connectors", "warn", text, f"cybex connector check {one.name} --data {settings.data}")
        elif one.table.enabled and every is not None and _silent(status.started_at, every, now * SECOND):
            remedy = "cybex serve runs them on SQLite; elsewhere start cybex worker"
            yield Finding("connectors", "warn", f"{one.name} has not run for {SILENT_RUNS} intervals", remedy)
        else:
            well += 1
    if well:
        yield Finding("connectors", "ok", f"{well} of {len(settings.connector)} as they should be")


def _silent(started_at: int | None, every: int, now: int) -> bool:
    """Say whether a connector has not run for several intervals. Times are microseconds, the interval seconds."""
    return started_at is not None and now - started_at > SILENT_RUNS * every * 1_000_000
