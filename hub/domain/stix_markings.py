"""Granular markings: selectors that select something, and no marking of itself (STIX 2.1 §7.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.domain.stix_language import is_language_tag
from hub.domain.stix_problem import Problem, Rule

_INDEX: Final = re.compile(r"\[([0-9]{1,9})\]")


def marking_problems(obj: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the markings of an object whose schema holds."""
    own = obj["id"] if obj["type"] == "marking-definition" else None
    if own is not None:
        for index, reference in enumerate(obj.get("object_marking_refs", ())):
            if reference == own:
                yield Problem(f"object_marking_refs[{index}]", Rule.MARKING, "a marking does not mark itself")
    for index, marking in enumerate(obj.get("granular_markings", ())):
        field = f"granular_markings[{index}]"
        if own is not None and marking.get("marking_ref") == own:
            yield Problem(f"{field}.marking_ref", Rule.MARKING, "a marking does not mark itself")
        if "lang" in marking and not is_language_tag(marking["lang"]):
            yield Problem(f"{field}.lang", Rule.LANGUAGE, "it must be an RFC 5646 language tag")
        for place, selector in enumerate(marking["selectors"]):
            if not _selects(obj, selector):
                yield Problem(f"{field}.selectors[{place}]", Rule.SELECTOR, "it must select content of this object")


def _selects(obj: Mapping[str, Any], selector: str) -> bool:
    """Say whether a path such as ``external_references.[0].url`` leads to something in the object."""
    node: Any = obj
    for step in selector.split("."):
        index = _INDEX.fullmatch(step)
        if index is not None:
            if not isinstance(node, list) or int(index[1]) >= len(node):
                return False
            node = node[int(index[1])]
        elif isinstance(node, Mapping) and step in node:
            node = node[step]
        else:
            return False
    return True
