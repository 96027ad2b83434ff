"""One run of one connector: alone in its folder, bounded in time, recorded whatever becomes of it."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.sdk import hub_side, limits, outcome, reporting
from connectors.sdk.breaker import State
from connectors.sdk.config import Connector
from connectors.sdk.exchange import Tools
from connectors.sdk.http import sessions
from connectors.sdk.hub_side import HubSide
from connectors.sdk.inbound import Inbound
from connectors.sdk.kind import ConnectorError
from connectors.sdk.ledger import Ledger
from connectors.sdk.outbound import Outbound
from connectors.sdk.result import Result
from connectors.sdk.state import OWN, Folder, Status
from hub.client.transport import RemoteError
from hub.errors import ConfigError, CybexError

TELL_SECONDS: Final = 10.0
TIMED_OUT: Final = 75
"""Exit code of a run that took too long (EX_TEMPFAIL of sysexits.h)."""

Notice = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How one run differs from the configured ones.

    :param retry_refused: try once more what was refused, and nothing else.
    """

    max_bytes: int | None = None
    retry_refused: bool = False


def run(connector: Connector, *, notice: Notice, options: Options | None = None) -> dict[str, Any]:
    """Return the record of a run, which is on disk and told to the hub; ``outcome`` is ``ok`` or ``failed``.

    Killed at any moment, the next run goes on. It kills this process after ``max_seconds``, recorded as a failure.

    :raises Conflict: the connector is running already. :raises ConfigError: its folder cannot be used.
    """
    folder = Folder(connector.folder)
    folder.make()
    with folder.locked():
        start = hub_side.clock()
        before = folder.status()
        begun = msgspec.structs.replace(
            before, state=State.RUNNING, run=str(uuid.uuid4()), started_at=start, finished_at=None
        )
        folder.save(begun)
        _tell(connector, begun, None, notice)
        watch = _watch(folder, begun, connector.table.max_seconds)
        result = Result()
        error: str | None = None
        try:
            _work(connector, folder, result, notice, options or Options())
        except CybexError as failure:
            error = _shown(failure)
        except (Exception, SystemExit) as failure:  # noqa: BLE001 - somebody else's program may raise anything
            error = f"the connector has a fault: {type(failure).__name__} in {_where(failure)}"
        except KeyboardInterrupt:
            outcome.stopped(folder, now=hub_side.clock())
            raise
        finally:
            watch.cancel()
        record = record_of(connector, begun, result, error)
        ended = outcome.after(begun, result, error, hub_side.clock(), hub_side.jitter())
        folder.keep_run(record)
        folder.save(ended)
        untold = _tell(connector, ended, record, notice)
        if untold is not None:
            notice(f"the hub could not be told of this run: {untold}")
        return record


def _work(connector: Connector, folder: Folder, result: Result, notice: Notice, options: Options) -> None:
    max_bytes = options.max_bytes or connector.table.max_bytes
    hub = hub_side.connect(connector, folder.path, clock=hub_side.clock, notice=notice)
    tools = tools_of(connector, hub, folder.path / OWN, notice)
    with open_ledger(folder.path) as ledger:
        if connector.table.direction == "in":
            inbound = Inbound(hub, ledger, result, max_bytes=max_bytes, notice=notice)
            if options.retry_refused:
                inbound.retry()
            elif connector.kind.source is not None:
                inbound.run(connector.kind.source(connector.settings, tools))
            return
        outbound = Outbound(hub, ledger, result, max_bytes=max_bytes, notice=notice)
        if connector.kind.target is not None:
            target = connector.kind.target(connector.settings, tools)
            (outbound.retry if options.retry_refused else outbound.run)(target)


def tools_of(connector: Connector, hub: HubSide, own: Path, notice: Notice) -> Tools:
    """Return what the runner lends a connector. :param own: the folder that is its own."""
    return Tools(
        identity=hub.identity,
        clock=hub_side.clock,
        session=sessions(connector, notice),
        folder=own,
        base=connector.base,
        progress=notice,
    )


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Give the memory in a folder, closed at the end."""
    ledger = Ledger(path)
    try:
        yield ledger
    finally:
        ledger.close()


def _watch(folder: Folder, begun: Status, seconds: int) -> threading.Timer:
    """Return a timer, running, that ends this process when the run has taken too long: no call can be trusted to end.

    What was posted is kept by every step, so nothing is lost and nothing comes twice.
    """

    def end() -> None:
        why = f"it took longer than {seconds} s and was ended; raise max_seconds if it has to"
        folder.save(outcome.failed(begun, why, hub_side.clock(), hub_side.jitter()))
        os._exit(TIMED_OUT)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer


def record_of(connector: Connector, begun: Status, result: Result, error: str | None) -> dict[str, Any]:
    """Return the record of a run that ends now."""
    return {
        "run": begun.run,
        "name": connector.name,
        "kind": connector.table.kind,
        "direction": connector.table.direction,
        "target": connector.target,
        "started_at": begun.started_at,
        "finished_at": hub_side.clock(),
        "outcome": "ok" if error is None else "failed",
        "error": None if error is None else error[: limits.ERROR_LENGTH],
        **result.to_json(),
    }


def _tell(connector: Connector, how: Status, record: Mapping[str, Any] | None, notice: Notice) -> str | None:
    """Tell the hub, once: who waits for a hub that is down delays the next run."""
    try:
        transport = hub_side.session(connector, notice)
        transport.timeout, transport.sleep = TELL_SECONDS, _do_not_wait
        return reporting.tell(transport, connector, how, record)
    except CybexError as error:
        return error.detail


def _do_not_wait(seconds: float) -> None:
    del seconds
    raise RemoteError("it is busy, or cannot be reached")


def _shown(error: CybexError) -> str:
    where = f"{error.field}: " if error.field else ""
    kind = "" if isinstance(error, ConnectorError | ConfigError) else f"{error.title}: "
    text = f"{kind}{where}{error.detail or error.title}"
    return "".join(char for char in text if char.isprintable())


def _where(error: BaseException) -> str:
    """Return the file and line of a fault: enough for its author, and nothing of what it was working on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "an unknown place" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
