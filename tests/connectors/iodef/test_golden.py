"""The RFCs' own examples, and one of everything: what becomes of them, object by object and line by line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator

from connectors.iodef.mapping.documents import from_iodef, to_iodef
from connectors.sdk.report import Fate
from hub.domain import releasability, tlp
from hub.domain.iodef_extension import IODEF_EXTENSION_DEFINITION, IODEF_EXTENSION_ID
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas
from tests.connectors.conftest import IDENTITY

GOLDEN = Path(__file__).parent / "golden"
DOCUMENTS = sorted(
    path for path in GOLDEN.iterdir() if path.name.endswith((".xml", ".json")) and ".stix." not in path.name
)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_becomes_what_it_became_before(path: Path) -> None:
    read = from_iodef(path.read_bytes(), identity=IDENTITY)
    found = {"objects": read.objects, "report": read.report.to_json(), "refused": list(read.refused)}
    kept = path.with_name(f"{path.name}.stix.json")
    if os.environ.get("UPDATE_GOLDEN"):
        kept.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert json.loads(kept.read_text()) == json.loads(json.dumps(found))
    validator = StixValidator(read_schemas())
    assert [validator.problems(dict(obj)) for obj in read.objects if validator.problems(dict(obj))] == []


def test_both_forms_of_the_minimal_example_become_the_same_objects() -> None:
    xml, json_form = (from_iodef((GOLDEN / name).read_bytes(), identity=IDENTITY) for name in _MINIMAL)
    assert xml.objects == json_form.objects


_MINIMAL = ("rfc7970-minimal.xml", "rfc8727-minimal.json")


def test_only_what_is_red_names_the_recipients_of_the_settings() -> None:
    named = ["identity--00000000-0000-4000-8000-00000000000b", "identity--00000000-0000-4000-8000-00000000000a"]
    path = GOLDEN / "everything.xml"
    read = from_iodef(path.read_bytes(), identity=IDENTITY, recipients=named)
    definitions = [obj for obj in read.objects if obj["type"] == "marking-definition"]
    kept = GOLDEN / "recipients.stix.json"
    if os.environ.get("UPDATE_GOLDEN"):
        kept.write_text(json.dumps(definitions, indent=1) + "\n")
    assert json.loads(kept.read_text()) == definitions
    assert [StixValidator(read_schemas()).problems(dict(obj)) for obj in definitions] == [()]
    said = releasability.read(definitions[0])
    assert (said.recipients, said.onward_relay, said.author) == (frozenset(named), False, IDENTITY)
    marked = [obj for obj in read.objects if obj["type"] != "marking-definition"]
    carries = {obj["id"] for obj in marked if definitions[0]["id"] in obj["object_marking_refs"]}
    assert carries == {obj["id"] for obj in marked if tlp.IDS["red"] in obj["object_marking_refs"]}
    assert 0 < len(carries) < len(marked)
    again = from_iodef(path.read_bytes(), identity=IDENTITY, recipients=named[::-1])
    assert again.objects == read.objects
    assert "@restriction" in {line.field for line in read.report.lines if line.fate is Fate.GUESSED}


def test_a_stricter_part_is_marked_so_and_what_stix_cannot_say_of_it_stands_apart() -> None:
    read = from_iodef((GOLDEN / "everything.xml").read_bytes(), identity=IDENTITY)
    levels = {obj.get("name"): tlp.level_of(obj["object_marking_refs"][0]) for obj in read.objects}
    assert levels["2026-117@csirt.example.org"] == "green"
    assert levels["TA-1"] == "amber"
    assert levels["Bank <A> & Co"] == "red"
    assert levels["I-2@csirt.example.org"] == "amber"
    incident = next(obj for obj in read.objects if obj.get("name") == "2026-117@csirt.example.org")
    assert "Bank" not in json.dumps(incident)
    notes = [obj for obj in read.objects if obj["type"] == "note" and "Bank" in json.dumps(obj)]
    assert [tlp.level_of(note["object_marking_refs"][0]) for note in notes] == ["red"]


def test_every_member_of_the_document_is_accounted_for() -> None:
    read = from_iodef((GOLDEN / "everything.xml").read_bytes(), identity=IDENTITY)
    dropped = [line for line in read.report.lines if line.fate is Fate.DROPPED]
    assert [(line.field, line.reason) for line in dropped] == [
        ("Incident/IndicatorData/Indicator", "STIX patterns over observations have no NOT and no XOR")
    ]
    fields = {line.field for line in read.report.lines}
    for path in (
        "Incident/AdditionalData",
        "Incident/Assessment/TimeImpact",
        "Incident/EventData/Flow/System/@spoofed",
    ):
        assert path in fields


@pytest.mark.parametrize(
    ("attributes", "level"),
    [
        ("", "red"),
        ('restriction="public"', "clear"),
        ('restriction="white"', "clear"),
        ('restriction="green"', "green"),
        ('restriction="partner"', "green"),
        ('restriction="amber"', "amber"),
        ('restriction="need-to-know"', "amber+strict"),
        ('restriction="red"', "red"),
        ('restriction="private"', "red"),
        ('restriction="default"', "green"),
        ('restriction="ext-value" ext-restriction="amber+strict"', "amber+strict"),
        ('restriction="ext-value" ext-restriction="eyes-only"', "red"),
        ('restriction="ext-value"', "red"),
        ('restriction="for-friends"', "red"),
    ],
)
def test_a_restriction_never_becomes_wider(attributes: str, level: str) -> None:
    text = (GOLDEN / "rfc7970-minimal.xml").read_text().replace('restriction="private"', attributes)
    read = from_iodef(text.encode(), identity=IDENTITY, agreed="green")
    assert {tlp.level_of(obj["object_marking_refs"][0]) for obj in read.objects} == {level}


def test_a_part_is_not_marked_wider_than_the_whole() -> None:
    text = (GOLDEN / "rfc7970-minimal.xml").read_text().replace('role="creator"', 'role="creator" restriction="public"')
    read = from_iodef(text.encode(), identity=IDENTITY)
    assert {tlp.level_of(obj["object_marking_refs"][0]) for obj in read.objects} == {"red"}
    assert "Incident/Contact/@restriction" in {line.field for line in read.report.lines if line.fate is Fate.MERGED}


def test_another_connector_gives_other_ids_and_a_newer_version_the_same() -> None:
    text = (GOLDEN / "rfc7970-campaign.xml").read_text()
    newer = text.replace("2015-10-02T11:18:00-05:00", "2015-10-03T11:18:00-05:00")
    first, second = (from_iodef(one.encode(), identity=IDENTITY) for one in (text, newer))
    other = from_iodef(text.encode(), identity="identity--00000000-0000-4000-8000-000000000001")
    ids = {obj["id"] for obj in first.objects}
    assert ids == {obj["id"] for obj in second.objects}
    assert ids.isdisjoint(obj["id"] for obj in other.objects)
    known = {first.incidents[0].id: first.incidents[0].created}
    third = from_iodef(newer.encode(), identity=IDENTITY, first_created=known)
    assert {obj["created"] for obj in third.objects} == {"2015-10-02T16:18:00.000Z"}
    assert {obj["modified"] for obj in third.objects} == {"2015-10-03T16:18:00.000Z"}


def test_the_extension_cannot_make_an_incident_wider_than_its_marking() -> None:
    objects = from_iodef((GOLDEN / "rfc7970-minimal.xml").read_bytes(), identity=IDENTITY).objects
    claimed = json.loads(json.dumps(objects))
    for obj in claimed:
        if obj["type"] == "incident":
            obj["extensions"][IODEF_EXTENSION_ID]["incident"] = {"restriction": "public"}
    written, _ = to_iodef(claimed, name="hub.example", form="xml")
    assert b'restriction="red"' in written[0].data
    assert b"public" not in written[0].data


def test_the_extension_is_as_its_schema_and_its_definition_say() -> None:
    schemas = Path(__file__).parents[3] / "schemas" / "hub"
    schema = Draft202012Validator(json.loads((schemas / "iodef-details.schema.json").read_text()))
    assert StixValidator(read_schemas()).problems(dict(IODEF_EXTENSION_DEFINITION)) == ()
    objects = from_iodef((GOLDEN / "everything.xml").read_bytes(), identity=IDENTITY).objects
    found = [
        obj["extensions"][IODEF_EXTENSION_ID] for obj in objects if IODEF_EXTENSION_ID in obj.get("extensions", {})
    ]
    assert len(found) == 4
    assert [one for one in found if not schema.is_valid(one)] == []


def test_a_marking_that_iodef_has_no_word_for_makes_the_incident_private() -> None:
    objects = from_iodef((GOLDEN / "rfc7970-campaign.xml").read_bytes(), identity=IDENTITY).objects
    marked = json.loads(json.dumps(objects))
    for obj in marked:
        if obj["type"] == "incident":
            obj["object_marking_refs"].append("marking-definition--00000000-0000-4000-8000-000000000001")
    written, report = to_iodef(marked, name="hub.example", form="xml")
    assert b'<Incident purpose="watch" restriction="private"' in written[0].data
    assert "object_marking_refs" in {line.field for line in report.lines if line.fate is Fate.GUESSED}
