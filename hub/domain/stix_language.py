"""Language tags (RFC 5646) and language-content objects (STIX 2.1 §7.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.domain.stix_problem import Problem, Rule

_TAG: Final = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"  # language, with extended subtags
    r"(?:-[a-z]{4})?"  # script
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"  # private use
    r"|x(?:-[a-z0-9]{1,8})+",
    re.ASCII | re.IGNORECASE,
)
_MAX_TAG: Final = 128
"""Characters of a tag: real ones stay below 20."""

_PROPERTY: Final = re.compile(r"[a-z0-9_]{3,250}|id")


def is_language_tag(text: object) -> bool:
    """Say whether this is a well-formed tag (RFC 5646 §2.1); the registry of subtags is not asked."""
    return isinstance(text, str) and len(text) <= _MAX_TAG and _TAG.fullmatch(text) is not None


def language_problems(obj: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the language of an object, and with the translations of a language-content."""
    if "lang" in obj and not is_language_tag(obj["lang"]):
        yield Problem("lang", Rule.LANGUAGE, "it must be an RFC 5646 language tag")
    if obj["type"] != "language-content":
        return
    for tag, translation in obj["contents"].items():
        if not is_language_tag(tag):
            yield Problem("contents", Rule.LANGUAGE, "each key must be an RFC 5646 language tag")
        if not isinstance(translation, Mapping):
            yield Problem("contents", Rule.VALUE_TYPE, "each value must be a dictionary of translated properties")
        elif not all(_PROPERTY.fullmatch(name) for name in translation):
            yield Problem("contents", Rule.PROPERTY_NAME, "translations are keyed by names of properties")
