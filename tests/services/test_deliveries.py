"""The delivery ledger, through the reading that fills it: what it says was served is what was answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain import limits
from hub.domain.audience import WHOLE_GROUP, Audience
from hub.domain.membership import Right
from hub.domain.served import ServedRange, ServedVersion, proof, strongest
from hub.domain.stix import version_key
from hub.domain.taxii import Query, VersionMatch
from hub.services import collections, deliveries, members, peers, read
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import entries as entry_store
from hub.store import pages
from hub.store import served as store
from hub.store.pages import Selection
from tests.services.desk import EVERY_VERSION, Desk, domain, later

FAR = 2**60


def ledger(desk: Desk, handle: str = "bb", alias: str = "incidents") -> list[ServedRange]:
    """Return what is noted of a reader, once everything is."""
    deliveries.flush(desk.hub)
    collection = desk.opened("aa", alias).collection.id
    with desk.hub.db.read() as tx:
        rows = store.covering(tx, collection, 0, FAR)
    return [one for peer_id, one in rows if peer_id == desk.callers[handle].peer.id]


def get(desk: Desk, query: Query, handle: str = "bb") -> pages.Page:
    return read.objects(desk.hub, desk.callers[handle], desk.opened(handle), query)


def test_a_feed_read_to_its_end_in_many_polls_is_one_row(desk: Desk) -> None:
    place: int | None = None
    for number in range(6):
        desk.share("aa", desk.incident(name=f"Incident {number}"), desk.incident())
        desk.wait(60)
        page = get(desk, Query(added_after=place, limit=1))
        while page.more:
            page = get(desk, Query(added_after=place, position=page.last, limit=1))
        place = page.last
        assert get(desk, Query(added_after=place)).bodies == []
        deliveries.flush(desk.hub)
    (row,) = ledger(desk)
    assert (row.after, row.upto, row.how, row.types) == (0, place, "page", None)
    assert row.last_at - row.first_at == 5 * 60 * 1_000_000


def test_a_row_says_when_to_the_hour_and_old_ones_to_the_day(desk: Desk) -> None:
    for _ in range(12):
        desk.share("aa", desk.incident())
        get(desk, Query())
        deliveries.flush(desk.hub)
        desk.wait(30 * 60)
    before = ledger(desk)
    assert len(before) == 4
    assert all(one.last_at - one.first_at <= limits.SERVED_WINDOW_US for one in before)
    assert deliveries.compact(desk.hub) == 0
    desk.wait(8 * 24 * 3600)
    assert deliveries.compact(desk.hub) == 3
    (row,) = ledger(desk)
    assert (row.first_at, row.last_at) == (before[0].first_at, before[-1].last_at)
    assert row.upto == before[-1].upto


def test_a_page_cut_off_at_its_limit_is_noted_only_up_to_its_last_object(desk: Desk) -> None:
    desk.share("aa", *(desk.incident() for _ in range(3)))
    page = get(desk, Query(limit=2))
    assert [(one.after, one.upto) for one in ledger(desk)] == [(0, page.last)]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(lambda ids: Query(ids=(ids[0], ids[2])), id="by id"),
        pytest.param(lambda ids: Query(versions=VersionMatch(last=False, first=True)), id="the first versions"),
        pytest.param(
            lambda ids: Query(versions=VersionMatch(exact=frozenset({version_key("2026-11-22T12:00:00Z")}))), id="exact"
        ),
        pytest.param(lambda ids: Query(types=("incident", *(f"x-{n}-" + "y" * 60 for n in range(9)))), id="many types"),
    ],
)
def test_what_was_chosen_one_by_one_is_noted_one_by_one(desk: Desk, asked: Callable[[list[str]], Query]) -> None:
    made = [desk.incident(name=f"Incident {number}") for number in range(3)]
    for one in made:
        desk.share("aa", one)
        desk.wait(1)
    page = get(desk, asked([one["id"] for one in made]))
    assert page.dates
    assert [(one.after, one.upto) for one in ledger(desk)] == [(date - 1, date) for date in page.dates]
    assert {one.how for one in ledger(desk)} == {"object"}


def test_what_is_fetched_by_its_id_again_and_again_is_one_row(desk: Desk) -> None:
    made = desk.incident()
    desk.share("aa", made)
    for _ in range(5):
        read.one(desk.hub, desk.callers["bb"], desk.opened("bb"), made["id"], Query())
        deliveries.flush(desk.hub)
        desk.wait(5 * 3600)
    (row,) = ledger(desk)
    assert (row.how, row.upto - row.after, row.last_at - row.first_at) == ("object", 1, 20 * 3600 * 1_000_000)


def test_nothing_is_noted_of_manifests_empty_pages_and_what_is_not_sent(desk: Desk) -> None:
    made = desk.incident()
    desk.share("aa", made)
    bb, opened = desk.callers["bb"], desk.opened("bb")
    read.manifest(desk.hub, bb, opened, Query())
    read.versions(desk.hub, bb, opened, made["id"], Query())
    read.objects(desk.hub, bb, opened, Query(added_after=desk.now() + 10**9))
    read.objects(desk.hub, bb, opened, Query(spec_versions=("2.0",)))
    read.objects(desk.hub, bb, opened, Query(), delivers=False)
    read.one(desk.hub, bb, opened, made["id"], Query(), delivers=False)
    assert ledger(desk) == []


def test_holders_are_those_who_were_served_any_of_it_within_its_first_audience(desk: Desk) -> None:
    desk.share("aa", desk.incident())
    desk.share("aa", domain())
    opened = desk.opened("bb")
    bb, ee = desk.callers["bb"].peer.id, desk.callers["ee"].peer.id
    get(desk, Query(types=("domain-name",)))
    get(desk, Query(limit=1), "ee")
    deliveries.flush(desk.hub)
    with desk.hub.db.read() as tx:
        page = pages.objects(tx, Selection(opened.collection.id, bb, desk.now()))
        (incident, address) = ((page.dates[0], "incident"), (page.dates[-1], "domain-name"))

        def holders(*entries: tuple[int, str], audience: Audience = WHOLE_GROUP) -> frozenset[int]:
            return deliveries.holders(tx, opened.collection.id, [(*one, audience) for one in entries])

        assert holders(incident) == {ee}
        assert holders(address) == {bb}
        assert holders(incident, address) == {bb, ee}
        assert holders(address, incident, audience=Audience("except", frozenset({bb}))) == {ee}
        assert holders() == frozenset()
        assert holders((FAR, "incident")) == frozenset()


@pytest.fixture
def answered() -> set[int]:
    """The dates of all that was answered in any of the examples, which share a desk."""
    return set()


QUERIES = st.builds(
    Query,
    added_after=st.sampled_from([None, -3, -1]),
    limit=st.sampled_from([None, 1, 2]),
    ids=st.sampled_from([None, (0,)]),
    types=st.sampled_from([None, ("incident",), ("domain-name", "incident")]),
    versions=st.sampled_from(
        [VersionMatch(), EVERY_VERSION, VersionMatch(last=False, first=True), VersionMatch(first=True)]
    ),
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.one_of(st.sampled_from(["new", "again", "address", "flush"]), QUERIES), max_size=14))
def test_whatever_is_asked_the_ledger_covers_what_was_answered_and_says_served_of_nothing_else(
    desk: Desk, answered: set[int], steps: list[object]
) -> None:
    made: list[dict[str, object]] = []
    for step in steps:
        desk.wait(7)
        if step == "new" or (step == "again" and not made):
            made.append(desk.incident())
            desk.share("aa", made[-1])
        elif step == "again":
            made[0] = later(made[0])
            desk.share("aa", made[0])
        elif step == "address":
            desk.share("aa", domain(f"d{desk.now()}.example.com"))
        elif step == "flush":
            deliveries.flush(desk.hub)
        elif isinstance(step, Query):
            seconds, ids = step.added_after, step.ids
            after = None if seconds is None else desk.now() + seconds * 7_000_000
            chosen = None if ids is None else tuple(str(one["id"]) for one in made[:1])
            query = Query(after, step.limit, None, chosen, step.types, step.versions)
            answered |= set(get(desk, query).dates)
    ranges = ledger(desk)
    collection = desk.opened("bb").collection.id
    bb = desk.callers["bb"].peer.id
    with desk.hub.db.read() as tx:
        everything = Selection(collection, bb, desk.now(), limit=FAR, versions=EVERY_VERSION)
        for stix_id, date_added, _ in pages.manifest(tx, everything).records:
            stored = ServedVersion(date_added, stix_id.partition("--")[0], superseded_at(desk, stix_id, date_added))
            said = strongest(proof(one, stored) for one in ranges)
            if date_added in answered:
                assert said in ("served", "served-this-or-later")
                assert bb in deliveries.holders(tx, collection, [(date_added, stored.type, WHOLE_GROUP)])
            else:
                assert said != "served"


def superseded_at(desk: Desk, stix_id: str, date_added: int) -> int | None:
    with desk.hub.db.read() as tx:
        later_ones = [one.date_added for one in entry_store.known(tx, [stix_id])[stix_id] if one.version_key]
    if stix_id.startswith("domain-name"):
        return None
    return max((date for date in later_ones if date > date_added), default=None)


def test_two_processes_that_note_the_same_reader_lose_nothing(desk: Desk) -> None:
    desk.share("aa", *(desk.incident() for _ in range(4)))
    get(desk, Query(limit=1))
    deliveries.flush(desk.hub)
    get(desk, Query(limit=4))
    mine = desk.hub.deliveries.take()
    get(desk, Query(limit=2))
    deliveries.flush(desk.hub)
    desk.hub.deliveries.put_back(mine)
    (row,) = ledger(desk)
    assert row.upto == get(desk, Query()).dates[3]


def test_what_cannot_be_written_waits_for_the_next_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.share("aa", desk.incident())
    get(desk, Query())

    def broken(*given: object) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patched:
        patched.setattr(store, "replace", broken)
        with pytest.raises(RuntimeError):
            deliveries.flush(desk.hub)
    assert len(ledger(desk)) == 1


LOSSES: dict[str, Callable[[Desk], object]] = {
    "suspended": lambda desk: members.suspend(desk.hub, OPERATOR, "alpha", "bb"),
    "removed": lambda desk: members.remove(desk.hub, OPERATOR, "alpha", "bb"),
    "the right to read taken": lambda desk: members.put(desk.hub, OPERATOR, "alpha", "bb", {Right.WRITE}),
    "narrowed here": lambda desk: collections.set_rights(desk.hub, OPERATOR, "alpha", "incidents", "bb", (False, None)),
    "the peer suspended": lambda desk: peers.update(desk.hub, OPERATOR, "bb", suspended=True),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_whoever_loses_the_right_to_read_is_presumed_to_have_read_everything_until_then(
    desk: Desk, lose: Callable[[Desk], object]
) -> None:
    desk.share("aa", desk.incident())
    lose(desk)
    lose_date = desk.now()
    (row,) = ledger(desk)
    assert (row.how, row.after, row.types, row.last_at) == ("presumed", 0, None, lose_date)
    desk.share("aa", later_incident := desk.incident())
    with desk.hub.db.read() as tx:
        stored = entry_store.known(tx, [later_incident["id"]])[later_incident["id"]]
        collection = desk.opened("aa").collection.id
        assert deliveries.holders(tx, collection, [(row.upto, "incident", WHOLE_GROUP)]) == {desk.callers["bb"].peer.id}
        assert deliveries.holders(tx, collection, [(stored[0].date_added, "incident", WHOLE_GROUP)]) == frozenset()


KEEPS: dict[str, Callable[[Desk], object]] = {
    "suspended elsewhere": lambda desk: members.suspend(desk.hub, OPERATOR, "bravo", "bb"),
    "the right to write taken": lambda desk: members.put(desk.hub, OPERATOR, "alpha", "bb", {Right.READ}),
    "narrowed in the other collection": lambda desk: collections.set_rights(
        desk.hub, OPERATOR, "alpha", "indicators", "bb", (False, None)
    ),
    "suspended when he could read nothing": lambda desk: (
        collections.set_rights(desk.hub, OPERATOR, "alpha", "incidents", "ee", (False, None)),
        members.suspend(desk.hub, OPERATOR, "alpha", "ee"),
    ),
}


@pytest.mark.parametrize("change", KEEPS.values(), ids=KEEPS)
def test_whoever_may_still_read_is_presumed_nothing(desk: Desk, change: Callable[[Desk], object]) -> None:
    desk.share("aa", desk.incident())
    change(desk)
    assert ledger(desk) == []
    assert len(ledger(desk, "ee")) <= 1


def test_losing_the_right_again_moves_what_is_presumed(desk: Desk) -> None:
    for _ in range(2):
        desk.share("aa", desk.incident())
        members.suspend(desk.hub, OPERATOR, "alpha", "bb")
        members.restore(desk.hub, OPERATOR, "alpha", "bb")
        desk.wait(60)
    (row,) = ledger(desk)
    assert row.upto == get(desk, Query()).last
