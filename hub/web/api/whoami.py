"""Who is asking, and in which groups he may do what."""

from __future__ import annotations

from typing import Final

from hub.services import whoami as service
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler


def get(call: Call) -> Answer:
    """Return the peer, the role and the memberships of the credential that was presented."""
    rows = service.memberships(call.hub, call.caller)
    groups = [
        {"slug": trust_group.slug, "rights": sorted(right.value for right in membership.rights)}
        for trust_group, membership in rows
    ]
    return Answer(resources.caller(call.caller) | {"groups": groups})


HANDLERS: Final[dict[str, Handler]] = {"getWhoAmI": get}
