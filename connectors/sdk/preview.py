"""What a run would do, and whether it could: nothing is posted, handed over or written, here or there."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

from connectors.sdk import hub_side
from connectors.sdk.config import Connector
from connectors.sdk.exchange import Tools
from connectors.sdk.ledger import OBJECT, Ledger
from connectors.sdk.outbound import Outbound
from connectors.sdk.result import Result
from connectors.sdk.run import Notice, open_ledger, record_of, tools_of
from connectors.sdk.sealing import Sealer
from connectors.sdk.state import OWN, Status
from hub.errors import ConfigError


def preview(connector: Connector, *, notice: Notice, max_bytes: int | None = None) -> dict[str, Any]:
    """Return what a run would do, as a record; nothing is posted, handed over or written, here or there."""
    start = hub_side.clock()
    ledger = Ledger(None)
    if connector.folder.is_dir():
        with open_ledger(connector.folder) as kept:
            ledger = kept.copied()
    result = Result()
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch) / OWN
        if (connector.folder / OWN).is_dir():
            shutil.copytree(connector.folder / OWN, own)
        else:
            own.mkdir(mode=0o700)
        hub = hub_side.connect(connector, Path(scratch), clock=hub_side.clock, notice=notice)
        tools = tools_of(connector, hub, own, notice)
        if connector.table.direction == "in":
            _preview_source(connector, tools, Sealer(hub, ledger, result), max_bytes)
        else:
            Outbound(hub, ledger, result, max_bytes=max_bytes, notice=notice).preview()
    begun = Status(run=str(uuid.uuid4()), started_at=start)
    return record_of(connector, begun, result, None)


def check(connector: Connector, *, notice: Notice) -> list[tuple[str, str]]:
    """Return what was looked at and how it is, in pairs; the last one is the system itself. Changes nothing.

    :raises CybexError: at the first thing that is not well.
    """
    found = [("configuration", f"{connector.table.kind}, {connector.table.direction}, {connector.target}")]
    with tempfile.TemporaryDirectory() as scratch:
        hub = hub_side.connect(connector, Path(scratch), clock=hub_side.clock, notice=notice)
        found += hub.examined()
        tools = tools_of(connector, hub, Path(scratch), notice)
        if connector.kind.check is None:
            found.append(("system", "this kind has no check of its own; try cybex connector run --dry-run"))
        else:
            found.append(("system", connector.kind.check(connector.settings, tools)))
    return found


def _preview_source(connector: Connector, tools: Tools, sealer: Sealer, max_bytes: int | None) -> None:
    if connector.kind.source is None:
        raise ConfigError(f"the kind {connector.kind.name} has no direction in")
    ledger, result = sealer.ledger, sealer.result
    for incoming in connector.kind.source(connector.settings, tools).batches(ledger.bookmark):
        waiting, refusals = sealer.prepare(incoming)
        result.refuse(refusals)
        result.objects += sum(one.kind == OBJECT for one in waiting)
        result.withdrawn += sum(ledger.has(one) for one in incoming.withdrawn)
        result.octets += sum(len(one.body) for one in waiting)
        if max_bytes is not None and result.octets >= max_bytes:
            return
    result.complete = True
