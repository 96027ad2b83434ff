"""GET {root}/collections/{id}/objects/{object-id}/versions/ (TAXII 2.1 §5.8)."""

from __future__ import annotations

from flask import Response

from hub.domain import taxii_resources
from hub.domain.membership import Right
from hub.domain.taxii_query import Endpoint
from hub.services import read
from hub.web.taxii import answers
from hub.web.taxii.call import Call, stix_id


def get(call: Call, slug: str, ref: str, oid: str) -> Response:
    """Return the versions of an object, oldest added first."""
    opened = call.open(slug, ref, Right.READ)
    oid = stix_id(oid)
    call.negotiate()
    asking = call.query(Endpoint.VERSIONS, opened, oid)
    page = read.versions(call.hub, call.caller, opened, oid, asking.query)
    body = taxii_resources.versions(page.records, asking.next(more=page.more, last=page.last))
    return answers.page(body, asking.query, page.first, page.last)
