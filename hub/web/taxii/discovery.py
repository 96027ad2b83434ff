"""GET /taxii2/: which API roots this caller can open (TAXII 2.1 §4.1)."""

from __future__ import annotations

from typing import Final

from flask import Response

from hub.domain import taxii_resources
from hub.services import access
from hub.web.origin import base_url
from hub.web.taxii.answers import resource
from hub.web.taxii.call import Call

TITLE: Final = "CYBEX hub"
DESCRIPTION: Final = "Exchange of signed STIX 2.1 between national CIRTs; each API root is a trust group you belong to."


def get(call: Call) -> Response:
    """Return the discovery resource; roots are absolute, because clients use them as they are."""
    call.negotiate()
    base = base_url(call.request.environ, call.trusted, call.hub.public_url)
    with call.hub.db.read() as tx:
        groups = access.groups(tx, call.caller)
    roots = [f"{base}{group.slug}/" for group in sorted(groups, key=lambda group: group.slug)]
    return resource(taxii_resources.discovery(TITLE, DESCRIPTION, roots))
