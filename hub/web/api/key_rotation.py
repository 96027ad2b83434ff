"""/peers/{handle}/keys/{kid}/rotation: one key replaced by another."""

from __future__ import annotations

from typing import Final

from hub.services import keys as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler


def post(call: Call) -> Answer:
    """Enrol the key that replaces this one."""
    handle = call.path["handle"]
    key = service.rotate(
        call.hub,
        call.caller,
        handle,
        call.path["kid"],
        public_key=call.body["public_key"],
        replaced_until=call.instant("replaced_until"),
        valid_until=call.instant("valid_until"),
        statement=call.body.get("statement"),
    )
    return Answer(resources.key(key), 201, f"/peers/{handle}/keys/{key.kid}")


HANDLERS: Final[dict[str, Handler]] = {"rotateKey": post}
"""By operation of the document."""
