"""Records of the CVE List: what becomes of them, what is withdrawn, and what is refused in words."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csaf.connector import KIND, CsafSettings
from connectors.csaf.mapping.advisories import Advisory
from connectors.csaf.mapping.documents import from_document
from connectors.csaf.mapping.faults import CsafFault
from connectors.csaf.schema import csaf_faults
from connectors.sdk.exchange import Incoming, Tools
from connectors.sdk.report import Fate
from hub.domain import tlp
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas
from tests.connectors.conftest import IDENTITY

RECORDS = Path(__file__).parent / "cve"
_VALIDATOR = StixValidator(read_schemas())


def read(value: Any, identity: str = IDENTITY) -> Advisory:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return from_document(data, identity=identity, faults=csaf_faults(), default="red")


def everything(**meta: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((RECORDS / "everything.json").read_text())
    value["cveMetadata"] |= meta
    return value


@pytest.mark.parametrize("name", ["CVE-2024-3044.json", "everything.json"])
def test_a_record_becomes_what_it_became_before_and_that_is_good_stix(name: str) -> None:
    record = read((RECORDS / name).read_bytes())
    found = {"objects": record.objects, "report": record.report.to_json()}
    kept = (RECORDS / name).with_suffix(".stix.json")
    if os.environ.get("UPDATE_GOLDEN"):
        kept.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(kept.read_text()) == json.loads(json.dumps(found))
    assert [problem for obj in record.objects for problem in _VALIDATOR.problems(dict(obj))] == []
    assert {tlp.level_of(obj["object_marking_refs"][0]) for obj in record.objects} == {"clear"}


def test_what_everything_becomes() -> None:
    objects = read(everything()).objects
    made = next(obj for obj in objects if obj["type"] == "vulnerability")
    assert (made["name"], made["created"], made["modified"]) == (
        "CVE-2026-99999",
        "2026-10-01T08:00:00.000Z",
        "2026-10-05T08:00:00.000Z",
    )
    assert made["labels"] == [
        "cve:assigner=example", "cve:cvss=4.0=9.3", "cve:cvss=3.1=9.8", "cve:tag=disputed", "cve:kev=2026-10-03",
        "cve:ssvc:Exploitation=active",
    ]  # fmt: skip
    assert [one["source_name"] for one in made["external_references"]] == [
        "cve", "external", "cwe", "capec", "cvss", "cvss", "purl"
    ]  # fmt: skip
    names = {obj["id"]: obj.get("name") for obj in objects}
    links = {
        (obj["relationship_type"], names[obj["source_ref"]], names[obj["target_ref"]])
        for obj in objects
        if obj["type"] == "relationship"
    }
    cve = "CVE-2026-99999"
    assert links == {
        ("has", "Example Mail 4.1", cve),
        ("not-affecting", cve, "Example Mail 4.2"),
        ("under-investigation-in", cve, "Example Mail 5.0"),
        ("has", "Example Mail <3.0", cve),
        ("has", "Other OS", cve),
        ("mitigates", f"Solution for {cve}", cve),
        ("mitigates", f"Workaround for {cve}", cve),
    }
    cpes = {obj.get("cpe", "").partition(":*")[0] for obj in objects if obj["type"] == "software"}
    assert cpes == {"cpe:2.3:a:example:mail", "cpe:2.3:o:other:os:6", "cpe:2.3:o:other:os:7", ""}
    ranged = next(obj for obj in objects if obj.get("name") == "Example Mail <3.0")
    assert "version" not in ranged


def test_a_newer_version_has_the_same_ids_and_another_connector_others() -> None:
    first, second = read(everything()), read(everything(dateUpdated="2026-11-05T08:00:00Z"))
    assert [obj["id"] for obj in first.objects] == [obj["id"] for obj in second.objects]
    assert second.modified > first.modified
    other = read(everything(), "identity--00000000-0000-4000-8000-000000000001")
    shared = {obj["id"] for obj in first.objects} & {obj["id"] for obj in other.objects}
    assert {name.partition("--")[0] for name in shared} == {"software"}


def test_a_rejected_record_has_no_objects() -> None:
    record = read((RECORDS / "CVE-2024-3069.json").read_bytes())
    assert record.withdrawn
    assert not record.objects


def test_a_record_that_is_rejected_later_is_withdrawn_and_an_older_one_changes_nothing(tools: Tools) -> None:
    assert KIND.source is not None
    path = tools.base / "list" / "CVE-2026-99999.json"
    path.parent.mkdir()

    def run(value: Any, bookmark: str | None) -> list[Incoming]:
        path.write_text(json.dumps(value))
        assert KIND.source is not None
        return list(KIND.source(CsafSettings(path="list"), tools).batches(bookmark))

    first = run(everything(), None)
    assert first[0].objects
    rejected = everything(state="REJECTED", dateUpdated="2026-11-05T08:00:00Z")
    second = run(rejected, first[-1].bookmark)
    assert not second[0].objects
    types = {name.partition("--")[0] for name in second[0].withdrawn}
    assert types == {"vulnerability", "course-of-action", "relationship"}
    assert "cveMetadata/state" in {line.field for line in second[0].report.lines}
    third = run(everything(), second[-1].bookmark)
    assert third[0].objects == ()
    assert "cveMetadata" in {line.field for line in third[0].report.lines if line.fate is Fate.DROPPED}


def _without(*path: str) -> dict[str, Any]:
    value = everything()
    inner = value
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (_without("containers"), "cveMetadata and containers"),
        (_without("containers", "cna"), "containers/cna"),
        (_without("containers", "cna", "descriptions"), "must have one"),
        ({**everything(), "dataVersion": "4.0"}, "only CVE JSON 5"),
        (everything(cveId="CVE-1; drop"), "must be a CVE number"),
        (everything(state="RESERVED"), "PUBLISHED or REJECTED"),
        (everything(dateUpdated="never") | {"containers": {"cna": {}}}, "RFC 3339"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_in_words(value: Any, says: str) -> None:
    with pytest.raises(CsafFault, match=says) as caught:
        read(value)
    assert "drop" not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "field"), [("dateUpdated", "cveMetadata/dateUpdated"), ("datePublished", "cveMetadata/datePublished")]
)
def test_a_time_that_is_not_there_is_taken_from_another_and_that_is_said(missing: str, field: str) -> None:
    record = read(_without("cveMetadata", missing))
    assert field in {line.field for line in record.report.lines if line.fate is Fate.GUESSED}
    assert [problem for obj in record.objects for problem in _VALIDATOR.problems(dict(obj))] == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "version", "url"]), inner),
    max_leaves=5,
)
_PLACES = st.sampled_from(sorted(everything()["containers"]["cna"]))


@settings(max_examples=60, deadline=None)
@given(_PLACES, _JSON, st.booleans())
def test_any_damage_is_read_or_refused(place: str, damage: Any, inside: bool) -> None:
    value = everything()
    cna = value["containers"]["cna"]
    whole = cna[place]
    if inside and isinstance(whole, list) and isinstance(whole[0], dict):
        for name in whole[0]:
            whole[0][name] = damage
    else:
        cna[place] = damage
    with contextlib.suppress(CsafFault):  # any other error is a fault of ours
        assert [problem for obj in read(value).objects for problem in _VALIDATOR.problems(dict(obj))] == []
