"""The rules of STIX 2.1 that JSON Schema cannot say, for one object whose schema holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.domain.pattern import fault
from hub.domain.sco_id import CONTRIBUTING
from hub.domain.stix_language import language_problems
from hub.domain.stix_markings import marking_problems
from hub.domain.stix_problem import Problem, Rule
from hub.domain.stix_references import reference_problems
from hub.domain.stix_times import time_problems

_UUID_VERSION: Final = -22
"""Where the version digit of a UUID stands, counted from the end of an id."""


def semantic_problems(
    obj: Mapping[str, Any], *, observable: bool, local: Mapping[str, Any] | None = None
) -> Iterator[Problem]:
    """Yield each rule the object breaks.

    1. its timestamps are real moments in order;
    2. its references point where they may;
    3. its markings select something in it, and not itself;
    4. its languages are tags;
    5. an observable without contributing properties has a UUIDv4;
    6. an indicator's STIX pattern parses;
    7. a file's name has an encoding only if it is there (STIX 2.1 §3.1).

    :param local: the ``objects`` of the observed-data that the object stands in, if it does.
    """
    yield from time_problems(obj, observable=observable)
    yield from reference_problems(obj, local)
    if "granular_markings" in obj or obj["type"] == "marking-definition":
        yield from marking_problems(obj)
    if "lang" in obj or obj["type"] == "language-content":
        yield from language_problems(obj)
    if observable:
        yield from _identifier(obj)
    if obj["type"] == "indicator":
        yield from _pattern(obj)
    elif obj["type"] == "file" and "name_enc" in obj and "name" not in obj:
        yield Problem("name_enc", Rule.CONTRADICTION, "an encoding stands only beside what it encodes")


def _identifier(obj: Mapping[str, Any]) -> Iterator[Problem]:
    """A UUIDv5 without content to make it of would be shared by objects that have nothing in common (§2.9, §6.13).

    A UUIDv5 that differs from the procedure's is no fault: §2.9 lets a producer use a namespace of its own.
    """
    names = CONTRIBUTING.get(obj["type"])
    if names is None or obj["id"][_UUID_VERSION] == "4":
        return
    if not any(name in obj for name in names):
        yield Problem("id", Rule.IDENTIFIER, "without ID contributing properties it must be a UUIDv4")


def _pattern(obj: Mapping[str, Any]) -> Iterator[Problem]:
    """A pattern of another language than STIX is carried as it is."""
    pattern = obj["pattern"]
    if not pattern:
        yield Problem("pattern", Rule.PATTERN, "it must not be empty")
    elif obj["pattern_type"] == "stix":
        found = fault(pattern, strings_in_start_stop=obj.get("pattern_version") == "2.0")
        if found is not None:
            yield Problem("pattern", Rule.PATTERN, str(found))
