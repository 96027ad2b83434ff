"""/groups/{slug}/relay-rights: who may make versions for an author who is another peer."""

from __future__ import annotations

from typing import Final

from hub.services import relay_rights as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page


def get_all(call: Call) -> Answer:
    """List relay rights by handle and author."""
    rows = service.listed(call.hub, call.caller, call.path["slug"])
    return page(call, rows, _name, resources.relay_right)


def put(call: Call) -> Answer:
    """Grant a relay right."""
    slug, handle, author = call.path["slug"], call.path["handle"], call.path["author_identity"]
    right, new = service.grant(call.hub, call.caller, slug, handle, author)
    if new:
        return Answer(resources.relay_right(right), 201, f"/groups/{slug}/relay-rights/{handle}/{author}")
    return Answer(resources.relay_right(right))


def delete(call: Call) -> Answer:
    """Take a relay right back."""
    path = call.path
    service.revoke(call.hub, call.caller, path["slug"], path["handle"], path["author_identity"])
    return Answer(None, 204)


def _name(right: service.RelayRight) -> str:
    # A comma sorts before every character of a handle, so the names sort as the pairs do.
    return f"{right.peer.handle},{right.author_identity}"


HANDLERS: Final[dict[str, Handler]] = {
    "listRelayRights": get_all,
    "grantRelayRight": put,
    "revokeRelayRight": delete,
}
