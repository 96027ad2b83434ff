"""TLP levels, ids and marking objects."""

from __future__ import annotations

from itertools import pairwise

import pytest
import stix2

from hub.domain import tlp

IDS = [
    ("94868c89-83c2-464b-929b-a1a8aa3c8487", "clear"),
    ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "green"),
    ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", "amber"),
    ("939a9414-2ddd-4d32-a0cd-375ea402b003", "amber+strict"),
    ("e828b379-4e03-4974-9ac4-e53a884c97c1", "red"),
    ("613f2e26-407d-48c7-9eca-b8e91df99dc9", "clear"),
    ("34098fce-860f-48ae-8e50-ebd3cc5e41da", "green"),
    ("f88d31f6-486f-44da-b317-01333bde0b82", "amber"),
    ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "red"),
]


@pytest.mark.parametrize(("uuid", "level"), IDS)
def test_each_published_id_has_its_level(uuid: str, level: str) -> None:
    assert tlp.level_of(f"marking-definition--{uuid}") == level


def test_any_other_id_has_no_level() -> None:
    assert tlp.level_of("marking-definition--826578e1-40ad-459f-bc73-ede076f81f37") is None


def test_the_levels_go_from_clear_to_red_and_strict_is_stricter_than_amber() -> None:
    assert tlp.LEVELS == ("clear", "green", "amber", "amber+strict", "red")
    assert all(tlp.stricter(wider, narrower) is False for wider, narrower in pairwise(tlp.LEVELS))
    assert all(tlp.stricter(narrower, wider) for wider, narrower in pairwise(tlp.LEVELS))
    assert not tlp.stricter("amber", "amber")


def test_the_strictest_of_levels_does_not_depend_on_their_order() -> None:
    assert tlp.strictest(["amber", "clear", "amber+strict", "green"]) == "amber+strict"
    assert tlp.strictest(["amber+strict", "amber"]) == tlp.strictest(["amber", "amber+strict"]) == "amber+strict"
    assert tlp.strictest([]) is None


def test_the_tlp_1_objects_are_those_of_the_stix2_library() -> None:
    ours = {one["id"]: dict(one) for one in tlp.MARKING_DEFINITIONS}
    for theirs in (stix2.TLP_WHITE, stix2.TLP_GREEN, stix2.TLP_AMBER, stix2.TLP_RED):
        text = theirs.serialize()
        assert stix2.parse(ours[theirs.id]).serialize() == text


def test_there_are_nine_marking_objects_and_each_is_genuine() -> None:
    assert len({one["id"] for one in tlp.MARKING_DEFINITIONS}) == 9
    assert all(tlp.is_genuine(one) for one in tlp.MARKING_DEFINITIONS)


def test_a_tlp_object_may_lack_its_name_but_not_say_another_level() -> None:
    red = dict(tlp.MARKING_DEFINITIONS[4])
    assert tlp.is_genuine({key: value for key, value in red.items() if key != "name"})
    assert not tlp.is_genuine(red | {"extensions": tlp.MARKING_DEFINITIONS[0]["extensions"]})
    assert not tlp.is_genuine(red | {"definition_type": "tlp", "definition": {"tlp": "white"}})
    assert not tlp.is_genuine(red | {"id": "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"})
