"""/groups/{slug}/collections, and what single members may do in one collection."""

from __future__ import annotations

from typing import Final

from hub.services import collections as service
from hub.services import proposals
from hub.services.proposals import NamedProposal
from hub.services.retention import checked
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page
from hub.web.api.proposals import accepted


def get_all(call: Call) -> Answer:
    """List the collections of a group by id."""
    _, rows = service.listed(call.hub, call.caller, call.path["slug"])
    return page(call, rows, lambda row: row[0].uuid, resources.collection)


def get(call: Call) -> Answer:
    """Show one collection by id or alias."""
    return Answer(resources.collection(service.shown(call.hub, call.caller, call.path["slug"], call.path["ref"])))


def post(call: Call) -> Answer:
    """Add a collection to a group."""
    slug, body = call.path["slug"], call.body
    made = service.add(
        call.hub,
        call.caller,
        slug,
        title=body["title"],
        description=body.get("description"),
        alias=body.get("alias"),
        allowed_types=body.get("allowed_types"),
    )
    return Answer(resources.collection((made, None)), 201, f"/groups/{slug}/collections/{made.uuid}")


def patch(call: Call) -> Answer:
    """Change a collection; of its retention only what is named."""
    slug, ref = call.path["slug"], call.path["ref"]
    before, _ = service.shown(call.hub, call.caller, slug, ref)
    wanted = service.retention_seconds(before.retention) | call.body.get("retention", {})
    changed = service.update(
        call.hub,
        call.caller,
        slug,
        ref,
        title=call.changed("title"),
        description=call.changed("description"),
        retention=checked(wanted["added"], wanted["expired"], wanted["revoked"]),
    )
    return Answer(resources.collection((changed, None)))


def get_rights(call: Call) -> Answer:
    """List what each member may do in a collection, by handle."""
    rows = service.rights(call.hub, call.caller, call.path["slug"], call.path["ref"])
    return page(call, rows, lambda row: row.peer.handle, resources.member_rights)


def put_rights(call: Call) -> Answer:
    """Narrow or lift what a member may do in a collection."""
    override = (call.body["can_read"], call.body["can_write"])
    path = call.path
    done = proposals.set_rights(call.hub, call.caller, path["slug"], path["ref"], path["handle"], override)
    if isinstance(done, NamedProposal):
        return accepted(done, path["slug"])
    return Answer(resources.member_rights(done))


def delete_rights(call: Call) -> Answer:
    """Give a member the rights he has in the group."""
    path = call.path
    done = proposals.set_rights(call.hub, call.caller, path["slug"], path["ref"], path["handle"], (None, None))
    return accepted(done, path["slug"]) if isinstance(done, NamedProposal) else Answer(None, 204)


HANDLERS: Final[dict[str, Handler]] = {
    "listCollections": get_all,
    "getCollection": get,
    "createCollection": post,
    "updateCollection": patch,
    "listCollectionRights": get_rights,
    "putCollectionRights": put_rights,
    "deleteCollectionRights": delete_rights,
}
