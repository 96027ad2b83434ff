"""Feedback: which objects a sighting, an opinion or a note is about, and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.domain import limits
from hub.domain.retraction import is_retraction

TYPES: Final = frozenset({"sighting", "opinion", "note"})
OPINIONS: Final = ("strongly-disagree", "disagree", "neutral", "agree", "strongly-agree")
"""The values of an opinion, STIX 2.1 §10.14."""

_DISAGREEING: Final = frozenset(OPINIONS[:2])


def targets(obj: Mapping[str, Any]) -> list[str]:
    """Return what a valid object is feedback about, in its order and at most ``limits.FEEDBACK_TARGETS``.

    What is withdrawn is about nothing any more, and a note that says what was retracted is no feedback.
    """
    kind = obj["type"]
    if kind not in TYPES or obj.get("revoked") is True:
        return []
    if kind == "sighting":
        return [obj["sighting_of_ref"]]
    if is_retraction(obj):
        return []
    return list(dict.fromkeys(obj["object_refs"]))[: limits.FEEDBACK_TARGETS]


def value(obj: Mapping[str, Any]) -> str | None:
    """Return the opinion, or the count of a sighting as text; None for a note, and where no count is given."""
    if obj["type"] == "opinion":
        return str(obj["opinion"])
    counted = obj.get("count")
    return None if obj["type"] != "sighting" or counted is None else str(counted)


def is_false_positive(kind: str, said: str | None) -> bool:
    """Say whether feedback reports a false positive: an opinion that disagrees, or a sighting that counts none."""
    return (kind == "opinion" and said in _DISAGREEING) or (kind == "sighting" and said == "0")
