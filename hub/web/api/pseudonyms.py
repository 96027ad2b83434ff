"""/groups/{slug}/pseudonym: the caller's own, and nobody else's."""

from __future__ import annotations

from typing import Final

from hub.services import pseudonyms as service
from hub.services.pseudonyms import Owned
from hub.web.api import resources
from hub.web.api.call import Answer, Call, Handler
from hub.web.api.resources import Resource


def get(call: Call) -> Answer:
    """Show the caller's own pseudonym in a group."""
    return Answer(owned(service.own(call.hub, call.caller, call.path["slug"])))


def post(call: Call) -> Answer:
    """Make the pseudonym, or give it one more key."""
    slug = call.path["slug"]
    found = service.request(call.hub, call.caller, slug, call.body)
    return Answer(owned(found), 201, f"/groups/{slug}/pseudonym") if found.made else Answer(owned(found))


def owned(row: Owned) -> Resource:
    """Return a pseudonym as its owner sees it."""
    return {
        "group": row.group,
        "identity": row.pseudonym.identity,
        "name": row.pseudonym.name,
        "keys": [resources.key(key) for key in row.keys],
    }


HANDLERS: Final[dict[str, Handler]] = {"getPseudonym": get, "requestPseudonym": post}
