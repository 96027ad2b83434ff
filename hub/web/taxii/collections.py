"""GET {root}/collections/ and one collection, each with the caller's own rights (TAXII 2.1 §5.1, §5.2)."""

from __future__ import annotations

from flask import Response

from hub.domain import taxii_resources
from hub.services import access
from hub.web.taxii.answers import resource
from hub.web.taxii.call import Call


def get_all(call: Call, slug: str) -> Response:
    """Return the collections of a trust group."""
    with call.hub.db.read() as tx:
        _, opened = access.collections(tx, call.caller, slug)
    call.negotiate()
    return resource(taxii_resources.collections(opened))


def get(call: Call, slug: str, ref: str) -> Response:
    """Return one collection, whatever the caller's rights in it are."""
    opened = call.open(slug, ref)
    call.negotiate()
    return resource(taxii_resources.collection(opened.collection, opened.rights))
