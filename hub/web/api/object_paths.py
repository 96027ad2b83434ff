"""/objects/{stix_id}/path: by which hubs an object came here and where it went on to, with what proves it."""

from __future__ import annotations

from typing import Final

from hub.services import object_paths as service
from hub.services.object_paths import Found, Onward, Proof, Stop, Way
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.resources import Resource, instant


def get(call: Call) -> Answer:
    """Return the way of each version of an object that the caller may read."""
    stix_id = call.path["stix_id"]
    return Answer(object_path(stix_id, service.found(call.hub, call.caller, stix_id)))


def object_path(stix_id: str, row: Found) -> Resource:
    """Return the way of an object; ``onward`` is null where the asker may not know who got it."""
    return {
        "object": stix_id,
        "hub": row.hub,
        "asker": row.asker,
        "versions": [_stop(one) for one in row.stops],
        "introductions": list(row.introductions),
    }


def _stop(row: Stop) -> Resource:
    stored = row.stored
    return {
        "group": row.group.slug,
        "collection": row.collection.uuid,
        "alias": row.collection.alias,
        "version": stored.version,
        "date_added": instant(stored.date_added),
        "sha256": stored.sha256.hex(),
        "author": stored.author_identity,
        "log_index": row.log_index,
        "signature": None if stored.kid is None else {
            "kid": stored.kid,
            "carrier": stored.carrier,
            "form": stored.jss_form,
            "signed_at": instant(stored.signed_at),
            "vouched": stored.vouched,
        },
        "ways": [_way(one) for one in row.ways],
        "here": list(row.here),
        "onward": None if row.onward is None else [_onward(one) for one in row.onward],
    }  # fmt: skip


def _way(row: Way) -> Resource:
    return {
        "via": row.via.handle,
        "received_at": instant(row.received_at),
        "hops": list(row.hops),
        "receipt": _proof(row.receipt),
    }


def _onward(row: Onward) -> Resource:
    return {
        "peer": row.to.handle,
        "hub": row.to.identity,
        "outcome": row.outcome,
        "at": instant(row.at),
        "receipt": _proof(row.receipt),
    }


def _proof(row: Proof | None) -> Resource | None:
    if row is None:
        return None
    return {
        "batch": row.batch,
        "problem": row.problem,
        "decision": None if row.line is None else row.line.decision,
        "log_index": None if row.line is None else row.line.log_index,
        "document": row.document,
    }


HANDLERS: Final[dict[str, Handler]] = {"getObjectPath": get}
