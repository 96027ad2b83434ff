"""The vendored schemas: unchanged, complete, and found where they are installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.services.schema_files import read_schemas

_REPOSITORY = Path(__file__).parent.parent.parent
_VENDORED = _REPOSITORY / "schemas" / "stix"


def test_the_schemas_are_byte_for_byte_those_of_the_validator_wheel() -> None:
    spec = importlib.util.find_spec("stix2validator")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    wheel = Path(spec.submodule_search_locations[0]) / "schemas-2.1" / "schemas"
    theirs = {path.relative_to(wheel).as_posix(): path.read_bytes() for path in wheel.glob("*/*.json")}
    ours = {path.relative_to(_VENDORED).as_posix(): path.read_bytes() for path in _VENDORED.glob("*/*.json")}
    incident_suite = {path for path in ours if path.startswith("incident-core/")}
    assert len(incident_suite) == 5
    assert {path: ours[path] for path in ours.keys() - incident_suite} == theirs


def test_the_schemas_carry_their_source_and_licence() -> None:
    assert "BSD-3-Clause" in (_VENDORED / "SOURCE.md").read_text()
    assert "BSD-3-Clause" in (_VENDORED / "incident-core" / "SOURCE.md").read_text()
    assert "OASIS Open" in (_VENDORED / "LICENSE").read_text()


def test_they_are_read_by_their_path() -> None:
    schemas = read_schemas()
    assert schemas["sdos/indicator.json"]["title"] == "indicator"
    assert "incident-core/incident_core.json" in schemas


def test_the_first_place_that_has_them_is_taken(tmp_path: Path) -> None:
    (tmp_path / "stix" / "common").mkdir(parents=True)
    (tmp_path / "stix" / "common" / "a.json").write_text('{"title": "a"}')
    assert read_schemas((tmp_path / "absent", tmp_path / "stix", _VENDORED)) == {"common/a.json": {"title": "a"}}


def test_without_schemas_the_hub_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="install"):
        read_schemas((tmp_path / "absent",))


def test_a_damaged_schema_is_no_schema(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "a.json").write_text("[]")
    with pytest.raises(ConfigError, match="damaged"):
        read_schemas((tmp_path,))
