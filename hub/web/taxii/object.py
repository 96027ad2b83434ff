"""GET and DELETE {root}/collections/{id}/objects/{object-id}/ (TAXII 2.1 §5.6, §5.7)."""

from __future__ import annotations

from flask import Response

from hub.domain import taxii_resources
from hub.domain.membership import Right
from hub.domain.taxii_query import Endpoint
from hub.errors import Forbidden, NotFound
from hub.services import read, withdraw
from hub.services.access import OpenCollection
from hub.services.read import SPEC_VERSION
from hub.web.taxii import answers
from hub.web.taxii.call import Call, stix_id


def get(call: Call, slug: str, ref: str, oid: str) -> Response:
    """Return the latest version of an object, or those that are asked for; none of them is an empty envelope."""
    opened = call.open(slug, ref, Right.READ)
    oid = stix_id(oid)
    call.negotiate()
    asking = call.query(Endpoint.OBJECT, opened, oid)
    page = read.one(call.hub, call.caller, opened, oid, asking.query, delivers=call.sends_body)
    body = taxii_resources.envelope(page.bodies, asking.next(more=page.more, last=page.last))
    return answers.page(body, asking.query, page.first, page.last)


def delete(call: Call, slug: str, ref: str, oid: str) -> Response:
    """Remove an object, or the versions that are named, and answer without a payload."""
    opened = call.open(slug, ref)
    _may_delete(opened)
    oid = stix_id(oid)
    call.negotiate()
    asking = call.query(Endpoint.DELETE, opened, oid)
    if asking.filters.spec_versions is not None and SPEC_VERSION not in asking.filters.spec_versions:
        raise NotFound("there is no such version")
    withdraw.delete(call.hub, call.caller, opened, oid, asking.query if asking.filters.versions else None)
    return answers.empty()


def _may_delete(opened: OpenCollection) -> None:
    """Raise NotFound with neither right in the collection, Forbidden with one of the two (TAXII 2.1 §5.7)."""
    rights = opened.rights
    if not rights.can_read and not rights.can_write:
        raise NotFound("there is no such object")
    if not (rights.can_read and rights.can_write):
        raise Forbidden("deleting needs both the right to read and the right to write")
