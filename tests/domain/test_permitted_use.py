"""What PAP and IEP let a recipient do with an object."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain import pap, tlp
from hub.domain.markings import IEP_EXTENSION_ID
from hub.domain.permitted_use import Use, permitted

IDS = {str(one["name"]): str(one["id"]) for one in pap.MARKING_DEFINITIONS}
OTHER = "marking-definition--1fa9bd2c-1c3a-4f0b-8e0b-00000000000"


def policy(**said: Any) -> dict[str, Any]:
    return {"extensions": {IEP_EXTENSION_ID: {"extension_type": "property-extension", **said}}}


@pytest.mark.parametrize(
    ("names", "use"),
    [
        ([], Use.BLOCK),
        (["PAP:CLEAR"], Use.BLOCK),
        (["PAP:WHITE"], Use.BLOCK),
        (["PAP:GREEN"], Use.BLOCK),
        (["PAP:AMBER"], Use.WATCH),
        (["PAP:RED"], Use.SEARCH),
        (["PAP:CLEAR", "PAP:RED", "PAP:AMBER"], Use.SEARCH),
    ],
)
def test_the_strictest_level_counts(names: list[str], use: Use) -> None:
    assert permitted([IDS[name] for name in names], {}) is use
    assert permitted([*(IDS[name] for name in names), *tlp.IDS.values()], {}) is use


@pytest.mark.parametrize(
    ("said", "use"),
    [
        ({"permitted_actions": "externally-visible-direct-actions"}, Use.BLOCK),
        ({"permitted_actions": "externally-visible-indirect-actions"}, Use.WATCH),
        ({"permitted_actions": "internally-visible-actions"}, Use.WATCH),
        ({"permitted_actions": "contact-for-instruction"}, Use.READ),
        ({"permitted_actions": "none"}, Use.READ),
        ({"permitted_actions": "whatever"}, Use.READ),
        ({"permitted_actions": 7}, Use.READ),
        ({}, Use.BLOCK),
    ],
)
def test_a_policy_says_which_actions_are_permitted(said: dict[str, Any], use: Use) -> None:
    assert permitted([OTHER + "1"], {OTHER + "1": policy(**said)}) is use


def test_the_markings_of_a_definition_count_and_circles_end() -> None:
    around = {
        OTHER + "1": {"object_marking_refs": [OTHER + "2"]},
        OTHER + "2": {"object_marking_refs": [OTHER + "1", IDS["PAP:AMBER"]]},
    }
    assert permitted([OTHER + "1"], around) is Use.WATCH
    assert permitted([OTHER + "1"], {OTHER + "1": {"extensions": None, "object_marking_refs": 5}}) is Use.BLOCK
