"""/groups: the trust groups the caller may know of."""

from __future__ import annotations

from typing import Final

from hub.services import groups as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page


def get_all(call: Call) -> Answer:
    """List groups by slug."""
    return page(call, service.listed(call.hub, call.caller), lambda group: group.slug, resources.group)


def get(call: Call) -> Answer:
    """Show one group."""
    return Answer(resources.group(service.shown(call.hub, call.caller, call.path["slug"])))


def post(call: Call) -> Answer:
    """Make a group with its default collections."""
    body = call.body
    made = service.add(
        call.hub,
        call.caller,
        slug=body["slug"],
        title=body["title"],
        description=body.get("description"),
        default_tlp=body.get("default_tlp", service.DEFAULT_TLP),
        tlp_ceiling=body.get("tlp_ceiling", service.TLP_CEILING),
        signature_required=body.get("signature_required", True),
    )
    return Answer(resources.group(made), 201, f"/groups/{made.slug}")


def patch(call: Call) -> Answer:
    """Change the settings of a group."""
    changed = service.update(
        call.hub,
        call.caller,
        call.path["slug"],
        title=call.changed("title"),
        description=call.changed("description"),
        default_tlp=call.changed("default_tlp"),
        tlp_ceiling=call.changed("tlp_ceiling"),
        signature_required=call.changed("signature_required"),
        quantum_safe=call.changed("quantum_safe"),
        member_visibility=call.changed("member_visibility"),
        two_person=call.changed("two_person"),
        pseudonyms=call.changed("pseudonyms"),
    )
    return Answer(resources.group(changed))


HANDLERS: Final[dict[str, Handler]] = {
    "listGroups": get_all,
    "getGroup": get,
    "createGroup": post,
    "updateGroup": patch,
}
