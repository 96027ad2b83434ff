"""/groups/{slug}/proposals: what one moderator asked for and another has to confirm."""

from __future__ import annotations

from typing import Any, Final

from hub.services import proposals as service
from hub.services.proposals import NamedProposal
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page
from hub.web.api.resources import instant


def resource(row: NamedProposal) -> dict[str, Any]:
    """Return a proposal."""
    proposal = row.proposal
    return {
        "id": proposal.uuid,
        "action": proposal.action,
        "subject": proposal.subject,
        "detail": dict(proposal.detail),
        "state": row.state,
        "proposed_by": row.proposed_by,
        "proposed_at": instant(proposal.proposed_at),
        "expires_at": instant(proposal.expires_at),
        "decided_by": row.decided_by,
        "decided_at": instant(proposal.decided_at),
    }


def accepted(row: NamedProposal, slug: str) -> Answer:
    """Return the answer to a change that waits for a second moderator (RFC 9110 §15.3.3)."""
    return Answer(resource(row), 202, f"/groups/{slug}/proposals/{row.proposal.uuid}")


def get_all(call: Call) -> Answer:
    """List the proposals of a group by id."""
    rows = service.listed(call.hub, call.caller, call.path["slug"])
    return page(call, sorted(rows, key=lambda row: row.proposal.uuid), lambda row: row.proposal.uuid, resource)


def get(call: Call) -> Answer:
    """Show one proposal."""
    return Answer(resource(service.shown(call.hub, call.caller, call.path["slug"], call.path["proposal"])))


def confirm(call: Call) -> Answer:
    """Carry out what another moderator proposed."""
    return Answer(resource(service.confirm(call.hub, call.caller, call.path["slug"], call.path["proposal"])))


def reject(call: Call) -> Answer:
    """Let a proposal fall."""
    return Answer(resource(service.reject(call.hub, call.caller, call.path["slug"], call.path["proposal"])))


HANDLERS: Final[dict[str, Handler]] = {
    "listProposals": get_all,
    "getProposal": get,
    "confirmProposal": confirm,
    "rejectProposal": reject,
}
"""By operation of the document."""
