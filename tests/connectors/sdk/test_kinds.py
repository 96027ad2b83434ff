"""What is installed: ours, other packages', and those that are broken, which stop nobody."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from connectors.sdk import kinds
from connectors.sdk.kind import Kind, Settings
from hub.errors import ConfigError

GOOD = Kind("good", "Works", Settings, source=lambda _s, _t: None)  # type: ignore[arg-type, return-value] # never opened


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    module = ModuleType("toy_kinds_of_a_test")
    module.GOOD, module.TEXT = GOOD, "text"  # type: ignore[attr-defined] # a module made here
    module.NEITHER = Kind("neither", "Opens nothing", Settings)  # type: ignore[attr-defined] # the same
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return [
        EntryPoint("good", "toy_kinds_of_a_test:GOOD", kinds.GROUP),
        EntryPoint("renamed", "toy_kinds_of_a_test:GOOD", kinds.GROUP),
        EntryPoint("text", "toy_kinds_of_a_test:TEXT", kinds.GROUP),
        EntryPoint("neither", "toy_kinds_of_a_test:NEITHER", kinds.GROUP),
        EntryPoint("absent", "no_such_module_at_all:KIND", kinds.GROUP),
        EntryPoint("lost", "toy_kinds_of_a_test:NOTHING", kinds.GROUP),
    ]


def test_one_that_cannot_be_loaded_is_reported_and_stops_no_other(points: list[EntryPoint]) -> None:
    found = {one.name: one for one in kinds.discover(points)}
    assert found["good"].kind is GOOD
    assert {name for name, one in found.items() if one.kind is None} == {"renamed", "text", "neither", "absent", "lost"}
    assert found["absent"].problem == "the module no_such_module_at_all is not installed"
    assert all(one.problem for one in found.values() if one.kind is None)


def test_a_second_package_does_not_take_over_a_name(points: list[EntryPoint]) -> None:
    twice = [*points, EntryPoint("good", "toy_kinds_of_a_test:TEXT", kinds.GROUP)]
    found = {one.name: one for one in kinds.discover(twice)}
    assert found["good"].kind is GOOD
    assert "has this name already" in str(found["good (unknown)"].problem)


def test_one_kind_is_found_by_its_name_and_only_that_is_loaded(points: list[EntryPoint]) -> None:
    assert kinds.named("good", points) is GOOD
    for name in ("absent", "nothing"):
        with pytest.raises(ConfigError) as told:
            kinds.named(name, points)
        assert told.value.field == "kind"


def test_what_this_package_declares_is_there_or_says_why_not() -> None:
    found = {one.name for one in kinds.discover()}
    assert {"taxii", "misp", "iodef", "csv", "n6", "intelmq", "csaf", "webhook", "syslog"} <= found
