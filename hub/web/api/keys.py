"""/peers/{handle}/keys: the key ring."""

from __future__ import annotations

from typing import Final

from hub.services import keys as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page


def get_all(call: Call) -> Answer:
    """List a peer's keys by kid."""
    _, rows = service.of_peer(call.hub, call.caller, call.path["handle"])
    return page(call, sorted(rows, key=lambda row: row.kid), lambda row: row.kid, resources.key)


def get(call: Call) -> Answer:
    """Show one key."""
    return Answer(resources.key(service.shown(call.hub, call.caller, call.path["handle"], call.path["kid"])))


def post(call: Call) -> Answer:
    """Enrol a public key."""
    handle = call.path["handle"]
    key = service.enrol(
        call.hub,
        call.caller,
        handle,
        public_key=call.body["public_key"],
        valid_from=call.instant("valid_from"),
        valid_until=call.instant("valid_until"),
        statement=call.body.get("statement"),
    )
    return Answer(resources.key(key), 201, f"/peers/{handle}/keys/{key.kid}")


def revoke(call: Call) -> Answer:
    """Revoke a key, from now or from an earlier time on."""
    key = service.revoke(
        call.hub,
        call.caller,
        call.path["handle"],
        call.path["kid"],
        reason=call.body["reason"],
        at=call.instant("at"),
        statement=call.body.get("statement"),
    )
    return Answer(resources.key(key))


HANDLERS: Final[dict[str, Handler]] = {
    "listKeys": get_all,
    "getKey": get,
    "enrolKey": post,
    "revokeKey": revoke,
}
