"""One TAXII request whose caller is known, and the checks that every endpoint shares, in their order.

The order is: authenticate, 404 for what the caller may not know of, 403, 406, 415, 413, then 400 and 422. Whoever may
not know of a collection learns nothing from the other answers either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flask import Request

from hub.domain import cursor
from hub.domain.cursor import Scope
from hub.domain.media_type import accepts_taxii, is_envelope_type
from hub.domain.membership import Caller, Right
from hub.domain.taxii import Query
from hub.domain.taxii_query import Endpoint, Filters, parse_query
from hub.errors import NotAcceptable, NotFound, UnsupportedMediaType
from hub.services import access
from hub.services.access import OpenCollection
from hub.services.context import Hub
from hub.web.origin import TrustedProxies

_STIX_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,249}--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request, the hub it reached, and the caller its credential proves."""

    hub: Hub
    caller: Caller
    request: Request
    trusted: TrustedProxies

    def open(self, slug: str, ref: str, *needed: Right) -> OpenCollection:
        """Return a collection by id or alias. Raises NotFound, then Forbidden without one of the rights."""
        with self.hub.db.read() as tx:
            opened = access.collection(tx, self.caller, slug, ref)
        for right in needed:
            access.require(opened.rights, right)
        return opened

    @property
    def sends_body(self) -> bool:
        """Say whether the answer has its body: that to a HEAD has none."""
        return self.request.method != "HEAD"

    def negotiate(self, *, manifest: bool = False) -> None:
        """Raise NotAcceptable when the client cannot want TAXII 2.1 (TAXII 2.1 §3.1)."""
        if not accepts_taxii(self.request.headers.get("Accept"), manifest=manifest):
            raise NotAcceptable("this hub answers with application/taxii+json;version=2.1", field="Accept")

    def check_content_type(self) -> None:
        """Raise UnsupportedMediaType unless the body says that it is an envelope (TAXII 2.1 §5.5)."""
        if not is_envelope_type(self.request.headers.get("Content-Type")):
            raise UnsupportedMediaType("send application/taxii+json;version=2.1", field="Content-Type")

    def query(self, endpoint: Endpoint, opened: OpenCollection, object_id: str = "") -> Asking:
        """Return what the query string asks for. Raises InvalidRequest."""
        asked = parse_query(self.request.query_string.decode("latin-1"), endpoint)
        scope = Scope(endpoint, opened.collection.uuid, self.caller.peer.id, object_id)
        query, filters = cursor.resolve(asked, scope, self.hub.cursor_key)
        return Asking(query, filters, scope, self.hub.cursor_key)


@dataclass(frozen=True, slots=True)
class Asking:
    """A query, with what is needed to make the ``next`` of its page."""

    query: Query
    filters: Filters
    scope: Scope
    key: bytes

    def next(self, *, more: bool, last: int | None) -> str | None:
        """Return the token of the page after this one; None when there is no more (TAXII 2.1 §3.5)."""
        return cursor.encode(last, self.filters, self.scope, self.key) if more and last is not None else None


def stix_id(text: str) -> str:
    """Return an object id out of a path. Raises NotFound when no object can have it."""
    if _STIX_ID.fullmatch(text) is None:
        raise NotFound("there is no such object")
    return text
