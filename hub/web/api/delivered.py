"""/objects/{stix_id}/delivered: who got an object, who did not yet, and who may not."""

from __future__ import annotations

from typing import Final

from hub.services import delivered as service
from hub.services.delivered import STATES, Delivered, Standing
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.relay_resources import handed_over
from hub.web.api.resources import Resource, instant


def get(call: Call) -> Answer:
    """Return how every other peer stands to each version that the caller may ask about."""
    stix_id = call.path["stix_id"]
    return Answer(deliveries(stix_id, service.delivered(call.hub, call.caller, stix_id)))


def deliveries(stix_id: str, rows: list[Delivered]) -> Resource:
    """Return what is known of an object; peers that the asker may not know of are counted in ``others``."""
    return {"object": stix_id, "versions": [_version(one) for one in rows]}


def _version(row: Delivered) -> Resource:
    return {
        "group": row.group.slug,
        "collection": row.collection.uuid,
        "alias": row.collection.alias,
        "version": row.version,
        "date_added": instant(row.date_added),
        "peers": [_standing(one) for one in row.peers],
        "hubs": [handed_over(one) for one in row.hubs],
        "others": {state: row.others[state] for state in STATES if row.others[state]},
    }


def _standing(one: Standing) -> Resource:
    return {
        "peer": one.peer.handle,
        "state": one.state,
        "may_read": one.may_read.allowed,
        "rule": one.may_read.rule,
        "reason": one.may_read.reason,
        "first": instant(one.first_at),
        "last": instant(one.last_at),
        "how": list(one.how),
        "acknowledged": [
            {"outcome": each.outcome, "reason": each.reason, "at": instant(each.at)} for each in one.acknowledged
        ],
    }


HANDLERS: Final[dict[str, Handler]] = {"getDelivered": get}
