"""What a JSON Schema validator reports, told in the words of STIX and without the value it complains of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from jsonschema_rs import ValidationError, ValidationErrorKind

from hub.domain.stix_problem import ROOT, Problem, Rule, field_path

_RULES: Final = {
    "additionalProperties": (Rule.PROPERTY_NAME, "a name here does not have the form STIX allows"),
    "const": (Rule.VOCABULARY, "the value must be the one STIX gives"),
    "enum": (Rule.VOCABULARY, "the value must be one of those STIX lists"),
    "format": (Rule.FORM, "the value does not have the form of its type"),
    "maxLength": (Rule.BOUNDS, "the value is too long"),
    "maximum": (Rule.BOUNDS, "the value is too large"),
    "minItems": (Rule.EMPTY, "an empty list is left out"),
    "minLength": (Rule.EMPTY, "the value is too short"),
    "minProperties": (Rule.EMPTY, "an empty dictionary is left out"),
    "minimum": (Rule.BOUNDS, "the value is too small"),
    "pattern": (Rule.FORM, "the value does not have the form of its type"),
    "propertyNames": (Rule.PROPERTY_NAME, "a name here does not have the form STIX allows"),
    "required": (Rule.REQUIRED, "the property is required"),
    "type": (Rule.VALUE_TYPE, "the value has another JSON type than STIX wants"),
}
_OTHERWISE: Final = (Rule.CONTRADICTION, "the properties here do not go together, or one of them is missing")


def schema_problems(errors: Iterable[ValidationError], known: frozenset[str]) -> Iterator[Problem]:
    """Yield a problem per error.

    :param known: the property names that the schemas define; others are not named.
    """
    for error in errors:
        rule, message = _RULES.get(error.kind.name, _OTHERWISE)
        path = list(error.instance_path)
        if isinstance(error.kind, ValidationErrorKind.Required):
            path.append(error.kind.property)
        field = field_path(path, known)
        name = path[-1] if path else None
        if name == "spec_version":
            rule, message = Rule.SPEC_VERSION, "it must be 2.1"
        elif rule is Rule.CONTRADICTION and error.instance == []:
            rule, message = _RULES["minItems"]
        elif rule is Rule.CONTRADICTION and error.instance is None:
            rule, message = _RULES["type"]
        elif rule is Rule.CONTRADICTION and error.kind.name == "not" and "then" not in error.schema_path:
            rule, message = _refused(field)
        elif rule is Rule.FORM and field == "type":
            rule, message = Rule.TYPE_NAME, "it must have the form of a type name"
        elif rule is Rule.FORM and field == "id":
            rule, message = Rule.IDENTIFIER, "it must be the object's type, two hyphens and a UUID"
        elif rule is Rule.FORM and _is_reference(path):
            rule, message = Rule.REFERENCE, "it must be an id of a type that may stand here"
        elif rule is Rule.PROPERTY_NAME and name == "extensions":
            rule, message = Rule.EXTENSION, "each key must be the id of an extension-definition or the name of one"
        elif name == "extension_type":
            rule, message = Rule.EXTENSION, "it must be one of the kinds of extension that STIX lists"
        yield Problem(field, rule, message)


def _refused(field: str) -> tuple[Rule, str]:
    if field == ROOT:
        return Rule.RESERVED, "a property has one of the names that STIX reserves"
    if field == "type":
        return Rule.TYPE_NAME, "the name is reserved"
    return Rule.REFERENCE, "it must be an id of a type that may stand here"


def _is_reference(path: list[str | int]) -> bool:
    names = [step for step in path if isinstance(step, str)]
    return bool(names) and names[-1].endswith(("_ref", "_refs"))
