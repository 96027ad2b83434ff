"""How far retractions have come."""

from __future__ import annotations

from typing import Final

from hub.services import retractions as service
from hub.services.retractions import Progress
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page_of
from hub.web.api.resources import Resource, instant


def get(call: Call) -> Answer:
    """Return the acts of a name."""
    return Answer({"retractions": [retraction(one) for one in service.found(call.hub, call.caller, call.path["name"])]})


def list_(call: Call) -> Answer:
    """Return a page of acts, the newest first."""
    rows = service.listed(call.hub, call.caller, limit=call.limit + 1, after=call.text("after"))
    return page_of(rows, call.limit, lambda one: one.uuid, retraction)


def retraction(one: Progress) -> Resource:
    """Return an act and how far it has come."""
    holders = one.holders or ()
    done = [each for each in holders if each.removed_at is not None]
    left = [each for each in holders if each.removed_at is None]
    return {
        "uuid": one.uuid,
        "kind": one.kind,
        "reason": one.reason,
        "at": instant(one.at),
        "group": one.group,
        "collection": one.collection,
        "actor": one.actor,
        "objects": [
            {"object": stix_id, "versions": [{"version": version, "sha256": sha256} for version, sha256 in versions]}
            for stix_id, versions in one.objects.items()
        ],
        "notices": list(one.notices),
        "log_indexes": list(one.log_indexes),
        "removed": None if one.holders is None else one.removed,
        "holders": None if one.holders is None else len(holders),
        "open": [each.handle for each in left if each.handle is not None],
        "done": [each.handle for each in done if each.handle is not None],
        "others_open": sum(each.handle is None for each in left),
        "others_done": sum(each.handle is None for each in done),
        "hubs": [
            {"peer": each.handle, "holders": each.beyond[0], "removed": each.beyond[1]}
            for each in holders
            if each.beyond is not None
        ],
    }


HANDLERS: Final[dict[str, Handler]] = {"listRetractions": list_, "getRetraction": get}
