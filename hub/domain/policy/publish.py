"""May this be published, and who may see it: the rules in order, every one of which must say yes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.domain.policy import (
    allowed_types,
    membership,
    ownership,
    quantum_safe,
    releasability,
    retraction,
    signature,
    tlp,
)
from hub.domain.policy.decision import Decision, all_of
from hub.domain.policy.publication import Publication, Verdict

__all__ = ["RULES", "Publication", "Rule", "Verdict", "decide"]

Rule = Callable[[Publication], Decision]

RULES: Final[tuple[Rule, ...]] = (
    membership.check,
    allowed_types.check,
    signature.check,
    quantum_safe.check,
    ownership.check,
    retraction.check,
    tlp.check,
    releasability.check,
)
"""The cheapest and the least telling first: who may not write here learns no more. docs/policy.md explains each."""


def decide(publication: Publication, rules: tuple[Rule, ...] = RULES) -> Verdict:
    """Ask every rule; the first refusal settles it, and no rules at all is a refusal.

    The decision of an accepted object is that of the last rule, whose reason says who may see it.
    """
    decision = all_of(rule(publication) for rule in rules)
    if not decision:
        return Verdict(decision)
    terms = releasability.terms(publication)
    if isinstance(terms, Decision):
        return Verdict(terms)
    return Verdict(
        decision=decision,
        audience=terms.audience,
        tlp=tlp.level_of(publication),
        embargo_until=terms.embargo_until,
        expires_at=terms.expires_at,
        onward_relay=terms.onward_relay,
    )
