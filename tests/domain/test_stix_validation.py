"""What StixValidator takes, what it refuses, and what it says then."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.stix_problem import MAX_PROBLEMS, Rule, field_path
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas
from tests.domain.stix_examples import UUID5, Object, example, examples, published, ref, sco, sdo

_VALIDATOR = StixValidator(read_schemas())
_CORE = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"
_IMPACT = "extension-definition--7cc33dd6-f6a1-489b-98ea-522d351d71b9"
_TASK = "extension-definition--2074a052-8be4-4932-849e-f5e7798e0030"
_EVENT = "extension-definition--4ca6de00-5b0d-45ef-a1dc-ea7279ea910e"

PUBLISHED_REFUSED: dict[str, str] = {}
"""Published objects that truly violate STIX 2.1, by id, with the rule; there is none."""


def test_every_published_object_is_taken_but_those_in_the_table() -> None:
    assert len(published()) > 1100
    refused = {obj["id"]: found[0].rule for _, obj in published() if (found := _VALIDATOR.problems(obj))}
    assert refused == PUBLISHED_REFUSED


@pytest.mark.parametrize("obj", examples(), ids=lambda obj: str(obj["type"]))
def test_a_good_object_of_every_type_is_taken_and_not_changed(obj: Object) -> None:
    before = copy.deepcopy(obj)
    assert _VALIDATOR.problems(obj) == ()
    assert obj == before


def _incident(**core: Any) -> Object:
    return example("incident", extensions={_CORE: {"extension_type": "property-extension", **core}})


def _event(kind: str, extension: str, **properties: Any) -> Object:
    return sdo(kind, extensions={extension: {"extension_type": "new-sdo"}}, **properties)


def _impact(name: str, body: Object) -> Object:
    return sdo("impact", impact_category=name, extensions={_IMPACT: {"extension_type": "new-sdo"}, name: body})


ACCEPTED: dict[str, Object] = {
    "a custom property": example("tool", x_acme_score=5),
    "a custom type": sdo("x-acme-thing", anything={"a": [1, {"b": None}]}),
    "a jss-signature": sdo(
        "jss-signature",
        related_to=ref("tool"),
        algorithm="Ed25519",
        extensions={ref("extension-definition"): {"extension_type": "new-sdo"}},
    ),
    "a retraction": sdo("retraction", extensions={ref("extension-definition"): {"extension_type": "new-sdo"}}),
    "a top-level property of an extension": example(
        "tool",
        signatures=[{"value": "x"}],
        extensions={ref("extension-definition"): {"extension_type": "toplevel-property-extension"}},
    ),
    "an unknown property extension": example(
        "tool", extensions={ref("extension-definition"): {"extension_type": "property-extension", "deep": {"e": []}}}
    ),
    "a new observable": sco(
        "acme-sensor", extensions={ref("extension-definition"): {"extension_type": "new-sco"}}, reading=5
    ),
    "an observable without spec_version": {"type": "url", "id": ref("url"), "value": "https://example.com/"},
    "an observable with another UUIDv5 namespace": example("url", id=f"url--{UUID5}"),
    "a TLP 2.0 marking by extension": {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        "created": "2022-10-01T00:00:00.000Z",
        "name": "TLP:AMBER+STRICT",
        "extensions": {
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                "extension_type": "property-extension",
                "tlp_2_0": "amber+strict",
            }
        },
    },
    "a timestamp of nine digits": example("tool", modified="2026-01-03T03:04:05.123456789Z"),
    "a modified that equals created at another precision": example(
        "tool", created="2026-01-03T03:04:05.100Z", modified="2026-01-03T03:04:05.1000Z"
    ),
    "a leap day": example("report", published="2024-02-29T00:00:00Z"),
    "a lang of another script and region": example("tool", lang="az-Cyrl-AZ"),
    "a granular marking by lang alone": example("tool", granular_markings=[{"lang": "fr", "selectors": ["name"]}]),
    "a sigma rule": example("indicator", pattern="title: x", pattern_type="sigma", pattern_version=None),
    "a yara rule that is no STIX": example("indicator", pattern="rule a { }", pattern_type="yara"),
    "a STIX 2.0 pattern": example(
        "indicator",
        pattern="[file:size = 5] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'",
        pattern_version="2.0",
    ),
    "an observed-data with objects": example(
        "observed-data",
        object_refs=None,
        objects={
            "0": sco("x-profile", abc=1),
            "1": sco("domain-name", value="example.com", resolves_to_refs=["2"]),
            "2": sco("ipv4-addr", value="198.51.100.3"),
        },
    ),
    "an incident of today's draft": _incident(
        determination="confirmed",
        investigation_status="open",
        criticality=50,
        impact_refs=[ref("impact")],
        events=[{"event_ref": ref("event"), "next_steps": [{"event_ref": ref("event")}]}],
        impacted_entity_counts={"individual": 3},
        newer_than_the_hub=1,
    ),
    "an incident of the first draft": _incident(
        determination="successful-attempt", availability_impact=50, event_refs=[ref("event")], task_refs=[ref("task")]
    ),
    "an impact named without -ext": _impact("availability", {"availability_impact": 50}),
    "an impact named with -ext": _impact("availability-ext", {"availability_impact": 50}),
    "an impact by its older name": _impact("economic", {"variety": "ransom"}),
    "an event": _event("event", _EVENT, status="occurred", start_time="2026-01-01T00:00:00Z"),
    "a task": _event("task", _TASK, outcome="successful", priority=5, subtasks=[{"task_ref": ref("task")}]),
    "somebody else's task": sdo("task", priority="high"),
}


@pytest.mark.parametrize("obj", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_it_is_taken(obj: Object) -> None:
    assert _VALIDATOR.problems(obj) == ()


REFUSED: dict[str, tuple[Any, str, Rule]] = {
    "a list": ([], "$", Rule.NOT_AN_OBJECT),
    "no type": ({"id": ref("tool")}, "type", Rule.REQUIRED),
    "a type that is no string": (sdo("tool") | {"type": ["tool"]}, "type", Rule.VALUE_TYPE),
    "a type in capitals": (sdo("Tool"), "type", Rule.TYPE_NAME),
    "a type of backtracking": (sdo("a" * 240 + "!"), "type", Rule.TYPE_NAME),
    "a bundle": ({"type": "bundle", "id": ref("bundle"), "objects": []}, "type", Rule.TYPE_NAME),
    "no id": (example("tool", id=None), "id", Rule.REQUIRED),
    "an id of another type": (example("tool", id=ref("malware")), "id", Rule.IDENTIFIER),
    "a custom id of another type": (sdo("x-acme", id=ref("x-other")), "id", Rule.IDENTIFIER),
    "an id without UUID": (example("tool", id="tool--1"), "id", Rule.IDENTIFIER),
    "an id with a line feed": (example("tool", id=ref("tool") + "\n"), "id", Rule.IDENTIFIER),
    "STIX 2.0": (example("tool", spec_version="2.0"), "spec_version", Rule.SPEC_VERSION),
    "a tool without spec_version": (example("tool", spec_version=None), "spec_version", Rule.SPEC_VERSION),
    "an observable of 2.0": (example("url", spec_version="2.0"), "spec_version", Rule.SPEC_VERSION),
    "no modified": (example("tool", modified=None), "modified", Rule.REQUIRED),
    "no name": (example("tool", name=None), "name", Rule.REQUIRED),
    "created to the second": (example("tool", created="2026-01-01T00:00:00Z"), "created", Rule.FORM),
    "a local time": (example("tool", created="2026-01-01T00:00:00.000+01:00"), "created", Rule.FORM),
    "30 February": (example("tool", created="2025-02-30T00:00:00.000Z"), "created", Rule.CALENDAR),
    "a leap second in August": (example("report", published="2026-08-01T00:00:60Z"), "published", Rule.CALENDAR),
    "30 February of a registry key": (
        example("windows-registry-key", modified_time="2026-02-30T00:00:00Z"),
        "modified_time",
        Rule.CALENDAR,
    ),
    "30 February inside an extension": (
        example(
            "file", extensions={"windows-pebinary-ext": {"pe_type": "exe", "time_date_stamp": "2026-02-30T00:00:00Z"}}
        ),
        "extensions.windows-pebinary-ext.time_date_stamp",
        Rule.CALENDAR,
    ),
    "modified before created": (example("tool", modified="2026-01-01T00:00:00.000Z"), "modified", Rule.ORDER),
    "valid_until at valid_from": (
        example("indicator", valid_until="2026-01-01T00:00:00.0Z"),
        "valid_until",
        Rule.ORDER,
    ),
    "last_seen before first_seen": (example("campaign", last_seen="2025-01-01T00:00:00Z"), "last_seen", Rule.ORDER),
    "stop_time at start_time": (example("relationship", stop_time="2026-01-01T00:00:00Z"), "stop_time", Rule.ORDER),
    "end before start": (example("network-traffic", end="2025-01-01T00:00:00Z"), "end", Rule.ORDER),
    "last_observed before first_observed": (
        example("observed-data", last_observed="2025-01-01T00:00:00Z"),
        "last_observed",
        Rule.ORDER,
    ),
    "an empty list": (example("tool", tool_types=[]), "tool_types", Rule.EMPTY),
    "an empty custom list": (example("tool", x_acme=[]), "$", Rule.EMPTY),
    "a null": (example("tool") | {"description": None}, "description", Rule.VALUE_TYPE),
    "a confidence of 101": (example("tool", confidence=101), "confidence", Rule.BOUNDS),
    "revoked as text": (example("tool", revoked="yes"), "revoked", Rule.VALUE_TYPE),
    "an opinion outside the vocabulary": (example("opinion", opinion="maybe"), "opinion", Rule.VOCABULARY),
    "a property in capitals": (example("tool", Score=5), "$", Rule.PROPERTY_NAME),
    "a reserved property": (example("tool", severity="high"), "$", Rule.RESERVED),
    "a property reserved by the text": (example("url", phone_number="1"), "$", Rule.RESERVED),
    "an author that is no identity": (example("tool", created_by_ref=ref("tool")), "created_by_ref", Rule.REFERENCE),
    "a marking that is none": (
        example("tool", object_marking_refs=[ref("marking-definition"), ref("identity")]),
        "object_marking_refs[1]",
        Rule.REFERENCE,
    ),
    "a relationship of a sighting": (example("relationship", source_ref=ref("sighting")), "source_ref", Rule.REFERENCE),
    "a sighting of a relationship": (
        example("sighting", sighting_of_ref=ref("relationship")),
        "sighting_of_ref",
        Rule.REFERENCE,
    ),
    "sighted where no one is": (
        example("sighting", where_sighted_refs=[ref("url")]),
        "where_sighted_refs[0]",
        Rule.REFERENCE,
    ),
    "a host that resolves to a file": (
        example("domain-name", resolves_to_refs=[ref("ipv4-addr"), ref("file")]),
        "resolves_to_refs[1]",
        Rule.REFERENCE,
    ),
    "an archive of URLs": (
        example("file", extensions={"archive-ext": {"contains_refs": [ref("url")]}}),
        "extensions.archive-ext.contains_refs[0]",
        Rule.REFERENCE,
    ),
    "a sample that is an identity": (
        example("malware", sample_refs=[ref("identity")]),
        "sample_refs[0]",
        Rule.REFERENCE,
    ),
    "an observation of nothing": (example("observed-data", object_refs=[ref("tool")]), "object_refs", Rule.REFERENCE),
    "objects and object_refs": (
        example("observed-data", objects={"0": sco("url", value="https://example.com/")}),
        "$",
        Rule.CONTRADICTION,
    ),
    "a bad observable in objects": (
        example("observed-data", object_refs=None, objects={"0": sco("ipv4-addr", value="x")}),
        "objects",
        Rule.FORM,
    ),
    "a dangling key in objects": (
        example(
            "observed-data",
            object_refs=None,
            objects={"0": sco("email-addr", value="a@example.com", belongs_to_ref="9")},
        ),
        "objects",
        Rule.REFERENCE,
    ),
    "a tool in objects": (
        example("observed-data", object_refs=None, objects={"0": sdo("tool")}),
        "objects",
        Rule.TYPE_NAME,
    ),
    "a process with a UUIDv5": (example("process", id=f"process--{UUID5}"), "id", Rule.IDENTIFIER),
    "an artifact with a UUIDv5 of nothing": (
        {"type": "user-account", "spec_version": "2.1", "id": f"user-account--{UUID5}", "display_name": "a"},
        "id",
        Rule.IDENTIFIER,
    ),
    "a hash of the wrong length": (example("file", hashes={"MD5": "0"}), "hashes.MD5", Rule.FORM),
    "the encoding of no name": (example("file", name=None, name_enc="utf-8"), "name_enc", Rule.CONTRADICTION),
    "an address that is none": (example("ipv4-addr", value="198.51.100.256"), "value", Rule.FORM),
    "an e-mail address that is none": (example("email-addr", value="nobody"), "value", Rule.FORM),
    "a host with a blank": (example("domain-name", value="a b.example"), "value", Rule.FORM),
    "a reference that is no URI": (
        example("tool", external_references=[{"source_name": "s", "url": "not a uri"}]),
        "external_references[0].url",
        Rule.FORM,
    ),
    "a reference to nothing": (
        example("tool", external_references=[{"source_name": "s"}]),
        "external_references[0]",
        Rule.CONTRADICTION,
    ),
    "a kill chain without phase": (
        example("malware", kill_chain_phases=[{"kill_chain_name": "k"}]),
        "kill_chain_phases[0].phase_name",
        Rule.REQUIRED,
    ),
    "a CPE with a tail": (example("software", cpe="cpe:2.3:a:b:c:1:*:*:*:*:*:*:* x"), "cpe", Rule.FORM),
    "a language that is none": (example("tool", lang="not a language"), "lang", Rule.LANGUAGE),
    "a translation into no language": (
        example("language-content", contents={"not_a_language": {"name": "b"}}),
        "contents",
        Rule.LANGUAGE,
    ),
    "a translation of nothing": (
        example("language-content", contents={"fr": {"Na": "b"}}),
        "contents",
        Rule.PROPERTY_NAME,
    ),
    "a translation that is text": (example("language-content", contents={"fr": "b"}), "contents", Rule.VALUE_TYPE),
    "a language-content of itself": (
        example("language-content", object_ref=ref("language-content")),
        "object_ref",
        Rule.REFERENCE,
    ),
    "a selector of what is not there": (
        example("tool", granular_markings=[{"marking_ref": ref("marking-definition"), "selectors": ["name", "goals"]}]),
        "granular_markings[0].selectors[1]",
        Rule.SELECTOR,
    ),
    "a selector beyond the list": (
        example(
            "tool",
            labels=["a"],
            granular_markings=[{"marking_ref": ref("marking-definition"), "selectors": ["labels.[1]"]}],
        ),
        "granular_markings[0].selectors[0]",
        Rule.SELECTOR,
    ),
    "a granular marking with marking_ref and lang": (
        example(
            "tool", granular_markings=[{"marking_ref": ref("marking-definition"), "lang": "fr", "selectors": ["name"]}]
        ),
        "granular_markings[0]",
        Rule.CONTRADICTION,
    ),
    "a granular marking in no language": (
        example("tool", granular_markings=[{"lang": "not a language", "selectors": ["name"]}]),
        "granular_markings[0].lang",
        Rule.LANGUAGE,
    ),
    "a marking of itself": (
        example("marking-definition", object_marking_refs=[ref("marking-definition")]),
        "object_marking_refs[0]",
        Rule.MARKING,
    ),
    "a marking of its own part": (
        example(
            "marking-definition",
            granular_markings=[{"marking_ref": ref("marking-definition"), "selectors": ["definition"]}],
        ),
        "granular_markings[0].marking_ref",
        Rule.MARKING,
    ),
    "a marking without definition": (example("marking-definition", definition=None), "$", Rule.CONTRADICTION),
    "a home-made TLP": (
        example("marking-definition", definition_type="tlp", definition={"tlp": "red"}),
        "$",
        Rule.CONTRADICTION,
    ),
    "an extension under a free name": (example("tool", extensions={"acme": {"a": 1}}), "extensions", Rule.EXTENSION),
    "an extension of no kind": (
        example("tool", extensions={_CORE: {"extension_type": "other"}}),
        f"extensions.{_CORE}.extension_type",
        Rule.EXTENSION,
    ),
    "an extension without extension_type": (
        example("tool", extensions={_CORE: {"a_b": 1}}),
        f"extensions.{_CORE}.extension_type",
        Rule.EXTENSION,
    ),
    "extension_properties of a new-sdo": (
        example("extension-definition", extension_types=["new-sdo"]),
        "$",
        Rule.CONTRADICTION,
    ),
    "a determination that is a number": (
        _incident(determination=5),
        f"extensions.{_CORE}.determination",
        Rule.VALUE_TYPE,
    ),
    "a criticality of 101": (_incident(criticality=101), f"extensions.{_CORE}.criticality", Rule.BOUNDS),
    "an impact_ref to an event": (
        _incident(impact_refs=[ref("event")]),
        f"extensions.{_CORE}.impact_refs[0]",
        Rule.REFERENCE,
    ),
    "an event_ref to a task": (
        _incident(events=[{"event_ref": ref("task")}]),
        f"extensions.{_CORE}.events[0].event_ref",
        Rule.REFERENCE,
    ),
    "an availability of 101": (
        _impact("availability-ext", {"availability_impact": 101}),
        "extensions.availability-ext.availability_impact",
        Rule.BOUNDS,
    ),
    "an event on 30 February": (
        _event("event", _EVENT, start_time="2026-02-30T00:00:00Z"),
        "start_time",
        Rule.CALENDAR,
    ),
    "a task of text priority": (_event("task", _TASK, priority="high"), "priority", Rule.VALUE_TYPE),
    "a pattern that is none": (example("indicator", pattern="[file:name = "), "pattern", Rule.PATTERN),
    "an empty sigma rule": (example("indicator", pattern="", pattern_type="sigma"), "pattern", Rule.PATTERN),
    "a new observable that claims to be a domain object": (
        sco("acme-sensor", extensions={ref("extension-definition"): {"extension_type": "new-sdo"}}),
        "created",
        Rule.REQUIRED,
    ),
}


@pytest.mark.parametrize(("obj", "field", "rule"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_by_name(obj: Any, field: str, rule: Rule) -> None:
    found = _VALIDATOR.problems(obj)
    assert (field, rule) in {(problem.field, problem.rule) for problem in found}
    assert all(problem.message for problem in found)


def test_the_table_has_a_case_for_every_rule() -> None:
    assert {rule for _, _, rule in REFUSED.values()} == set(Rule)


def test_at_most_five_problems_are_told() -> None:
    obj = example("indicator", name=5, pattern=5, valid_from=5, created=5, modified=5, labels=5, revoked=5, lang=5)
    assert len(_VALIDATOR.problems(obj)) == MAX_PROBLEMS


def test_no_problem_repeats_a_value_or_a_name_of_the_caller() -> None:
    secret = "SECRET-VALUE"
    for obj in (
        example("tool", x_secret_value=[]),
        example("tool", **{secret: 5}),
        example("tool", name={secret: secret}),
        example("tool", lang=secret, created_by_ref=secret),
        example("tool", extensions={secret: {secret: 5}}),
        example("file", hashes={"SECRET-VALUE": 5}),
        example("indicator", pattern=f"[{secret}:a = {secret}]"),
        example("language-content", contents={secret: {secret: secret}}),
        example("observed-data", object_refs=None, objects={secret: sco("url", value=5)}),
        sdo(secret),
    ):
        found = _VALIDATOR.problems(obj)
        assert found
        text = repr(found).lower()
        assert secret.lower() not in text
        assert "x_secret_value" not in text


def test_a_path_stops_before_a_name_that_is_not_of_stix() -> None:
    known = frozenset({"extensions", "name"})
    assert field_path(["extensions", _CORE, "name", 2], known) == f"extensions.{_CORE}.name[2]"
    assert field_path(["extensions", "acme", "name"], known) == "extensions"
    assert field_path(["acme"], known) == "$"


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=12), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=200)
@given(
    obj=st.sampled_from(examples()),
    name=st.sampled_from(["extensions", "granular_markings", "objects", "id", "lang", "x_a"]),
    value=_JSON,
)
def test_whatever_stands_in_a_property_there_is_a_verdict(obj: Object, name: str, value: Any) -> None:
    _VALIDATOR.problems({**obj, name: value})


@settings(max_examples=200)
@given(obj=st.dictionaries(st.sampled_from(["type", "id", "extensions", "created", "contents"]), _JSON))
def test_whatever_the_object_there_is_a_verdict(obj: Object) -> None:
    assert _VALIDATOR.problems(obj)
