"""The verdicts of StixValidator beside those of stix2-validator 3.2.0: every difference has a name and a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from hub.domain.stix import STANDARD_TYPES, version_key
from hub.domain.stix_amendments import IMPACT_EXTENSIONS
from hub.domain.stix_problem import Problem, Rule
from hub.domain.stix_references import TARGETS
from hub.domain.stix_times import ORDERED
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas
from tests.domain import stix_examples
from tests.domain.stix_examples import Object, examples, published, ref
from tests.domain.stix_mutants import mutants

Oracle = Callable[[Object], list[str]]


@pytest.fixture(scope="module")
def validator() -> StixValidator:
    return StixValidator(read_schemas())


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    """What stix2-validator says against an object; what crashes it, it does not accept either."""
    import stix2validator

    def errors(obj: Object) -> list[str]:
        options = stix2validator.ValidationOptions(version="2.1", silent=True)
        try:
            return [str(error) for error in stix2validator.validate_instance(obj, options).errors]
        except Exception as crash:  # noqa: BLE001  # the oracle raises TypeError, AttributeError, ValueError and more
            return [f"crash: {type(crash).__name__}"]

    return errors


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def _kinds(obj: Object) -> set[str]:
    extensions = obj.get("extensions")
    bodies = extensions.values() if isinstance(extensions, dict) else ()
    return {body.get("extension_type") for body in bodies if isinstance(body, dict)}


def _same_instant(obj: Object) -> bool:
    pairs = [("created", "modified"), *((a, b) for a, b, _ in ORDERED.get(obj["type"], ()))]
    return any(
        a in obj and b in obj and obj[a] > obj[b] and version_key(obj[a]) <= version_key(obj[b]) for a, b in pairs
    )


def _textual_order(obj: Object) -> bool:
    pairs = [("created", "modified"), *((a, b) for a, b, _ in ORDERED.get(obj["type"], ()))]
    return any(
        a in obj and b in obj and obj[a] < obj[b] and version_key(obj[a]) >= version_key(obj[b]) for a, b in pairs
    )


STRICTER: dict[str, Callable[[Object, Problem], bool]] = {
    "a line feed at the end: Python's $ lets the oracle overlook it": lambda obj, _: any(
        text.endswith("\n") for text in _strings(obj)
    ),
    "created_by_ref is of an identity (§3.2); the oracle takes any id": lambda _, problem: (
        problem.field == "created_by_ref" and problem.rule == Rule.REFERENCE
    ),
    "object_marking_refs are of marking-definitions (§3.2); the oracle takes any id": lambda _, problem: (
        problem.field.startswith("object_marking_refs") and problem.rule == Rule.REFERENCE
    ),
    "references between observables have types (§6); the oracle checks them inside observed-data only": lambda obj, p: (
        p.rule == Rule.REFERENCE
        and any(re.sub(r"\[\d+\]", "", p.field) == ".".join(path) for path, _ in TARGETS.get(obj["type"], ()))
    ),
    "an observation is of an observable (§4.14); the oracle does not look": lambda _, problem: (
        problem.field == "object_refs" and problem.rule == Rule.REFERENCE
    ),
    "spec_version is 2.1: the hub stores nothing else": lambda obj, problem: (
        problem.rule == Rule.SPEC_VERSION and obj.get("spec_version") == "2.0"
    ),
    "a custom type is in the id too (§2.9); the oracle checks standard types only": lambda obj, problem: (
        problem.rule == Rule.IDENTIFIER and obj["type"] not in STANDARD_TYPES
    ),
    "a new-sdo has created and modified (§7.3); the oracle takes what has neither for an observable": lambda obj, p: (
        p.rule == Rule.REQUIRED and p.field in ("created", "modified") and "new-sdo" in _kinds(obj)
    ),
    "times are compared as instants; the oracle compares their text": lambda obj, problem: (
        problem.rule == Rule.ORDER and _textual_order(obj)
    ),
    "a CPE is one by the published expression from end to end; the oracle's library forgives more": lambda _, problem: (
        problem.rule == Rule.FORM and problem.field == "cpe"
    ),
    "a hyphen or digit at the edge of a host name: the formats are checked by another library": lambda _, problem: (
        problem.rule == Rule.FORM and problem.field in ("value", "external_references[0].url")
    ),
}
"""What the hub refuses and the oracle accepts."""

LOOSER: dict[str, Callable[[Object, str], bool]] = {
    "languages are well-formed RFC 5646 tags; the oracle has a list of 200": lambda _, error: "RFC 5646" in error,
    "software languages have the form of ISO 639-2; the oracle has a list": lambda _, error: "ISO 639-2" in error,
    "media types have their form; the oracle has a copy of the IANA registry": lambda _, error: "IANA" in error,
    "a granular marking may have lang alone (§7.2.3); the published schema wants marking_ref": lambda _, error: (
        "'marking_ref' is a required property" in error
    ),
    "times are compared as instants; the oracle compares their text": lambda obj, error: (
        "must be later than" in error and _same_instant(obj)
    ),
    "a leap second ends some months of June and December; the oracle knows none": lambda _, error: (
        "second must be in 0..59" in error and bool(re.search(r"(06-30|12-31)T23:59:60", error))
    ),
    "impacts are named without -ext in the incident suite's own schemas and examples": lambda obj, error: (
        obj["type"] == "impact" and any(f"'{name}' does not match" in error for name in IMPACT_EXTENSIONS)
    ),
    "a custom type inside observed-data may contain the name of a standard one": lambda obj, error: (
        obj["type"] == "observed-data" and "objects" in error
    ),
    "e-mail addresses and hosts: the formats are checked by another library": lambda obj, error: (
        obj["type"] in ("email-addr", "domain-name") and "value" in error
    ),
}
"""What the hub accepts and the oracle refuses."""


def _explained(obj: Object, problems: tuple[Problem, ...], errors: list[str]) -> bool:
    if bool(problems) == bool(errors):
        return True
    if problems:
        return all(any(reason(obj, problem) for reason in STRICTER.values()) for problem in problems)
    return all(any(reason(obj, error) for reason in LOOSER.values()) for error in errors)


@settings(max_examples=350, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(obj=mutants())
@example(obj=stix_examples.example("indicator", modified="2026-01-02T03:04:05.6780Z"))
@example(
    obj=stix_examples.example("indicator", created="2026-01-03T03:04:05.678Z", modified="2026-01-03T03:04:05.6779Z")
)
@example(obj=stix_examples.example("campaign", first_seen="2016-11-30T23:59:60Z", last_seen="2016-12-30T23:59:59Z"))
@example(obj=stix_examples.example("campaign", first_seen="2026-02-30T00:00:00Z", last_seen="2026-03-01T00:00:00Z"))
@example(obj=stix_examples.example("tool", lang="en-NG"))
@example(obj=stix_examples.example("tool", lang="not a language"))
@example(obj=stix_examples.example("tool", granular_markings=[{"lang": "fr", "selectors": ["name"]}]))
@example(obj=stix_examples.example("tool", object_marking_refs=[ref("identity")]))
@example(obj=stix_examples.example("artifact", mime_type="image/x-new"))
@example(obj=stix_examples.example("indicator", pattern="[file:hashes.MD5 = 'x']"))
def test_the_validator_and_the_oracle_agree_or_the_difference_has_a_name(
    validator: StixValidator, oracle: Oracle, obj: Object
) -> None:
    problems, errors = validator.problems(obj), oracle(obj)
    assert _explained(obj, problems, errors), (obj, problems, errors)


def test_both_accept_an_example_of_every_type(validator: StixValidator, oracle: Oracle) -> None:
    assert {obj["type"] for obj in examples()} >= STANDARD_TYPES
    for obj in examples():
        assert (validator.problems(obj), oracle(obj)) == ((), []), obj["type"]


def test_of_the_published_objects_the_oracle_refuses_only_impacts_named_without_ext(
    validator: StixValidator, oracle: Oracle
) -> None:
    asked: dict[tuple[str, str], int] = {}
    refused: list[str] = []
    for file, obj in published():
        key = file, obj["type"]
        asked[key] = asked.get(key, 0) + 1
        if asked[key] > 3:
            continue  # the oracle is slow, and a file's objects of one type are much alike
        errors = oracle(obj)
        assert _explained(obj, validator.problems(obj), errors)
        if errors:
            refused.append(obj["type"])
    assert refused
    assert set(refused) == {"impact"}
