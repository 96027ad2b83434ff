"""A collection as a feed: its pages in the order in which they were added, from where we last stopped."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import orjson

from hub.client.transport import RemoteError, Transport
from hub.domain import limits
from hub.domain.canonical import Json, sha256_hex
from hub.domain.taxii_time import parse_timestamp

RETURN_SECONDS: Final = (20.0, 60.0)
"""Between two looks at a server that does not wait, and after a line that is down: at random, so that all who lost the
same server do not come back at once."""


class FeedError(RemoteError):
    """What the server says makes no sense; asking again would not help."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One page. ``last`` is the `date_added` of its last object, as the server wrote it: the next bookmark.

    Both dates are there when there are objects. ``waited`` says that the server would have waited for them.
    """

    objects: list[dict[str, Json]]
    first: str | None
    last: str | None
    more: bool
    waited: bool = False


def collection_url(api_root: str, collection: str) -> str:
    """Return the address of a collection, by id or alias, under an API root with or without its last slash."""
    return f"{api_root.rstrip('/')}/collections/{quote(collection, safe='')}/"


def pages(
    transport: Transport,
    url: str,
    *,
    added_after: str | None,
    limit: int | None,
    filters: Mapping[str, str],
    wait: int | None = None,
) -> Iterator[FeedPage]:
    """Yield the pages of a collection's objects after a bookmark, by ``next`` where there is one (TAXII 2.1 §5.4).

    :param filters: ``match[...]`` parameters.
    :param wait: seconds that the server may take until there is a page at all (RFC 7240 §4.3).
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
        answer = transport.get(f"{url}objects/", params=query | ({"next": following} if following else {}), wait=wait)
        body = answer.body
        if not isinstance(body, dict):
            raise FeedError("the answer is not a TAXII envelope; is this the address of an API root?")
        objects = [obj for obj in _list(body.get("objects")) if isinstance(obj, dict)]
        first, last = (_timestamp(answer.headers.get(f"X-TAXII-Date-Added-{end}")) for end in ("First", "Last"))
        token, more = body.get("next"), body.get("more") is True
        if objects and (first is None or last is None):
            raise FeedError("the server does not say when it added the objects: the X-TAXII-Date-Added headers lack")
        after = query.get("added_after")
        if after is not None and first is not None and parse_timestamp(first) < parse_timestamp(after):
            raise FeedError("the server gives objects from before the bookmark: it has dated them back")
        # Some servers keep one `next` for the whole feed, so only what is on the pages shows that it runs in circles.
        content = sha256_hex(orjson.dumps([objects, last] if objects else [token, last]))
        if content in seen:
            raise FeedError("the server gives the same page again and again")
        seen.add(content)
        yield FeedPage(objects, first, last, more, "Preference-Applied" in answer.headers)
        if not more:
            return
        if isinstance(token, str) and token:
            following = token
        elif last is not None and last != query.get("added_after"):
            query["added_after"], following = last, None
        else:
            raise FeedError("the server says there is more, but not how to get it")


def followed(
    transport: Transport, url: str, *, added_after: str | None, limit: int | None, filters: Mapping[str, str]
) -> Iterator[FeedPage]:
    """Yield pages as `pages` does, and go on at the end, for ever: the server is asked to wait for more.

    A line that is down or a server that is busy is asked again later; one that does not wait is asked now and then.

    :raises RemoteError: the server refuses. :raises FeedError: what it says makes no sense.
    """
    wait: int | None = None
    while True:
        page: FeedPage | None = None
        try:
            for page in pages(transport, url, added_after=added_after, limit=limit, filters=filters, wait=wait):
                added_after = page.last or added_after
                yield page
        except RemoteError as error:
            if isinstance(error, FeedError) or not _passing(error):
                raise
            _pause(transport, error.detail)
            continue
        if wait is not None and page is not None and not page.objects and not page.waited:
            _pause(transport, "there is nothing new, and the server does not wait")
        wait = limits.WAIT_SECONDS


def _passing(error: RemoteError) -> bool:
    """Say whether it may be otherwise later: the line is down, or the server is busy or being restarted."""
    return error.http_status is None or error.http_status >= 500 or error.http_status in (408, 425, 429)


def _pause(transport: Transport, reason: str) -> None:
    seconds = random.uniform(*RETURN_SECONDS)  # noqa: S311 - jitter, not a secret
    transport.notice(f"{reason}; asking again in {seconds:.0f} s")
    transport.sleep(seconds)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _timestamp(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parse_timestamp(value)
    except ValueError:
        raise FeedError("the X-TAXII-Date-Added header is not a timestamp") from None
    return value
