"""/groups/{slug}/collections/{ref}/withdrawals: what a moderator takes away in an emergency."""

from __future__ import annotations

from typing import Final

from hub.services import withdraw as service
from hub.web.api.call import Answer, Call, Handler


def put(call: Call) -> Answer:
    """Withdraw an object at once."""
    stix_id = call.path["stix_id"]
    count = service.withdraw(
        call.hub, call.caller, call.path["slug"], call.path["ref"], stix_id, reason=call.body["reason"]
    )
    return Answer({"object": stix_id, "versions": count})


def delete(call: Call) -> Answer:
    """Let its owner post it again."""
    service.lift(call.hub, call.caller, call.path["slug"], call.path["ref"], call.path["stix_id"])
    return Answer(None, 204)


HANDLERS: Final[dict[str, Handler]] = {"withdrawObject": put, "liftWithdrawal": delete}
