"""A decision is a value: yes or no, the rule that settled it, and a reason a person can read.

Nothing means no: the absence of a decision is never permission, and ``all_of([])`` refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of one rule, or of all of them together.

    :param rule: name of the rule that settled it, such as ``tlp`` or ``ownership``.
    :param reason: one sentence without content of the object and without names the caller may not know.
    """

    allowed: bool
    rule: str
    reason: str

    def __bool__(self) -> bool:
        return self.allowed


@lru_cache(maxsize=256)  # every rule says yes to every object, in the same few words
def allow(rule: str, reason: str) -> Decision:
    """Say yes, in the name of a rule."""
    return Decision(True, rule, reason)


def deny(rule: str, reason: str) -> Decision:
    """Say no, in the name of a rule."""
    return Decision(False, rule, reason)


def all_of(decisions: Iterable[Decision]) -> Decision:
    """Return the first refusal; else the last permission; no decisions at all is a refusal."""
    last = deny("nothing", "no rule was asked")
    for decision in decisions:
        if not decision.allowed:
            return decision
        last = decision
    return last
