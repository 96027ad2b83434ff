"""A token of ``next`` that was changed in any way, or is used in another place, is refused (TAXII 2.1 §3.5)."""

from __future__ import annotations

import pytest

from tests.web.hostile.target import Target
from tests.web.taxii.world import MANIFEST, OBJECTS, Answer, indicators


@pytest.fixture(scope="module")
def token(sqlite_target: Target) -> str:
    """A good token of ``aa``, after the first of several objects."""
    sqlite_target.world.aa.add("indicators", *indicators(3, start=600))
    made: str = sqlite_target.world.aa.get(f"{OBJECTS}?limit=1").json["next"]
    assert sqlite_target.world.aa.get(f"{OBJECTS}?limit=1&next={made}").status == 200
    return made


def refused(answer: Answer) -> bool:
    """Say whether an answer is the refusal of a token."""
    return answer.status == 400 and b'"objects"' not in answer.body


def test_every_changed_character_is_noticed(sqlite_target: Target, token: str) -> None:
    aa = sqlite_target.world.aa
    for at, character in enumerate(token):
        changed = "A" if character != "A" else "Q"
        assert refused(aa.get(f"{OBJECTS}?limit=1&next={token[:at]}{changed}{token[at + 1 :]}")), at


def test_every_cut_is_noticed(sqlite_target: Target, token: str) -> None:
    aa = sqlite_target.world.aa
    for length in range(1, len(token)):
        assert refused(aa.get(f"{OBJECTS}?limit=1&next={token[:length]}")), length
        assert refused(aa.get(f"{OBJECTS}?limit=1&next={token[length:]}")), length


@pytest.mark.parametrize("more", ["A", "=", "==", ".", "%00", "%0a", "%20", "%ef%bc%a1", "AAAA"])
def test_every_addition_is_noticed(more: str, sqlite_target: Target, token: str) -> None:
    aa = sqlite_target.world.aa
    assert refused(aa.get(f"{OBJECTS}?limit=1&next={token}{more}"))
    assert refused(aa.get(f"{OBJECTS}?limit=1&next={more}{token}"))


def test_another_place_another_caller_and_another_filter_are_noticed(sqlite_target: Target, token: str) -> None:
    world = sqlite_target.world
    incidents = OBJECTS.replace("indicators", "incidents")
    assert refused(world.aa.get(f"{MANIFEST}?next={token}"))
    assert refused(world.aa.get(f"{incidents}?next={token}"))
    assert refused(world.bb.get(f"{OBJECTS}?next={token}"))
    assert refused(world.aa.get(f"{OBJECTS}?next={token}&match[type]=malware"))
