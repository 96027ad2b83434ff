"""/agreements: what this hub and others have agreed to exchange."""

from __future__ import annotations

from typing import Any, Final

from hub.domain.agreement import GroupMapping
from hub.errors import InvalidRequest
from hub.services import agreements as service
from hub.services.agreements import Kept
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page_of
from hub.web.api.relay_resources import agreement


def get_all(call: Call) -> Answer:
    """List agreements, the newest first."""
    rows, after = service.listed(call.hub, call.caller), call.text("after")
    names = [row.agreement.id for row in rows]
    rest = rows if after is None else rows[names.index(after) + 1 :] if after in names else []
    return page_of(rest, call.limit, _name, agreement)


def get(call: Call) -> Answer:
    """Show one agreement."""
    return Answer(agreement(service.shown(call.hub, call.caller, call.path["agreement"])))


def post(call: Call) -> Answer:
    """Offer an agreement to another hub."""
    expires = call.instant("expires")
    if expires is None:
        raise InvalidRequest("it is required", field="expires")
    made = service.offer(
        call.hub,
        call.caller,
        call.body["peer"],
        groups=[_mapping(one) for one in call.body["groups"]],
        hop_budget=call.body["hop_budget"],
        expires=expires,
    )
    return Answer(agreement(made), 201, f"/agreements/{made.agreement.id}")


def put(call: Call) -> Answer:
    """Accept an agreement that the other hub has signed."""
    document = call.body["document"]
    if document.get("id") != call.path["agreement"]:
        raise InvalidRequest("the document has another id than the path", field="document.id")
    return Answer(agreement(service.accept(call.hub, call.caller, document)))


def delete(call: Call) -> Answer:
    """End an agreement, and whatever else is agreed with that hub."""
    found = service.shown(call.hub, call.caller, call.path["agreement"])
    if found.stored.state != "ended":
        service.end(call.hub, call.caller, found.peer.handle)
    return Answer(None, 204)


def _mapping(given: dict[str, Any]) -> GroupMapping:
    types = given.get("types")
    return GroupMapping(
        (given["here"], given["there"]),
        given.get("direction", "both"),
        given["tlp_ceiling"],
        None if types is None else frozenset(types),
        given.get("same_group", False),
    )


def _name(row: Kept) -> str:
    return row.agreement.id


HANDLERS: Final[dict[str, Handler]] = {
    "listAgreements": get_all,
    "offerAgreement": post,
    "getAgreement": get,
    "acceptAgreement": put,
    "endAgreement": delete,
}
