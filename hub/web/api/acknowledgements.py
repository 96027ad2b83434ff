"""/acknowledgements and /objects/{stix_id}/acknowledgements: what readers confirm, and what the author hears of it."""

from __future__ import annotations

from typing import Any, Final

import orjson

from hub.services import acknowledgements as service
from hub.services.acknowledgements import Outcome, Tally
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.resources import instant


def post(call: Call) -> Answer:
    """Keep acknowledgements; each is answered for by itself."""
    outcomes = service.post_all(call.hub, call.caller, call.body["acknowledgements"])
    return Answer({"items": [_outcome(one) for one in outcomes]})


def get(call: Call) -> Answer:
    """Return the tally of one object."""
    stix_id = call.path["stix_id"]
    found, more = service.tally(call.hub, call.caller, stix_id, version=call.text("version"))
    return Answer(tally(stix_id, found, more=more))


def tally(stix_id: str, found: list[Tally], *, more: bool) -> dict[str, Any]:
    """Return what is confirmed of an object; the statements stand there as they were signed."""
    return {"object": stix_id, "more": more, "items": [_item(one) for one in found]}


def _item(one: Tally) -> dict[str, Any]:
    return {
        "group": one.group,
        "version": one.version,
        "outcomes": dict(sorted(one.outcomes.items())),
        "named": [
            {
                "peer": row.handle,
                "outcome": row.outcome,
                "reason": row.reason,
                "at": instant(row.at),
                "log_index": row.log_index,
                "statement": orjson.Fragment(row.statement),
            }
            for row in one.named
        ],
        "unnamed": [{"outcome": outcome, "reason": reason} for outcome, reason in one.reasons],
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    error = one.error
    return {
        "id": one.uuid,
        "kept": error is None,
        "code": None if error is None else error.code,
        "field": None if error is None else error.field,
        "detail": None if error is None else error.detail,
    }


HANDLERS: Final[dict[str, Handler]] = {"postAcknowledgements": post, "getAcknowledgements": get}
