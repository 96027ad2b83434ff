"""/objects/{stix_id}/feedback, and /feedback: the inbox of the caller's peer."""

from __future__ import annotations

from typing import Final

from hub.services import feedback as service
from hub.services.feedback import Item, Tally
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.resources import Resource, instant


def get(call: Call) -> Answer:
    """Count the feedback about one object."""
    stix_id = call.path["stix_id"]
    return Answer(tally(stix_id, service.of_object(call.hub, call.caller, stix_id)))


def get_all(call: Call) -> Answer:
    """List the feedback about what the caller's peer has authored, the newest last."""
    found = service.inbox(call.hub, call.caller, after=call.text("after"), limit=call.limit)
    return Answer({"items": [item(one) for one in found.items], "more": found.more, "next": str(found.following)})


def tally(stix_id: str, row: Tally) -> Resource:
    """Return the counts about one object, and the newest of what was counted."""
    return {
        "object": stix_id,
        "sightings": {"objects": row.sightings, "count": row.seen, "none": row.unseen},
        "opinions": row.opinions,
        "false_positives": row.false_positives,
        "notes": row.notes,
        "items": [item(one) for one in row.items],
        "more": row.more,
    }


def item(one: Item) -> Resource:
    """Return one sighting, opinion or note."""
    return {
        "id": one.row.stix_id,
        "type": one.row.type,
        "about": one.about,
        "value": one.row.value,
        "false_positive": one.false_positive,
        "created_by_ref": one.row.author_identity,
        "group": one.row.group,
        "collection": one.row.collection,
        "date_added": instant(one.row.date_added),
    }


HANDLERS: Final[dict[str, Handler]] = {"getFeedback": get, "listFeedback": get_all}
