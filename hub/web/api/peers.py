"""/peers: the organisations the caller may know of."""

from __future__ import annotations

from typing import Final

from hub.domain.membership import PeerKind
from hub.services import peers as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.paging import page


def get_all(call: Call) -> Answer:
    """List peers by handle."""
    return page(call, service.listed(call.hub, call.caller), lambda peer: peer.handle, resources.peer)


def get(call: Call) -> Answer:
    """Show one peer."""
    return Answer(resources.peer(service.shown(call.hub, call.caller, call.path["handle"])))


def post(call: Call) -> Answer:
    """Make a peer known."""
    body = call.body
    made = service.add(
        call.hub,
        call.caller,
        handle=body["handle"],
        name=body["name"],
        kind=PeerKind(body["kind"]),
        identity=body.get("identity"),
        country=body.get("country"),
        itu_region=body.get("itu_region"),
    )
    return Answer(resources.peer(made), 201, f"/peers/{made.handle}")


def patch(call: Call) -> Answer:
    """Change, suspend or restore a peer."""
    kind = call.changed("kind")
    changed = service.update(
        call.hub,
        call.caller,
        call.path["handle"],
        name=call.changed("name"),
        kind=kind if kind is ... else PeerKind(kind),
        country=call.changed("country"),
        itu_region=call.changed("itu_region"),
        quantum_safe=call.changed("quantum_safe"),
        quota_objects=call.changed("quota_objects"),
        quota_octets=call.changed("quota_octets"),
        suspended=call.changed("suspended"),
    )
    return Answer(resources.peer(changed))


HANDLERS: Final[dict[str, Handler]] = {
    "listPeers": get_all,
    "getPeer": get,
    "createPeer": post,
    "updatePeer": patch,
}
