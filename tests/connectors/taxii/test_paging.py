"""Whatever a server does wrong: every object comes, the run ends, and a killed run loses none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.taxii import bookmark
from connectors.taxii.paging import LARGEST_PAGE, RESTARTS, STALE_PAGES, Given, Page, Pages
from hub.client.remote import RemoteError
from tests.connectors.taxii.feigned_server import NOW, FeignedServer

DAY = NOW - NOW % 86_400_000_000 - 86_400_000_000


def _read(server: FeignedServer, after: int | None = None, *, limit: int = 3, overlap: int = 0) -> list[Given]:
    return list(Pages(server.fetch, limit=limit, now=NOW, overlap=overlap).read(after))


def _names(given: list[Given]) -> list[str]:
    return [obj["id"] for one in given for obj in one.objects]


_DATES = st.lists(st.integers(0, 12), max_size=25).map(lambda steps: sorted(DAY + step for step in steps))
_SERVERS = st.builds(
    FeignedServer,
    dates=_DATES,
    cap=st.sampled_from([1, 2, 3, 100]),
    next=st.sampled_from(["stateless", "popped", "constant", "ignored"]),
    inclusive=st.booleans(),
    lost=st.frozensets(st.integers(2, 9), max_size=2),
)


@settings(max_examples=100, deadline=None)
@given(server=_SERVERS, overlap=st.sampled_from([0, 3, 5_000_000]), stopped=st.integers(0, 12))
def test_nothing_is_lost_wherever_a_run_is_stopped(server: FeignedServer, overlap: int, stopped: int) -> None:
    """A run that ends by itself has everything; one that is stopped and begun anew from its bookmark has it too."""
    limit = server.cap
    if server.next == "ignored" and max((server.dates.count(date) for date in server.dates), default=0) >= limit:
        return  # more of one date than fit on a page, and no way to the rest: told apart below
    had: list[Given] = []
    floor: int | None = None
    try:
        for one in Pages(server.fetch, limit=limit, now=NOW, overlap=overlap).read(None):
            had.append(one)
            floor = one.floor
            if len(had) == stopped:
                break
    except RemoteError:
        assert server.lost  # only a broken line ends it early
    server.lost = frozenset()
    had += _read(server, floor, limit=limit, overlap=overlap)
    assert set(_names(had)) == set(server.everything)


@pytest.mark.parametrize("following", ["none", "stateless", "popped", "constant", "ignored"])
@pytest.mark.parametrize("inclusive", [False, True], ids=["after", "inclusive"])
def test_each_object_comes_once_in_a_run(following: str, inclusive: bool) -> None:
    server = FeignedServer([DAY + place // 2 for place in range(20)], next=following, inclusive=inclusive)
    assert sorted(_names(_read(server))) == sorted(server.everything)


@pytest.mark.parametrize("following", ["stateless", "popped", "constant"])
def test_a_thousand_objects_of_one_date_come_through_next(following: str) -> None:
    server = FeignedServer([DAY] * 1_000, cap=50, next=following)
    assert len(set(_names(_read(server, limit=50)))) == 1_000


def test_a_page_that_is_all_of_one_date_is_asked_for_larger_when_there_is_no_next() -> None:
    server = FeignedServer([DAY] * 40 + [DAY + 1], cap=LARGEST_PAGE, next="none")
    assert len(_names(_read(server, limit=3))) == 41


def test_objects_of_one_date_that_a_server_will_not_give_are_passed_and_counted() -> None:
    server = FeignedServer([DAY] * 5 + [DAY + 1] * 2, cap=3, next="none")
    pages = Pages(server.fetch, limit=3, now=NOW, overlap=0)
    names = [obj["id"] for one in pages.read(None) for obj in one.objects]
    assert (names, pages.skipped) == (["object-0", "object-1", "object-2", "object-5", "object-6"], 1)


@pytest.mark.parametrize("lost", [2, 3, 4])
def test_a_page_that_was_used_up_by_a_lost_answer_is_asked_for_by_date(lost: int) -> None:
    server = FeignedServer([DAY + place for place in range(12)], next="popped", lost=frozenset({lost}))
    assert set(_names(_read(server))) == set(server.everything)


def test_a_server_that_never_understands_its_own_next_is_given_up() -> None:
    server = FeignedServer([DAY] * 10, next="popped", lost=frozenset(range(2, 100, 2)))
    with pytest.raises(RemoteError, match="no answer"):
        _read(server)
    assert server.asked == 2 * (RESTARTS + 1)


def test_the_first_request_of_all_is_not_tried_again_here() -> None:
    server = FeignedServer([DAY], lost=frozenset({1}))
    with pytest.raises(RemoteError):
        _read(server)
    assert server.asked == 1


def test_a_server_without_dates_is_read_to_the_end_and_asked_again_from_before_the_run() -> None:
    server = FeignedServer([DAY + place for place in range(10)], dated=False)
    given = _read(server)
    assert _names(given) == server.everything
    assert [one.floor for one in given[:-1]] == [None] * 3
    assert given[-1].floor == NOW - bookmark.UNDATED_SECONDS * bookmark.SECOND


def test_more_without_next_and_without_dates_cannot_be_had() -> None:
    with pytest.raises(RemoteError, match="neither `next` nor dates"):
        _read(FeignedServer([DAY] * 10, dated=False, next="none"))


def test_empty_pages_that_never_end_are_given_up() -> None:
    empty = Page(objects=[], unreadable=0, first=None, last=None, more=True, next="x", asked=None)
    asked: list[object] = []

    def fetch(*query: object) -> Page:
        asked.append(query)
        return empty

    with pytest.raises(RemoteError, match="again and again"):
        list(Pages(fetch, limit=3, now=NOW, overlap=0).read(None))
    assert len(asked) == STALE_PAGES + 1


def test_a_date_in_the_future_does_not_carry_the_bookmark_along() -> None:
    year = 365 * 86_400_000_000
    given = _read(FeignedServer([DAY, NOW + year]))
    assert given[-1].floor is not None
    assert given[-1].floor < NOW


def test_the_bookmark_never_goes_back() -> None:
    assert _read(FeignedServer([DAY]), DAY + 5)[-1].floor == DAY + 5


def test_a_server_that_does_not_sort_gets_no_bookmark_before_the_end() -> None:
    dates = iter([(DAY + 9, DAY + 9, True), (DAY + 1, DAY + 1, True), (DAY + 5, DAY + 5, False)])

    def fetch(*_: object) -> Page:
        first, last, more = next(dates)
        return Page([{"id": str(last)}], 0, first, last, more, "x" if more else None, NOW)

    pages = Pages(fetch, limit=1, now=NOW, overlap=0)
    floors = [one.floor for one in pages.read(DAY)]
    assert (pages.unsorted, floors[1:]) == (True, [DAY, DAY + 8])


@pytest.mark.parametrize(
    ("last", "asked"),
    [(5_000_000, 4_000_000), (5_001_000, 5_000_000), (5_000_001, 5_000_000)],
    ids=["seconds", "milliseconds", "microseconds"],
)
def test_a_bookmark_lies_one_step_before_the_date_in_the_servers_own_resolution(last: int, asked: int) -> None:
    assert bookmark.safe(last, NOW, 0) == asked
    assert bookmark.safe(last, NOW, 3_000_000) == min(asked, last - 3_000_000)


@pytest.mark.parametrize("text", ["soon", "2026-13-01T00:00:00Z", "{}"])
def test_a_bookmark_that_is_none_of_ours_is_said(text: str) -> None:
    with pytest.raises(Exception, match="remove the connector's state"):
        bookmark.read(text)


def test_a_bookmark_reads_as_it_was_written() -> None:
    assert bookmark.read(bookmark.write(NOW + 1)) == NOW + 1
    assert bookmark.read(None) is None
