"""/refusals and /audit: what was not stored, and what was done; the newest first."""

from __future__ import annotations

from typing import Final

from hub.services import audit, refusals
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page_of


def get_refusals(call: Call) -> Answer:
    """List refusals."""
    rows = refusals.recent(call.hub, call.caller, limit=call.limit + 1, before=call.number("after"))
    return page_of(rows, call.limit, lambda row: str(row.refusal.id), resources.refusal)


def get_audit(call: Call) -> Answer:
    """List audit lines."""
    rows = audit.recent(call.hub, call.caller, limit=call.limit + 1, before=call.number("after"))
    return page_of(rows, call.limit, lambda row: str(row.line.id), resources.audit_line)


HANDLERS: Final[dict[str, Handler]] = {"listRefusals": get_refusals, "listAudit": get_audit}
