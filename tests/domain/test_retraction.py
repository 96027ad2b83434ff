"""The retraction notice: its schema and its reader agree, and any STIX client can read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import stix2validator

from hub.domain import limits
from hub.domain.retraction import (
    EXTENSION_DEFINITION,
    EXTENSION_ID,
    KINDS,
    MalformedRetraction,
    Target,
    is_retraction,
    notice,
    read,
)
from tests.services.cast import START, VALIDATOR

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/hub/retraction.schema.json").read_text())
SAYS = jsonschema.Draft202012Validator(SCHEMA)
INCIDENT = "incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa"
TOOL = "tool--fad5bbd5-90d1-42ee-97c9-d558c5180baa"
NOTE = "note--4a1f6c52-0d0e-4a55-8d0b-5b1d2b6d8f10"
VERSION = "2026-11-22T12:00:00.000Z"


def note(**changed: Any) -> dict[str, Any]:
    """Return a good retraction with some properties of its extension changed; None takes one out."""
    made = notice(stix_id=NOTE, identity=INCIDENT.replace("incident", "identity"), at=START, kind="retracted",
                  targets=[Target(INCIDENT)])  # fmt: skip
    extension = {**made["extensions"][EXTENSION_ID], **changed}
    kept = {name: value for name, value in extension.items() if value is not None}
    return {**made, "extensions": {EXTENSION_ID: kept}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("versions", [None, (VERSION, "a" * 64)], ids=["all", "some"])
def test_a_notice_is_stix_fits_the_schema_and_is_read_as_it_was_written(kind: Any, versions: Any) -> None:
    targets = (Target(INCIDENT, versions), Target(TOOL))
    act = "0b1d3a52-7a2d-4d57-9a0e-6d7f3a1f5c11"
    made = notice(stix_id=NOTE, identity=INCIDENT.replace("incident", "identity"), at=START, kind=kind,
                  targets=targets, act=act, reason="mistyped")  # fmt: skip
    assert VALIDATOR.problems(made) == ()
    options = stix2validator.ValidationOptions(version="2.1", strict=True)
    assert stix2validator.validate_instance(made, options).is_valid
    SAYS.validate(made)
    said = read(made)
    assert is_retraction(made)
    assert (said.kind, said.targets, said.act, said.reason) == (kind, targets, act, "mistyped")
    assert made["object_refs"] == [INCIDENT, TOOL]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"kind": "erased"}, id="a kind there is not"),
        pytest.param({"kind": None}, id="no kind"),
        pytest.param({"targets": []}, id="no targets"),
        pytest.param({"targets": [{}]}, id="a target without id"),
        pytest.param({"targets": [{"id": INCIDENT, "versions": []}]}, id="no versions"),
        pytest.param({"targets": [{"id": INCIDENT, "versions": ["yesterday"]}]}, id="a version that is none"),
        pytest.param({"targets": [{"id": INCIDENT, "versions": [VERSION, VERSION]}]}, id="a version twice"),
        pytest.param({"targets": [{"id": INCIDENT, "why": ""}]}, id="a target with more"),
        pytest.param({"targets": [{"id": "incident--1"}]}, id="an id that is none"),
        pytest.param({"contents": "yes"}, id="contents as text"),
        pytest.param({"contents": True, "targets": [{"id": TOOL}]}, id="contents of what holds nothing"),
        pytest.param(
            {"contents": True, "targets": [{"id": INCIDENT, "versions": [VERSION]}]}, id="contents of a version"
        ),
        pytest.param({"reason": ""}, id="an empty reason"),
        pytest.param({"reason": "x" * (limits.MAX_REASON_LENGTH + 1)}, id="a long reason"),
        pytest.param({"act": "1"}, id="an act that is no UUID"),
        pytest.param({"because": "x"}, id="a property it does not define"),
        pytest.param({"extension_type": "new-sdo"}, id="another extension type"),
    ],
)
def test_what_the_schema_refuses_is_not_read(changed: dict[str, Any]) -> None:
    bad = note(**changed)
    if targets := changed.get("targets"):
        bad["object_refs"] = [one.get("id") for one in targets]
    assert not SAYS.is_valid(bad)
    with pytest.raises(MalformedRetraction):
        read(bad)


@pytest.mark.parametrize("refs", [[], [TOOL], [INCIDENT, TOOL], [INCIDENT, INCIDENT]])
def test_who_does_not_know_the_extension_is_told_of_the_same_objects(refs: list[str]) -> None:
    with pytest.raises(MalformedRetraction, match="object_refs"):
        read({**note(), "object_refs": refs})


def test_a_retraction_is_not_revoked() -> None:
    with pytest.raises(MalformedRetraction, match="taken back"):
        read({**note(), "revoked": True})


def test_the_definition_names_the_schema() -> None:
    assert list(SCHEMA["properties"]["extensions"]["properties"]) == [EXTENSION_ID] == [EXTENSION_DEFINITION["id"]]
    assert EXTENSION_DEFINITION["schema"] == "schemas/hub/retraction.schema.json"
    assert VALIDATOR.problems(dict(EXTENSION_DEFINITION)) == ()
