"""/groups/{slug}/members: who is in a group, with which rights."""

from __future__ import annotations

from typing import Final

from hub.domain.membership import Right
from hub.services import members as service
from hub.services import proposals
from hub.services.proposals import NamedProposal
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page
from hub.web.api.proposals import accepted


def get_all(call: Call) -> Answer:
    """List members by handle."""
    _, rows = service.listed(call.hub, call.caller, call.path["slug"])
    return page(call, rows, lambda row: row[0].handle, resources.member)


def get(call: Call) -> Answer:
    """Show one member."""
    return Answer(resources.member(service.shown(call.hub, call.caller, call.path["slug"], call.path["handle"])))


def put(call: Call) -> Answer:
    """Add a member, or set the rights of one."""
    slug, handle = call.path["slug"], call.path["handle"]
    rights = {Right(right) for right in call.body["rights"]}
    done = proposals.put_member(call.hub, call.caller, slug, handle, rights)
    if isinstance(done, NamedProposal):
        return accepted(done, slug)
    peer, member, new = done
    if new:
        return Answer(resources.member((peer, member)), 201, f"/groups/{slug}/members/{handle}")
    return Answer(resources.member((peer, member)))


def patch(call: Call) -> Answer:
    """Suspend or restore a member."""
    slug, handle = call.path["slug"], call.path["handle"]
    if call.body["suspended"]:
        return Answer(resources.member(service.suspend(call.hub, call.caller, slug, handle)))
    done = proposals.restore_member(call.hub, call.caller, slug, handle)
    return accepted(done, slug) if isinstance(done, NamedProposal) else Answer(resources.member(done))


def delete(call: Call) -> Answer:
    """End a membership."""
    service.remove(call.hub, call.caller, call.path["slug"], call.path["handle"])
    return Answer(None, 204)


HANDLERS: Final[dict[str, Handler]] = {
    "listMembers": get_all,
    "getMember": get,
    "putMember": put,
    "updateMember": patch,
    "removeMember": delete,
}
