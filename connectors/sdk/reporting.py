"""How a connector is, told to its hub, so that both sides see it. What cannot be told stops no run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from connectors.sdk.config import Connector
from connectors.sdk.state import Status
from hub.client.api import JSON, api_address
from hub.client.transport import RemoteError, Transport
from hub.domain import limits
from hub.domain.report_bounds import shortened
from hub.domain.taxii_time import format_timestamp


def status(transport: Transport, connector: Connector, how: Status) -> None:
    """Tell the hub how a connector is. Raises RemoteError."""
    body = {
        "kind": connector.table.kind,
        "direction": connector.table.direction,
        "target": connector.target,
        "every_seconds": connector.every_seconds,
        "state": how.state.value,
        "started_at": _instant(how.started_at),
        "finished_at": _instant(how.finished_at),
        "last_success_at": _instant(how.last_success_at),
        "last_error": how.last_error,
        "failures": how.failures,
        "retry_at": _instant(how.retry_at),
        "lag_seconds": how.lag_seconds,
    }
    transport.put(_place(connector), orjson.dumps(body), content_type=JSON, accept=JSON)


def run(transport: Transport, connector: Connector, record: Mapping[str, Any]) -> None:
    """Tell the hub of a run that is over; the same run counts once. Raises RemoteError."""
    body = {
        "run": record["run"],
        "started_at": _instant(record["started_at"]),
        "finished_at": _instant(record["finished_at"]),
        "outcome": record["outcome"],
        "objects": record["objects"],
        "withdrawn": record["withdrawn"],
        "refused": record["refused"],
        "error": record["error"],
        "report": shortened(record["report"], lines=limits.CONNECTOR_REPORT_LINES),
    }
    transport.post(f"{_place(connector)}/runs", orjson.dumps(body), content_type=JSON, accept=JSON)


def tell(transport: Transport, connector: Connector, how: Status, record: Mapping[str, Any] | None) -> str | None:
    """Tell the hub both; return why it could not be told, None when it was."""
    try:
        status(transport, connector, how)
        if record is not None:
            run(transport, connector, record)
    except RemoteError as error:
        return error.detail
    return None


def _place(connector: Connector) -> str:
    return f"{api_address(connector.api_root)}/connectors/{quote(connector.name, safe='')}"


def _instant(us: int | None) -> str | None:
    return None if us is None else format_timestamp(us)
