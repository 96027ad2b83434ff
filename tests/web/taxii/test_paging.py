"""Paging by ``next`` and by ``added_after``: no object twice, none lost, no token that widens what may be seen."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from hub.domain import limits
from hub.store import collections, groups
from hub.web.app import create_app
from tests.web.taxii.world import MANIFEST, OBJECTS, STAMPS, Answer, Client, World, indicator, indicators, malware

ALL = [each["id"] for each in indicators(7)]
VERSIONS = OBJECTS + indicator(1)["id"] + "/versions/"
SINGLE = OBJECTS + indicator(1)["id"] + "/"


@pytest.fixture
def filled(world: World) -> World:
    world.aa.add("indicators", *indicators(7))
    return world


def pages(client: Client, path: str, query: str = "", *, last_wins: bool = False) -> list[Answer]:
    """Follow ``next``, or with ``last_wins`` the date of the last object, to the end."""
    answers = [client.get(f"{path}?{query}")]
    while answers[-1].json["more"]:
        assert len(answers) < 20
        follow = f"added_after={answers[-1].dates[1]}" if last_wins else f"next={quote(answers[-1].json['next'])}"
        answers.append(client.get(f"{path}?{query}&{follow}"))
        assert answers[-1].status == 200
    return answers


@pytest.mark.parametrize("last_wins", [False, True], ids=["next", "added_after"])
def test_pages_bring_every_object_once_and_in_order(filled: World, last_wins: bool) -> None:
    for path in (OBJECTS, MANIFEST):
        for limit in (1, 3, 6, 7, 8):
            answers = pages(filled.aa, path, f"limit={limit}", last_wins=last_wins)
            assert [each for answer in answers for each in answer.ids] == ALL
            assert [len(answer.ids) for answer in answers[:-1]] == [limit] * (len(answers) - 1)
            assert len(answers) == -(-7 // limit)


def test_more_is_true_exactly_with_next_and_no_page_is_empty(filled: World) -> None:
    for answer in pages(filled.aa, OBJECTS, "limit=7") + pages(filled.aa, MANIFEST, "limit=2"):
        assert ("next" in answer.json) is answer.json["more"]
        assert answer.json["objects"]


def test_the_dates_of_a_page_are_those_of_its_own_first_and_last_object(filled: World) -> None:
    dates = [each["date_added"] for each in filled.aa.get(MANIFEST).json["objects"]]
    assert len(set(dates)) == len(dates) == 7
    assert dates == sorted(dates)
    for path in (OBJECTS, MANIFEST):
        seen = [answer.dates for answer in pages(filled.aa, path, "limit=3")]
        assert seen == [(dates[0], dates[2]), (dates[3], dates[5]), (dates[6], dates[6])]


def test_versions_and_single_objects_are_paged_too(world: World) -> None:
    for stamp in STAMPS:
        world.aa.add("indicators", indicator(1, stamp))
    for last_wins in (False, True):
        answers = pages(world.aa, VERSIONS, "limit=2", last_wins=last_wins)
        assert [each for answer in answers for each in answer.json["versions"]] == STAMPS
        answers = pages(world.aa, SINGLE, "limit=2&match[version]=all", last_wins=last_wins)
        assert [each["modified"] for answer in answers for each in answer.json["objects"]] == STAMPS
        answers = pages(world.aa, MANIFEST, "limit=2&match[version]=all", last_wins=last_wins)
        assert [each["version"] for answer in answers for each in answer.json["objects"]] == STAMPS


def test_the_hub_bounds_a_page_and_says_that_there_is_more(filled: World) -> None:
    small = filled.with_bounds(page_objects_default=2, page_objects_max=3).aa
    assert small.get(OBJECTS).ids == ALL[:2]
    assert small.get(f"{OBJECTS}?limit=100").ids == ALL[:3]
    assert [each for answer in pages(small, OBJECTS) for each in answer.ids] == ALL
    assert [each for answer in pages(small, OBJECTS, last_wins=True) for each in answer.ids] == ALL
    assert limits.PAGE_OBJECTS_DEFAULT == 1000


def test_a_page_is_bounded_in_octets_too_but_never_empty(filled: World) -> None:
    tiny = filled.with_bounds(page_bytes_max=1).aa
    answers = pages(tiny, OBJECTS)
    assert [answer.ids for answer in answers] == [[each] for each in ALL]


def test_limit_may_appear_change_or_vanish_between_pages(filled: World) -> None:
    small = filled.with_bounds(page_objects_default=2).aa
    token = quote(small.get(OBJECTS).json["next"])
    assert small.get(f"{OBJECTS}?next={token}").ids == ALL[2:4]
    assert small.get(f"{OBJECTS}?limit=5&next={token}").ids == ALL[2:]
    assert small.get(f"{OBJECTS}?limit=1&next={token}").ids == ALL[2:3]


def test_a_client_that_drops_its_filters_beside_next_keeps_them(filled: World) -> None:
    filled.aa.add("indicators", malware(1))
    query = "match[type]=indicator&added_after=2026-11-01T00:00:00Z"
    first = filled.aa.get(f"{OBJECTS}?limit=2&{query}")
    rest = filled.aa.get(f"{OBJECTS}?next={quote(first.json['next'])}")
    assert first.ids + rest.ids == ALL[1:]
    assert filled.aa.get(f"{OBJECTS}?{query}&next={quote(first.json['next'])}").ids == rest.ids


@pytest.mark.parametrize(
    "contradiction", ["match[type]=malware", "added_after=2026-11-01T00:00:00.5Z", "match[id]=x", "match[version]=all"]
)
def test_a_filter_that_contradicts_next_is_400(filled: World, contradiction: str) -> None:
    token = quote(filled.aa.get(f"{OBJECTS}?limit=2&match[type]=indicator").json["next"])
    answer = filled.aa.get(f"{OBJECTS}?next={token}&{contradiction}")
    assert answer.status == 400
    assert answer.json["details"] == {"field": "next"}


def test_next_may_be_replayed_and_survives_a_restart_and_days(filled: World) -> None:
    token = quote(filled.aa.get(f"{OBJECTS}?limit=3").json["next"])
    first = filled.aa.get(f"{OBJECTS}?limit=3&next={token}")
    filled.clock.advance(30 * 24 * 3600)
    restarted = replace(filled, app=create_app(replace(filled.hub)))
    for client in (filled.aa, restarted.aa):
        assert client.get(f"{OBJECTS}?limit=3&next={token}").body == first.body


def test_next_is_good_for_one_endpoint_one_collection_and_one_peer_only(filled: World) -> None:
    filled.bb.add("incidents", *indicators(3, start=20))
    token = quote(filled.aa.get(f"{OBJECTS}?limit=2").json["next"])
    elsewhere = [
        (filled.aa, MANIFEST),
        (filled.aa, OBJECTS.replace("indicators", "incidents")),
        (filled.aa, SINGLE),
        (filled.aa, VERSIONS),
        (filled.bb, OBJECTS),
        (filled.bb, OBJECTS.replace("alpha", "bravo")),
    ]
    bodies = set()
    for client, path in elsewhere:
        answer = client.get(f"{path}?next={token}")
        assert answer.status == 400
        bodies.add(answer.json["description"])
    bodies.add(filled.aa.get(f"{OBJECTS}?next=made-up").json["description"])
    assert len(bodies) == 1


def test_the_alias_and_the_id_share_their_tokens(filled: World) -> None:
    token = quote(filled.aa.get(f"{OBJECTS}?limit=2").json["next"])
    by_id = f"/alpha/collections/{filled.aa.get('/alpha/collections/indicators/').json['id']}/objects/"
    assert filled.aa.get(f"{by_id}?next={token}").ids == ALL[2:]


def test_rights_are_checked_again_on_every_page(filled: World) -> None:
    token = quote(filled.aa.get(f"{OBJECTS}?limit=2").json["next"])
    with filled.hub.db.write() as tx:
        alpha = groups.by_slug(tx, "alpha")
        assert alpha is not None
        opened = collections.by_ref(tx, alpha.id, "indicators")
        assert opened is not None
        collections.set_override(tx, opened.id, filled.peers["aa"].id, False, None)
    assert filled.aa.get(f"{OBJECTS}?next={token}").status == 403


def test_what_is_deleted_between_two_pages_is_not_served_and_nothing_else_is_lost(filled: World) -> None:
    first = filled.aa.get(f"{OBJECTS}?limit=3&match[type]=indicator")  # the notices of the deletions come after
    for gone in (ALL[1], ALL[4]):
        assert filled.aa.delete(f"{OBJECTS}{gone}/").status == 200
    rest = filled.aa.get(f"{OBJECTS}?next={quote(first.json['next'])}")
    assert rest.ids == [ALL[3], *ALL[5:]]


def test_a_page_emptied_by_deletions_repeats_its_place(filled: World) -> None:
    first = filled.aa.get(f"{OBJECTS}?limit=6&match[type]=indicator")
    filled.aa.delete(f"{OBJECTS}{ALL[6]}/")
    rest = filled.aa.get(f"{OBJECTS}?next={quote(first.json['next'])}")
    assert (rest.status, rest.json) == (200, {"more": False})
    assert rest.dates == (first.dates[1], first.dates[1])


def test_what_is_added_while_paging_comes_at_the_end(filled: World) -> None:
    first = filled.aa.get(f"{OBJECTS}?limit=5")
    filled.bb.add("indicators", indicator(8))
    rest = filled.aa.get(f"{OBJECTS}?next={quote(first.json['next'])}")
    assert rest.ids == [*ALL[5:], indicator(8)["id"]]


def test_many_ids_can_be_paged_within_a_url(world: World) -> None:
    world.aa.add("indicators", *indicators(4))
    ids = ",".join(each["id"] for each in indicators(900))
    answers = pages(world.aa, OBJECTS, f"limit=3&match[id]={ids}")
    assert [len(answer.ids) for answer in answers] == [3, 1]
