"""/peers/{handle}/quota: what a peer has handed in within this hour, and what it may."""

from __future__ import annotations

from typing import Any, Final

from hub.services import quotas as service
from hub.services.quotas import PeerStanding
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.resources import Resource, instant


def get(call: Call) -> Answer:
    """Show how a peer stands, to itself and to the operator."""
    return Answer(standing(service.shown(call.hub, call.caller, call.path["handle"]), call.hub.clock()))


def standing(row: PeerStanding, now: int) -> Resource:
    """Return how a peer stands."""
    found = row.standing
    return {
        "peer": row.peer.handle,
        "objects": {"bound": found.bound.objects, "used": found.used.objects, "left": found.left.objects},
        "octets": {"bound": found.bound.octets, "used": found.used.octets, "left": found.left.octets},
        "resets_at": instant((now // 1_000_000 + found.seconds) * 1_000_000),
    }


def flat(row: Resource) -> dict[str, Any]:
    """Return the same as one line of a table."""
    counts = {f"{unit}_{name}": row[unit][name] for unit in ("objects", "octets") for name in ("used", "bound", "left")}
    return {"peer": row["peer"], **counts, "resets_at": row["resets_at"]}


HANDLERS: Final[dict[str, Handler]] = {"getPeerQuota": get}
