"""Answers of the TAXII endpoints: the one media type, and the dates of a page (TAXII 2.1 §3.1, §3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from hub.domain.media_type import TAXII
from hub.domain.taxii import Query
from hub.domain.taxii_resources import to_bytes
from hub.domain.taxii_time import format_timestamp


def resource(value: Mapping[str, Any], status: int = 200) -> Response:
    """Return a TAXII resource."""
    return Response(to_bytes(value), status, content_type=TAXII)


def empty() -> Response:
    """Return the 200 without payload that ends a DELETE (TAXII 2.1 §5.7)."""
    return Response(b"", 200, content_type=TAXII)


def page(body: bytes, query: Query, first: int | None, last: int | None) -> Response:
    """Return a page with the dates of its first and last object.

    An empty page has none: it repeats the place the caller asked from, which is where he must go on, and says nothing
    when he named no place. The clock is never used: objects committed meanwhile would be skipped.
    """
    response = Response(body, 200, content_type=TAXII)
    asked_from = max((at for at in (query.added_after, query.position) if at is not None), default=None)
    first, last = (asked_from, asked_from) if first is None or last is None else (first, last)
    if first is not None and last is not None:
        response.headers["X-TAXII-Date-Added-First"] = format_timestamp(first)
        response.headers["X-TAXII-Date-Added-Last"] = format_timestamp(last)
    return response
