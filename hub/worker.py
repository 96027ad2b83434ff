"""The worker: does what requests left behind, one piece after the other, until it is told to stop.

It may be killed at any moment: every piece is done again by whoever comes next, and changes nothing twice.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from hub.bootstrap import clock, open_hub, partner_opener
from hub.config import Settings
from hub.domain import limits
from hub.errors import CybexError, LogInconsistent
from hub.services import checkpoints, deliveries, event_log, garbage, links, retention, work
from hub.services.context import Hub
from hub.services.parent_process import STOP_SECONDS, end_with_parent
from hub.services.relay import keeping

log = structlog.get_logger()

SHORTEST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 2.0
"""Seconds between looks when there was nothing: a large envelope waits at most this long for its first chunk."""

PURGE_EVERY: Final = 3600.0

HEARTBEAT: Final = "worker.heartbeat"


def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, or until the process that started this one is gone; then return."""
    event_log.configure(settings.log.format, settings.log.level)
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    end_with_parent()
    hub = open_hub(settings)
    garbage.settle()
    if settings.embedded:  # one machine, one worker: what the last one was killed over need not wait for its lease
        log.info("worker.takes_over", envelopes=work.take_over(hub), links=links.take_over(hub))
    stop = threading.Event()
    settings.run.mkdir(parents=True, exist_ok=True)
    loops = [
        threading.Thread(target=_guarded, args=(hub, stop, settings.run / HEARTBEAT), name="work", daemon=True),
        threading.Thread(target=keep_checkpoints, args=(hub, stop), name="checkpoints", daemon=True),
    ]
    opened = partner_opener(settings)
    loops.append(threading.Thread(target=keeping.keep, args=(hub, stop, opened), name="links", daemon=True))
    if settings.connector:
        loops.append(threading.Thread(target=keep_connectors, args=(settings, stop), name="connectors", daemon=True))
    log.info("worker.started", pid=os.getpid())
    for loop in loops:
        loop.start()
    signal.sigwait(stops)
    stop.set()
    hub.wakeup.set()
    for loop in loops:
        loop.join(STOP_SECONDS)
    log.info("worker.stopped", finished=not any(loop.is_alive() for loop in loops))


def run(hub: Hub, stop: threading.Event, beat: Callable[[], None], run_once: Callable[[Hub], bool]) -> None:
    """Do one piece after the other; wait when there is none, longer each time; return once told to stop."""
    pause, purged = SHORTEST_WAIT, 0.0
    while not stop.is_set():
        beat()
        try:
            worked = run_once(hub)
            if not worked and time.monotonic() - purged >= PURGE_EVERY:
                work.purge(hub)
                deliveries.compact(hub)
                retention.run(hub)
                purged = time.monotonic()
        except Exception:  # a piece that fails must not end the work on all others
            log.exception("worker.failed")
            worked, pause = False, LONGEST_WAIT
        if worked:
            pause = SHORTEST_WAIT
            continue
        hub.wakeup.wait(pause)
        pause = min(pause * 2, LONGEST_WAIT)


def keep_checkpoints(hub: Hub, stop: threading.Event, seconds: float = limits.CHECKPOINT_SECONDS) -> None:
    """Sign what is new in the log every so many seconds, however long another piece of work takes, until told to stop.

    What fails is tried again; `cybex doctor` and the metrics show a checkpoint that grows old.
    """
    while not stop.wait(seconds):
        try:
            checkpoints.make(hub)
        except LogInconsistent as error:
            log.error("log.inconsistent", reason=error.detail)
        except Exception:
            log.exception("worker.checkpoint_failed")


def keep_connectors(settings: Settings, stop: threading.Event) -> None:
    """Run the connectors of ``hub.toml`` by their schedules, each run a process of its own, until told to stop."""
    from connectors.sdk import supervisor  # a hub without connectors loads none of it

    def problem(name: str, error: CybexError) -> None:
        log.error("connector.invalid", connector=name, field=error.field, reason=error.detail)

    made = supervisor.Supervisor(
        supervisor.configured(settings.connector, settings.file, problem),
        supervisor.command(settings.file),
        clock=clock,
        notice=lambda name, how: log.info("connector.ended", connector=name, how=how),
    )
    log.info("connector.scheduled", connectors=made.names)
    while not stop.wait(1.0):
        try:
            made.tick()
        except Exception:  # one look that fails must not end the schedule of all
            log.exception("connector.schedule_failed")
    made.stop(STOP_SECONDS / 2)


def _guarded(hub: Hub, stop: threading.Event, heartbeat: Path) -> None:
    """Run the loop; if it ends for any other reason than being told to, end the process too, to be started anew."""
    try:
        run(hub, stop, heartbeat.touch, work.run_once)
    finally:
        if not stop.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
