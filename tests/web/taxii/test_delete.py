"""DELETE: the object is gone for good, or the versions that were named, and only its own people may do it."""

from __future__ import annotations

import pytest

from tests.web.taxii.world import MANIFEST, OBJECTS, STAMPS, TAXII, UNKNOWN_UUID, Client, World, indicator

SINGLE = OBJECTS + indicator(1)["id"] + "/"


@pytest.fixture
def versioned(world: World) -> World:
    for stamp in STAMPS[:3]:
        world.aa.add("indicators", indicator(1, stamp))
    return world


def test_delete_answers_200_without_a_payload(versioned: World) -> None:
    answer = versioned.aa.delete(SINGLE)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == TAXII


def test_all_versions_are_gone_everywhere_in_the_collection(versioned: World) -> None:
    versioned.aa.delete(SINGLE)
    for client in (versioned.aa, versioned.bb):
        assert client.get(SINGLE).status == 404
        assert client.get(SINGLE + "?match[version]=all").status == 404
        assert client.get(SINGLE + "versions/").status == 404
        for path in (OBJECTS, MANIFEST):
            (notice,) = client.get(path + "?match[version]=all").ids  # all that is left says that it is gone
            assert notice.startswith("note--")
    assert versioned.aa.delete(SINGLE).status == 404


def test_named_versions_go_and_the_others_stay(versioned: World) -> None:
    assert versioned.aa.delete(f"{SINGLE}?match[version]={STAMPS[1]}").status == 200
    assert versioned.aa.get(SINGLE + "versions/").json["versions"] == [STAMPS[0], STAMPS[2]]
    assert versioned.aa.delete(f"{SINGLE}?match[version]=last&match[spec_version]=2.1").status == 200
    assert versioned.aa.get(SINGLE).json["objects"] == [indicator(1, STAMPS[0])]
    assert versioned.aa.delete(f"{SINGLE}?match[version]=all").status == 200
    assert versioned.aa.get(SINGLE).status == 404


@pytest.mark.parametrize("query", ["match[version]=2020-01-01T00:00:00.000Z", "match[spec_version]=2.0"])
def test_a_version_that_is_not_there_is_404_and_nothing_goes(versioned: World, query: str) -> None:
    assert versioned.aa.delete(f"{SINGLE}?{query}").status == 404
    assert versioned.aa.get(SINGLE + "versions/").json["versions"] == STAMPS[:3]


@pytest.mark.parametrize("query", ["match[version]=garbage", "match[vresion]=last", "added_after=2026-01-01T00:00:00Z"])
def test_a_filter_that_delete_does_not_take_is_400_and_nothing_goes(versioned: World, query: str) -> None:
    assert versioned.aa.delete(f"{SINGLE}?{query}").status == 400
    assert versioned.aa.get(SINGLE + "versions/").json["versions"] == STAMPS[:3]


def test_an_unknown_object_is_404(caller: Client) -> None:
    assert caller.delete(f"{OBJECTS}tool--{UNKNOWN_UUID}/").status == 404


def test_another_peer_may_see_but_not_delete(versioned: World) -> None:
    assert versioned.bb.delete(SINGLE).status == 403
    assert versioned.bb.get(SINGLE).status == 200


def test_a_moderator_may_delete(versioned: World) -> None:
    assert versioned.client("mm").delete(SINGLE).status == 200
    assert versioned.aa.get(SINGLE).status == 404


def test_its_owner_may_post_it_again_with_a_new_date_and_nobody_else(versioned: World) -> None:
    before = versioned.aa.get(SINGLE).dates[1]
    versioned.aa.delete(SINGLE)
    refused = versioned.bb.post(OBJECTS, {"objects": [indicator(1, STAMPS[2])]}).json
    assert (refused["success_count"], refused["failure_count"]) == (0, 1)
    versioned.aa.add("indicators", indicator(1, STAMPS[2]))
    after = versioned.aa.get(SINGLE).dates[1]
    assert before is not None
    assert after is not None
    assert after > before


def test_the_same_object_in_another_collection_stays(versioned: World) -> None:
    versioned.aa.add("incidents", indicator(1, STAMPS[0]))
    versioned.aa.delete(SINGLE)
    assert versioned.aa.get(SINGLE.replace("indicators", "incidents")).status == 200
