"""GET and POST {root}/collections/{id}/objects/: read pages, submit envelopes (TAXII 2.1 §5.4, §5.5)."""

from __future__ import annotations

from flask import Response

from hub.domain import taxii_resources
from hub.domain.membership import Right
from hub.domain.taxii_query import Endpoint
from hub.services import ingest, read
from hub.web import waiting
from hub.web.body import check_content_coding, read_body
from hub.web.taxii import answers, status
from hub.web.taxii.call import Call


def get(call: Call, slug: str, ref: str) -> Response:
    """Return a page of objects: their stored bytes, joined. An empty one may wait (RFC 7240 §4.3)."""
    opened = call.open(slug, ref, Right.READ)
    call.negotiate()
    asking = call.query(Endpoint.OBJECTS, opened)
    page = read.objects(call.hub, call.caller, opened, asking.query, delivers=call.sends_body)
    body = taxii_resources.envelope(page.bodies, asking.next(more=page.more, last=page.last))
    answer = answers.page(body, asking.query, page.first, page.last)
    return waiting.offer(call.hub, call.caller, [opened.collection.id], answer, empty=not page.bodies)


def post(call: Call, slug: str, ref: str) -> Response:
    """Take an envelope and answer 202 with its status, complete or pending. The body is read last."""
    opened = call.open(slug, ref, Right.WRITE)
    call.negotiate()
    call.check_content_type()
    environ = call.request.environ
    check_content_coding(environ)
    body = read_body(environ, call.hub.bounds.max_content_length)
    submission = ingest.submit(call.hub, call.caller, opened, body)
    return answers.resource(status.resource(submission), 202)
