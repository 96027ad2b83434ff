"""/connectors: what a peer's connectors say of themselves, for the peer and for the operator."""

from __future__ import annotations

import json
from typing import Final

from hub.domain.taxii_time import parse_timestamp
from hub.errors import InvalidRequest
from hub.services import connectors as service
from hub.services.connectors import Reported
from hub.store.connectors import Connector, Run
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page
from hub.web.api.resources import Resource, instant


def get_all(call: Call) -> Answer:
    """List connectors by peer and name."""
    return page(call, service.listed(call.hub, call.caller), _name, lambda row: connector(row, call.hub.clock()))


def get(call: Call) -> Answer:
    """Show one connector."""
    found = service.shown(call.hub, call.caller, call.path["connector"], call.text("peer"))
    return Answer(connector(found, call.hub.clock()))


def put(call: Call) -> Answer:
    """Take in how a connector is."""
    given, name = call.body, call.path["connector"]
    said = Reported(
        kind=given["kind"],
        direction=given["direction"],
        target=given["target"],
        every_seconds=given["every_seconds"],
        state=given["state"],
        started_at=call.instant("started_at"),
        finished_at=call.instant("finished_at"),
        last_success_at=call.instant("last_success_at"),
        last_error=given["last_error"],
        failures=given["failures"],
        retry_at=call.instant("retry_at"),
        lag_seconds=given["lag_seconds"],
    )
    found, new = service.report(call.hub, call.caller, name, said)
    shown = connector(found, call.hub.clock())
    return Answer(shown, 201, f"/connectors/{name}") if new else Answer(shown)


def delete(call: Call) -> Answer:
    """Forget a connector."""
    service.forget(call.hub, call.caller, call.path["connector"], call.text("peer"))
    return Answer(None, 204)


def get_runs(call: Call) -> Answer:
    """List the last runs, the newest first; there are never more than the hub keeps."""
    found = service.runs(call.hub, call.caller, call.path["connector"], call.text("peer"))
    return Answer({"items": [summary(one) for one in found], "more": False})


def get_run(call: Call) -> Answer:
    """Show one run with its report."""
    path = call.path
    return Answer(run(service.run(call.hub, call.caller, path["connector"], call.text("peer"), path["run"])))


def post_run(call: Call) -> Answer:
    """Take in what a run did."""
    given, name = call.body, call.path["connector"]
    said = Run(
        uuid=given["run"],
        started_at=_instant(given["started_at"], "started_at"),
        finished_at=_instant(given["finished_at"], "finished_at"),
        outcome=given["outcome"],
        objects=given["objects"],
        withdrawn=given["withdrawn"],
        refused=given["refused"],
        error=given["error"],
        report=service.report_bytes(given["report"]),
    )
    kept, new = service.add_run(call.hub, call.caller, name, said)
    return Answer(run(kept), 201, f"/connectors/{name}/runs/{kept.uuid}") if new else Answer(run(kept))


def connector(row: Connector, now: int) -> Resource:
    """Return a connector as it last reported itself."""
    return {
        "peer": row.peer,
        "name": row.name,
        "id": service.public_id(row),
        "kind": row.kind,
        "direction": row.direction,
        "target": row.target,
        "every_seconds": row.every_seconds,
        "state": row.state,
        "overdue": service.overdue(row, now),
        "created_at": instant(row.created_at),
        "started_at": instant(row.started_at),
        "finished_at": instant(row.finished_at),
        "last_success_at": instant(row.last_success_at),
        "last_error": row.last_error,
        "failures": row.failures,
        "retry_at": instant(row.retry_at),
        "lag_seconds": row.lag_seconds,
        "objects": row.objects,
        "withdrawn": row.withdrawn,
        "refused": row.refused,
    }


def summary(row: Run) -> Resource:
    """Return a run without its report."""
    return {
        "run": row.uuid,
        "started_at": instant(row.started_at),
        "finished_at": instant(row.finished_at),
        "outcome": row.outcome,
        "objects": row.objects,
        "withdrawn": row.withdrawn,
        "refused": row.refused,
        "error": row.error,
    }


def run(row: Run) -> Resource:
    """Return a run with its report."""
    return {**summary(row), "report": json.loads(row.report)}


def _name(row: Connector) -> str:
    # A comma sorts before every character of a handle, so the names sort as the pairs do.
    return f"{row.peer},{row.name}"


def _instant(text: str, field: str) -> int:
    try:
        return parse_timestamp(text)
    except ValueError:
        raise InvalidRequest("it must be an RFC 3339 date-time", field=field) from None


HANDLERS: Final[dict[str, Handler]] = {
    "listConnectors": get_all,
    "getConnector": get,
    "reportConnector": put,
    "forgetConnector": delete,
    "listConnectorRuns": get_runs,
    "reportConnectorRun": post_run,
    "getConnectorRun": get_run,
}
