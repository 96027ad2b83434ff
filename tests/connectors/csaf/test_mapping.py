"""Real advisories and one of everything: what becomes of them, and what is refused in words."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csaf.mapping.advisories import Advisory, CsafFault, from_csaf
from connectors.csaf.mapping.products import formatted_cpe
from connectors.csaf.schema import csaf_faults
from connectors.sdk.report import Fate
from hub.domain import tlp
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas
from tests.connectors.conftest import IDENTITY

GOLDEN = Path(__file__).parent / "golden"
ADVISORIES = sorted(path for path in GOLDEN.glob("*.json") if ".stix." not in path.name)
_VALIDATOR = StixValidator(read_schemas())


def read(data: bytes, default: Any = "amber") -> Advisory:
    return from_csaf(data, identity=IDENTITY, faults=csaf_faults(), default=default)


def everything(**document: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((GOLDEN / "everything.json").read_text())
    value["document"] |= document
    return value


def octets(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("path", ADVISORIES, ids=lambda path: path.name)
def test_an_advisory_becomes_what_it_became_before_and_that_is_good_stix(path: Path) -> None:
    advisory = read(path.read_bytes())
    found = {"objects": advisory.objects, "report": advisory.report.to_json()}
    kept = path.with_name(f"{path.stem}.stix.json")
    if os.environ.get("UPDATE_GOLDEN"):
        kept.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(kept.read_text()) == json.loads(json.dumps(found))
    assert [problem for obj in advisory.objects for problem in _VALIDATOR.problems(dict(obj))] == []


def test_what_everything_becomes() -> None:
    advisory = read(octets(everything()))
    by_name = {str(obj.get("name")): obj for obj in advisory.objects}
    overflow = by_name["CVE-2026-11111"]
    assert {one["source_name"]: one["external_id"] for one in overflow["external_references"]} == {
        "cve": "CVE-2026-11111",
        "Example bugs": "B-7",
        "cwe": "CWE-120",
        "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    }
    assert overflow["labels"] == ["csaf:cvss=3.1=9.8", "csaf:flag=component_not_present"]
    links = {
        (obj["relationship_type"], obj["source_ref"].partition("--")[0], obj["target_ref"].partition("--")[0])
        for obj in advisory.objects
        if obj["type"] == "relationship"
    }
    assert links == {
        ("has", "software", "vulnerability"),
        ("fixed-in", "vulnerability", "software"),
        ("not-affecting", "vulnerability", "software"),
        ("under-investigation-in", "vulnerability", "software"),
        ("mitigates", "course-of-action", "vulnerability"),
        ("related-to", "course-of-action", "vulnerability"),
    }
    assert by_name["Example Mail 4.1"]["cpe"].startswith("cpe:2.3:a:example:mail:4.1")
    assert "version" not in by_name["Example Mail vers:generic/<4.1"]
    assert "For: Example Mail 4.1, Example Mail vers" not in by_name["Vendor fix for CVE-2026-11111"]["description"]
    assert "Example Mail 4.1, Example Mail." in by_name["Vendor fix for CVE-2026-11111"]["description"]
    report = by_name["Two holes in Example Mail"]
    assert (report["created"], report["modified"]) == ("2026-10-01T08:00:00.000Z", "2026-10-05T08:00:00.000Z")
    assert "csaf:status=interim" in report["labels"]
    assert "Customers only." in report["description"]
    assert {"source_name": "Example GmbH", "external_id": "EX-1"} in report["external_references"]


@pytest.mark.parametrize(
    ("label", "level"), [("WHITE", "clear"), ("GREEN", "green"), ("AMBER", "amber"), ("RED", "red"), (None, "green")]
)
def test_the_label_marks_every_object(label: str | None, level: str) -> None:
    value = everything()
    value["document"]["distribution"] = {"tlp": {"label": label}} if label else {"text": "as agreed"}
    advisory = read(octets(value), "green")
    assert {tlp.level_of(obj["object_marking_refs"][0]) for obj in advisory.objects} == {level}
    guessed = [line.field for line in advisory.report.lines if line.fate is Fate.GUESSED]
    assert ("document/distribution/tlp" in guessed) is (label is None)


def test_a_newer_version_has_the_same_ids_and_another_connector_others() -> None:
    first = read(octets(everything()))
    value = everything(title="Three holes")
    value["document"]["tracking"]["current_release_date"] = "2026-11-05T10:00:00Z"
    second = read(octets(value))
    assert [obj["id"] for obj in first.objects] == [obj["id"] for obj in second.objects]
    other = from_csaf(
        octets(everything()), identity="identity--00000000-0000-4000-8000-000000000001", faults=csaf_faults()
    )
    shared = {obj["id"] for obj in first.objects} & {obj["id"] for obj in other.objects}
    assert {name.partition("--")[0] for name in shared} == {"software"}


def test_an_advisory_that_is_taken_back_has_no_objects() -> None:
    advisory = read(octets(everything(category="csaf_withdrawn")))
    assert advisory.withdrawn
    assert advisory.objects == ()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "I-JSON"),
        (b"[]", "not a CSAF document"),
        (b'{"document": {"title": "x"}}', "not a CSAF document"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "I-JSON"),
        (octets(everything(csaf_version="2.1")), "only CSAF 2.0"),
        (octets(everything(title=7)), "first at document/title"),
        (octets(everything(tracking={})), "first at document/tracking"),
        (octets({**everything(), "vulnerabilities": [{"cve": "not one"}]}), "first at vulnerabilities/0"),
    ],
)
def test_what_is_not_csaf_is_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(CsafFault, match=says) as caught:
        read(data)
    assert "not one" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("cpe:/a:example:mail:4.1", "cpe:2.3:a:example:mail:4.1:*:*:*:*:*:*:*"),
        ("cpe:/o:redhat:rhel_aus:7.6::server", "cpe:2.3:o:redhat:rhel_aus:7.6:*:server:*:*:*:*:*"),
        ("cpe:/a:example:mail%20x", None),
        ("cpe:/", None),
    ],
)
def test_a_plain_cpe_uri_is_written_as_a_name(uri: str, name: str | None) -> None:
    assert formatted_cpe(uri) == name


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "text", "branches"]), inner),
    max_leaves=5,
)
_PLACES = st.sampled_from(
    [("document", "distribution"), ("document", "notes"), ("document", "tracking"), ("product_tree", "branches"),
     ("product_tree", "relationships"), ("vulnerabilities",), ("product_tree",)]
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(_PLACES, _JSON)
def test_any_damage_is_read_or_refused(place: tuple[str, ...], damage: Any) -> None:
    value: Any = everything()
    inner = value
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = damage
    with contextlib.suppress(CsafFault):  # any other error is a fault of ours
        read(octets(value))
