"""How far something from the hub may go in a MISP: its markings as a distribution that is never wider.

| marking | at most | because |
| --- | --- | --- |
| RED, AMBER+STRICT | 0 your organisation only | no other organisation may have it |
| AMBER | 1 this community | the organisation and its clients: those with an account on this server, and 1 ends there |
| GREEN | 2 connected communities | peers and partners, one hop; 3 is passed on by servers nobody here knows |
| CLEAR | 3 all communities | no limit |
| named recipients, exclusions, no onward relay | 0 your organisation only | MISP cannot name those it is (not) for |
| a permission that expires | not delivered | MISP cannot end it |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.misp.mapping.tags import pap_of, strictest_pap
from hub.domain import markings, tlp
from hub.domain.stix import facts

WIDEST: Final[Mapping[tlp.Level, int]] = {"clear": 3, "green": 2, "amber": 1, "amber+strict": 0, "red": 0}
ACT: Final = frozenset({"clear", "green"})
"""PAP levels under which a pattern may become a rule that acts; the others say look, do not touch."""


@dataclass(frozen=True, slots=True)
class Restraint:
    """What MISP may do with something.

    :param distribution: 0 to 3, the widest it may have.
    :param guessed: whether the TLP level is the configured default.
    """

    tlp: tlp.Level
    pap: str | None
    distribution: int
    guessed: bool = False

    @property
    def may_act(self) -> bool:
        """Whether it may be exported as a detection or blocking rule (``to_ids``)."""
        return self.pap is None or self.pap in ACT


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """MISP cannot keep the promise; ``reason`` says which, without content."""

    reason: str


def of(
    obj: Mapping[str, Any], definitions: Mapping[str, Mapping[str, Any]], default_tlp: tlp.Level, widest: int
) -> Restraint | Undeliverable:
    """Return what the markings of an object allow, and never more than ``widest``."""
    try:
        about = facts(obj)
        meaning = markings.effective(about, obj, definitions)
    except (KeyError, TypeError, ValueError):
        return Undeliverable("it is no STIX object")
    if meaning.unknown is not None or meaning.malformed is not None:
        return Undeliverable("it has a marking that is not understood here")
    limit = widest
    for one in meaning.releasabilities:
        if one.permission_expires is not None:
            return Undeliverable("it may only be seen until a certain time, which MISP cannot end")
        if one.recipients is not None or one.exclusions or not one.onward_relay:
            limit = 0
    level = meaning.tlp or default_tlp
    return Restraint(level, pap_of(about.marking_refs), min(limit, WIDEST[level]), guessed=meaning.tlp is None)


def together(restraints: Iterable[Restraint]) -> Restraint:
    """Return what is allowed for something that has all these parts. Raises ValueError of none."""
    known = list(restraints)
    level = tlp.strictest(one.tlp for one in known)
    if level is None:
        raise ValueError("nothing to put together")
    return Restraint(
        level,
        strictest_pap(one.pap for one in known if one.pap is not None),
        min(one.distribution for one in known),
        any(one.guessed for one in known),
    )
