"""A collection as a feed: its pages in the order in which they were added, from where we last stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from hub.client.transport import RemoteError, Transport
from hub.domain.canonical import Json, sha256_hex
from hub.domain.taxii_time import parse_timestamp


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page. ``last`` is the `date_added` of its last object, as the server wrote it: the next bookmark.

    Both dates are there when there are objects.
    """

    objects: list[dict[str, Json]]
    first: str | None
    last: str | None
    more: bool


def collection_url(api_root: str, collection: str) -> str:
    """Return the address of a collection, by id or alias, under an API root with or without its last slash."""
    return f"{api_root.rstrip('/')}/collections/{quote(collection, safe='')}/"


def pages(
    transport: Transport, url: str, *, added_after: str | None, limit: int | None, filters: Mapping[str, str]
) -> Iterator[FeedPage]:
    """Yield the pages of a collection's objects after a bookmark, by ``next`` where there is one (TAXII 2.1 §5.4).

    :param filters: ``match[...]`` parameters.
    :raises RemoteError: the server refuses, or what it says makes no sense.
    """
    query = dict(filters)
    if added_after is not None:
        query["added_after"] = added_after
    if limit is not None:
        query["limit"] = str(limit)
    following: str | None = None
    seen: set[str] = set()
    while True:
        answer = transport.get(f"{url}objects/", params=query | ({"next": following} if following else {}))
        body = answer.body
        if not isinstance(body, dict):
            raise RemoteError("the answer is not a TAXII envelope; is this the address of an API root?")
        objects = [obj for obj in _list(body.get("objects")) if isinstance(obj, dict)]
        first, last = (_timestamp(answer.headers.get(f"X-TAXII-Date-Added-{end}")) for end in ("First", "Last"))
        token, more = body.get("next"), body.get("more") is True
        if objects and (first is None or last is None):
            raise RemoteError("the server does not say when it added the objects: the X-TAXII-Date-Added headers lack")
        after = query.get("added_after")
        if after is not None and first is not None and parse_timestamp(first) < parse_timestamp(after):
            raise RemoteError("the server gives objects from before the bookmark: it has dated them back")
        # Some servers keep one `next` for the whole feed, so only what is on the pages shows that it runs in circles.
        content = sha256_hex(orjson.dumps([objects, last] if objects else [token, last]))
        if content in seen:
            raise RemoteError("the server gives the same page again and again")
        seen.add(content)
        yield FeedPage(objects, first, last, more)
        if not more:
            return
        if isinstance(token, str) and token:
            following = token
        elif last is not None and last != query.get("added_after"):
            query["added_after"], following = last, None
        else:
            raise RemoteError("the server says there is more, but not how to get it")


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _timestamp(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parse_timestamp(value)
    except ValueError:
        raise RemoteError("the X-TAXII-Date-Added header is not a timestamp") from None
    return value
