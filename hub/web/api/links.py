"""/links: how this hub reaches others; /relay/link: what another hub may know of its own."""

from __future__ import annotations

from typing import Final

from hub.errors import Conflict
from hub.services import links as service
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page
from hub.web.api.relay_resources import link, seen


def get_all(call: Call) -> Answer:
    """List links by handle."""
    return page(call, service.listed(call.hub, call.caller), lambda row: row.peer.handle, link)


def get(call: Call) -> Answer:
    """Show one link."""
    return Answer(link(service.shown(call.hub, call.caller, call.path["handle"])))


def put(call: Call) -> Answer:
    """Set a link up, or set it anew."""
    handle, body = call.path["handle"], call.body
    settings = {
        "url": body.get("url"),
        "push": body["push"],
        "pull": body["pull"],
        "allow_private": body.get("allow_private", False),
        "max_bytes": body.get("max_bytes"),
    }
    try:
        made = service.add(call.hub, call.caller, handle, **settings)
    except Conflict:
        return Answer(link(service.update(call.hub, call.caller, handle, **settings)))
    return Answer(link(made), 201, f"/links/{handle}")


def patch(call: Call) -> Answer:
    """Change, pause or resume a link."""
    changed = service.update(
        call.hub,
        call.caller,
        call.path["handle"],
        url=call.changed("url"),
        push=call.changed("push"),
        pull=call.changed("pull"),
        allow_private=call.changed("allow_private"),
        max_bytes=call.changed("max_bytes"),
        paused=call.changed("paused"),
    )
    return Answer(link(changed))


def delete(call: Call) -> Answer:
    """Take a link away."""
    service.remove(call.hub, call.caller, call.path["handle"])
    return Answer(None, 204)


def get_own(call: Call) -> Answer:
    """Show a hub what this one sees of it."""
    return Answer(seen(service.seen_by(call.hub, call.caller)))


HANDLERS: Final[dict[str, Handler]] = {
    "listLinks": get_all,
    "getLink": get,
    "putLink": put,
    "updateLink": patch,
    "removeLink": delete,
    "getRelayLink": get_own,
}
