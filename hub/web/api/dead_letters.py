"""/dead-letters: what did not cross to other hubs, and what the operator does about it."""

from __future__ import annotations

from typing import Final

from hub.services import dead_letters as service
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page_of
from hub.web.api.relay_resources import dead_letter


def get_all(call: Call) -> Answer:
    """List dead letters, the newest first."""
    rows = service.listed(
        call.hub,
        call.caller,
        handle=call.text("peer"),
        settled=call.text("settled") == "true",
        limit=call.limit + 1,
        after=call.text("after"),
    )
    return page_of(rows, call.limit, lambda row: row.uuid, dead_letter)


def post(call: Call) -> Answer:
    """Have dead letters sent again, or give them up."""
    count = service.settle(
        call.hub, call.caller, call.body["action"], call.body.get("letters", ()), handle=call.body.get("peer")
    )
    return Answer({"action": call.body["action"], "letters": count})


HANDLERS: Final[dict[str, Handler]] = {"listDeadLetters": get_all, "settleDeadLetters": post}
