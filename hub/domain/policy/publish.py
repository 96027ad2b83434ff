"""May this be published, and who may see it: the rules in order, every one of which must say yes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.domain.policy.decision import Decision, all_of
from hub.domain.policy.publication import Publication, Verdict

__all__ = ["RULES", "Publication", "Rule", "Verdict", "decide"]

Rule = Callable[[Publication], Decision]

RULES: Final[tuple[Rule, ...]] = ()


def decide(publication: Publication) -> Verdict:
    """Ask every rule; the first refusal settles it, and no rules at all is a refusal."""
    return Verdict(all_of(rule(publication) for rule in RULES))
