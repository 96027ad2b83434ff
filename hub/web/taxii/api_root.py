"""GET {root}/: a trust group as an API root (TAXII 2.1 §4.2)."""

from __future__ import annotations

from flask import Response

from hub.domain import taxii_resources
from hub.services import access
from hub.web.body import ACCEPTED_CODINGS
from hub.web.taxii.answers import resource
from hub.web.taxii.call import Call


def get(call: Call, slug: str) -> Response:
    """Return the information about a trust group of the caller."""
    with call.hub.db.read() as tx:
        group, _ = access.group(tx, call.caller, slug)
    call.negotiate()
    answer = resource(taxii_resources.api_root(group, call.hub.bounds.max_content_length))
    answer.headers["Accept-Encoding"] = ACCEPTED_CODINGS
    return answer
