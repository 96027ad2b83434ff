"""GET and POST {root}/collections/{id}/objects/: read pages, submit envelopes (TAXII 2.1 §5.4, §5.5)."""

from __future__ import annotations

from flask import Response

from hub.domain import taxii_resources
from hub.domain.membership import Right
from hub.domain.taxii_query import Endpoint
from hub.errors import InvalidRequest, TooLarge, Unprocessable
from hub.services import ingest, quotas, read
from hub.web import waiting
from hub.web.body import announced, check_content_coding, read_body
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
    most = call.hub.bounds.max_content_length
    standing = quotas.admit(call.hub, call.caller, min(most, announced(environ)))
    try:
        body = read_body(environ, min(most, standing.left.octets))
    except TooLarge:
        if standing.left.octets >= most:
            raise
        raise quotas.refusal(standing, "octets") from None
    try:
        submission = ingest.submit(call.hub, call.caller, opened, body)
    except (InvalidRequest, Unprocessable):
        quotas.charge_octets(call.hub, call.caller.peer, len(body))
        raise
    answer = answers.resource(status.resource(submission), 202)
    answer.headers.extend(standing.after(submission.total, len(body)).headers())
    return answer
