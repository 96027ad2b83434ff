"""/groups/{slug}/members: who is in a group, with which rights."""

from __future__ import annotations

from typing import Final

from hub.domain.membership import Right
from hub.services import members as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page


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
    peer, member, new = service.put(call.hub, call.caller, slug, handle, rights)
    if new:
        return Answer(resources.member((peer, member)), 201, f"/groups/{slug}/members/{handle}")
    return Answer(resources.member((peer, member)))


def patch(call: Call) -> Answer:
    """Suspend or restore a member."""
    change = service.suspend if call.body["suspended"] else service.restore
    return Answer(resources.member(change(call.hub, call.caller, call.path["slug"], call.path["handle"])))


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
