"""What is wrong with a STIX object, said without repeating any of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ROOT: Final = "$"
"""The field of a problem that is the object's as a whole."""

MAX_PROBLEMS: Final = 5
"""Problems told of one object: the first few lead to the fault, hundreds would only fill the status."""

_EXTENSION_ID: Final = re.compile(r"extension-definition--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Rule(StrEnum):
    """The name of the rule an object breaks; ``docs/validation.md`` explains each."""

    BOUNDS = "bounds"
    CALENDAR = "calendar"
    CONTRADICTION = "contradiction"
    EMPTY = "empty"
    EXTENSION = "extension"
    FORM = "form"
    IDENTIFIER = "identifier"
    LANGUAGE = "language"
    MARKING = "marking"
    NOT_AN_OBJECT = "not-an-object"
    ORDER = "order"
    PATTERN = "pattern"
    PROPERTY_NAME = "property-name"
    REFERENCE = "reference"
    REQUIRED = "required"
    RESERVED = "reserved"
    SELECTOR = "selector"
    SPEC_VERSION = "spec-version"
    TYPE_NAME = "type-name"
    VALUE_TYPE = "value-type"
    VOCABULARY = "vocabulary"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an object.

    :param field: path of the property at fault, such as ``object_refs[2]``; ``$`` for the object as a whole. Names
        that STIX does not define come from the caller and are not repeated: then the path stops at their parent.
    :param rule: a value of ``Rule``.
    :param message: what STIX asks for, in one sentence without content of the object.
    """

    field: str
    rule: str
    message: str


def field_path(path: Iterable[str | int], known: frozenset[str]) -> str:
    """Return a path as text, cut before the first name that neither the schemas nor the form of an id account for."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step in known or _EXTENSION_ID.fullmatch(step):
            text += f".{step}" if text else step
        else:
            break
    return text or ROOT
