"""GET {root}/collections/{id}/manifest/: what is there, without the objects (TAXII 2.1 §5.3)."""

from __future__ import annotations

from flask import Response

from hub.domain import taxii_resources
from hub.domain.membership import Right
from hub.domain.taxii_query import Endpoint
from hub.services import read
from hub.web import waiting
from hub.web.taxii import answers
from hub.web.taxii.call import Call


def get(call: Call, slug: str, ref: str) -> Response:
    """Return a page of manifest records; ``next`` is there as on objects, which the standard forgot to say."""
    opened = call.open(slug, ref, Right.READ)
    call.negotiate(manifest=True)
    asking = call.query(Endpoint.MANIFEST, opened)
    page = read.manifest(call.hub, call.caller, opened, asking.query)
    body = taxii_resources.manifest(page.records, asking.next(more=page.more, last=page.last))
    answer = answers.page(body, asking.query, page.first, page.last)
    return waiting.offer(call.hub, call.caller, [opened.collection.id], answer, empty=not page.records)
