"""/preview: what would become of objects if they were posted now, and who would see them."""

from __future__ import annotations

from typing import Final

from hub.errors import InvalidRequest
from hub.services import preview as service
from hub.services.preview import Preview, Previewed, Readers
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.relay_resources import crossing
from hub.web.api.resources import Resource, instant


def post(call: Call) -> Answer:
    """Decide on objects as a post would, and keep nothing."""
    body = call.body
    if ("objects" in body) == ("envelope" in body):
        raise InvalidRequest("give either objects or an envelope", field="objects")
    envelope = body["envelope"] if "envelope" in body else {"objects": body["objects"]}
    return Answer(preview(service.preview(call.hub, call.caller, body["group"], body["collection"], envelope)))


def preview(found: Preview) -> Resource:
    """Return what would become of each object; ``readers`` of an object is a place in the list ``readers``."""
    return {
        "group": found.group.slug,
        "collection": found.collection.uuid,
        "alias": found.collection.alias,
        "objects": [_object(one) for one in found.objects],
        "readers": [_readers(one) for one in found.readers],
    }


def _object(one: Previewed) -> Resource:
    return {
        "id": one.stix_id,
        "version": one.version,
        "outcome": one.outcome,
        "rule": one.rule,
        "reason": one.message,
        "tlp": one.tlp,
        "embargo_until": instant(one.embargo_until),
        "expires_at": instant(one.expires_at),
        "readers": one.readers,
        "losing": list(one.losing),
        "others_losing": one.others_losing,
        "hubs": [crossing(each) for each in one.hubs],
        "others_cross": one.others_cross,
    }


def _readers(one: Readers) -> Resource:
    return {
        "peers": [
            {
                "peer": each.peer.handle,
                "sees": each.may_read.allowed,
                "rule": each.may_read.rule,
                "reason": each.may_read.reason,
            }
            for each in one.named
        ],
        "others_see": one.others_may,
        "others_not": one.others_may_not,
    }


HANDLERS: Final[dict[str, Handler]] = {"previewObjects": post}
