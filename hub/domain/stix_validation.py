"""One door for objects: the OASIS schema of the type, then the rules a schema cannot say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, RegexOptions, Registry

from hub.domain.stix import SCO_TYPES, STANDARD_TYPES, is_sco
from hub.domain.stix_amendments import (
    BASE,
    EVENT,
    IMPACT,
    INCIDENT_CORE,
    TASK,
    Schema,
    amended,
    impact_schema,
    incident_schemas,
)
from hub.domain.stix_problem import MAX_PROBLEMS, ROOT, Problem, Rule
from hub.domain.stix_schema_problems import schema_problems
from hub.domain.stix_semantics import semantic_problems

_FOLDERS: Final = frozenset({"sdos", "sros", "observables"})
_META: Final = ("common/extension-definition", "common/language-content", "common/marking-definition")
_LITERAL_NAME: Final = re.compile(r"\^[A-Za-z0-9-]+\$")
"""A `patternProperties` expression that stands for one name, as the hash algorithms do."""
_IN_SUITE: Final = "incident-core/"
"""Before the names of the suite's schemas, which are applied besides those of the types; no type has a slash."""
_SUITE: Final = {"incident": INCIDENT_CORE, "event": EVENT, "impact": IMPACT, "task": TASK}


class StixValidator:
    """Says what is wrong with a STIX 2.1 object; safe to share between threads.

    :param schemas: the schemas of ``schemas/stix`` by their path below it, such as ``sdos/indicator.json``.
    """

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        published = {BASE + path: schema for path, schema in schemas.items() if not path.startswith("incident-core/")}
        documents = amended(published)
        self._registry = Registry(list(documents.items()))
        # Each is made when the first object of its type comes: together they take 30 MiB, and a hub sees few types.
        self._made: dict[str, Draft202012Validator] = {}
        self._schemas: dict[str, Schema] = {}
        for path in schemas:
            folder, _, name = path.removesuffix(".json").partition("/")
            if folder in _FOLDERS or path.removesuffix(".json") in _META:
                self._schemas[name] = documents[BASE + path]
        core = documents[BASE + "common/core.json"]
        self._object = self._compiled(core)
        self._observable = self._compiled(documents[BASE + "common/cyber-observable-core.json"])
        self._schemas["impact"] = impact_schema(core)
        suite = incident_schemas(
            {name: schemas[f"incident-core/{name}.json"] for name in _SUITE.values()},
            schemas["incident-core/incident_core.json"],
        )
        self._schemas |= {_IN_SUITE + name: schema for name, schema in suite.items()}
        # The hub's own extension adds one that no schema of OASIS knows (hub.domain.signature_extensions).
        self._known = frozenset({*_property_names([*documents.values(), *suite.values()]), "signatures"})

    def problems(self, obj: Any) -> tuple[Problem, ...]:
        """Return the first few faults of an object, none when it is good STIX 2.1; the object is not changed."""
        if not isinstance(obj, dict):
            return (Problem(ROOT, Rule.NOT_AN_OBJECT, "a STIX object is a JSON object"),)
        name = obj.get("type")
        if name == "bundle":
            return (Problem("type", Rule.TYPE_NAME, "a bundle is not an object; send what is in it"),)
        observable = isinstance(name, str) and is_sco(obj)
        return _distinct(self._schema(obj, name, observable)) or _distinct(self._semantics(obj, observable))

    def _of(self, name: str) -> Draft202012Validator:
        validator = self._made.get(name)
        if validator is None:  # two threads may make the same one; either will do
            validator = self._made[name] = self._compiled(self._schemas[name])
        return validator

    def _compiled(self, schema: Schema) -> Draft202012Validator:
        return Draft202012Validator(
            schema,
            registry=self._registry,
            validate_formats=True,
            pattern_options=RegexOptions(),  # the linear-time engine: a type name cannot make it backtrack
            offline=True,
        )

    def _schema(self, obj: dict[str, Any], name: Any, observable: bool) -> Iterator[Problem]:
        generic = self._observable if observable else self._object
        validator = self._of(name) if isinstance(name, str) and name in self._schemas else generic
        if not validator.is_valid(obj):
            yield from schema_problems(validator.iter_errors(obj), self._known)
            return
        if obj.get("spec_version", "2.1" if observable else None) != "2.1":
            yield Problem("spec_version", Rule.SPEC_VERSION, "it must be 2.1")
        if name not in STANDARD_TYPES and not obj["id"].startswith(f"{name}--"):
            yield Problem("id", Rule.IDENTIFIER, "it must be the object's type, two hyphens and a UUID")
        if name in _SUITE and _SUITE[name] in obj.get("extensions", ()):
            yield from schema_problems(self._of(_IN_SUITE + name).iter_errors(obj), self._known)

    def _semantics(self, obj: dict[str, Any], observable: bool) -> Iterator[Problem]:
        yield from semantic_problems(obj, observable=observable)
        if obj["type"] == "observed-data" and "objects" in obj:
            yield from self._inside(obj["objects"])

    def _inside(self, objects: Mapping[str, Any]) -> Iterator[Problem]:
        """Check the observables within an observed-data (STIX 2.1 §4.14, deprecated); their keys are not named."""
        for inner in objects.values():
            name = inner.get("type")
            validator = self._of(name) if name in SCO_TYPES else self._observable
            found: Iterable[Problem] = ()
            if not validator.is_valid(inner):
                found = schema_problems(validator.iter_errors(inner), self._known)
            elif name in STANDARD_TYPES and name not in SCO_TYPES:
                found = (Problem("type", Rule.TYPE_NAME, "only cyber-observables may stand here"),)
            else:
                found = semantic_problems(inner, observable=True, local=objects)
            for problem in found:
                yield Problem("objects", problem.rule, f"one of the observables: {problem.field}: {problem.message}")


def _distinct(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the first few problems, each field and rule once; no more of them are looked for."""
    found: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        found.setdefault((problem.field, problem.rule), problem)
        if len(found) == MAX_PROBLEMS:
            break
    return tuple(found.values())


def _property_names(schemas: Iterable[Any]) -> Iterator[str]:
    """Yield every property name that a schema defines anywhere."""
    for node in schemas:
        if isinstance(node, Mapping):
            properties = node.get("properties")
            if isinstance(properties, Mapping):
                yield from properties
            for expression in node.get("patternProperties", ()):
                if _LITERAL_NAME.fullmatch(expression):
                    yield expression[1:-1]
            yield from _property_names(node.values())
        elif isinstance(node, list):
            yield from _property_names(node)
