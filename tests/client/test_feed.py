"""A collection as a feed: page after page, whatever the server does with `next` and `more`."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.client.feed import FeedPage, collection_url, pages
from hub.client.transport import RemoteError
from tests.client.conftest import Session
from tests.client.scripted_server import Asked, Reply, ScriptedServer, envelope

D = [f"2026-11-0{day}T00:00:00.000000Z" for day in range(1, 8)]


def obj(number: int) -> dict[str, Any]:
    return {"type": "note", "id": f"note--{number}"}


def read(session: Session, server: ScriptedServer, **changes: Any) -> list[FeedPage]:
    named = {"added_after": None, "limit": None, "filters": {}} | changes
    return list(pages(session.transport, collection_url(server.url, "c"), **named))


def queries(server: ScriptedServer) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(asked.target).query) for asked in server.asked]


@pytest.mark.parametrize("root", ["https://hub.example/alpha", "https://hub.example/alpha/"])
def test_a_collection_has_one_address(root: str) -> None:
    assert collection_url(root, "incidents") == "https://hub.example/alpha/collections/incidents/"
    assert collection_url(root, "../x?y") == "https://hub.example/alpha/collections/..%2Fx%3Fy/"


def test_an_empty_collection_is_one_empty_page(server: ScriptedServer, session: Session) -> None:
    server.replies(envelope())
    assert read(session, server) == [FeedPage([], None, None, more=False)]


def test_next_is_followed_with_the_same_filters(server: ScriptedServer, session: Session) -> None:
    server.replies(
        envelope(obj(1), dates=(D[0], D[0]), more=True, next="two"),
        envelope(obj(2), obj(3), dates=(D[1], D[2]), more=True, next="three"),
        envelope(obj(4), dates=(D[3], D[3]), more=False),
    )
    found = read(session, server, added_after=D[0], limit=2, filters={"match[type]": "note"})
    assert [len(page.objects) for page in found] == [1, 2, 1]
    assert found[1].first == D[1]
    assert found[1].last == D[2]
    same = {"added_after": [D[0]], "limit": ["2"], "match[type]": ["note"]}
    assert queries(server) == [same, same | {"next": ["two"]}, same | {"next": ["three"]}]


def test_a_server_that_keeps_one_next_for_the_whole_feed_is_followed(server: ScriptedServer, session: Session) -> None:
    """As medallion does."""
    server.replies(
        envelope(obj(1), dates=(D[0], D[0]), more=True, next="same"),
        envelope(obj(2), dates=(D[1], D[1]), more=True, next="same"),
        envelope(obj(3), dates=(D[1], D[1]), more=False),
    )
    assert len(read(session, server)) == 3


def test_more_without_next_goes_on_by_the_last_date(server: ScriptedServer, session: Session) -> None:
    server.replies(
        envelope(obj(1), dates=(D[0], D[1]), more=True),
        envelope(obj(2), dates=(D[2], D[3]), more=True),
        envelope(obj(3), dates=(D[4], D[4])),
    )
    assert len(read(session, server)) == 3
    assert [query.get("added_after") for query in queries(server)] == [None, [D[1]], [D[3]]]


def test_more_without_a_way_to_get_it_is_an_error(server: ScriptedServer, session: Session) -> None:
    server.replies(envelope(more=True))
    with pytest.raises(RemoteError, match="there is more, but not how to get it"):
        read(session, server)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_server_that_runs_in_circles_is_noticed(server: ScriptedServer, session: Session, length: int) -> None:
    count = [0]

    def circle(_: Asked) -> Reply:
        count[0] += 1
        number = count[0] % length
        return envelope(obj(number), dates=(D[number], D[number]), more=True, next=f"token-{count[0]}")

    server.script = circle
    with pytest.raises(RemoteError, match="the same page again and again"):
        read(session, server)
    assert count[0] == length + 1


def test_empty_pages_with_the_same_next_are_a_circle_too(server: ScriptedServer, session: Session) -> None:
    server.replies(envelope(more=True, next="on"))
    with pytest.raises(RemoteError, match="again and again"):
        read(session, server)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"1"])
def test_what_is_no_envelope_is_an_error(server: ScriptedServer, session: Session, body: bytes) -> None:
    server.replies(Reply(200, body))
    with pytest.raises(RemoteError, match="not a TAXII envelope"):
        read(session, server)


def test_objects_that_are_no_list_are_no_objects(server: ScriptedServer, session: Session) -> None:
    server.replies(Reply(200, b'{"objects": {"id": "x"}}'))
    assert read(session, server)[0].objects == []


@pytest.mark.parametrize("dates", [None, ("yesterday", "today")], ids=["missing", "nonsense"])
def test_objects_need_the_dates_when_they_were_added(
    server: ScriptedServer, session: Session, dates: tuple[str, str] | None
) -> None:
    server.replies(envelope(obj(1), dates=dates))
    with pytest.raises(RemoteError, match="X-TAXII-Date-Added"):
        read(session, server)
