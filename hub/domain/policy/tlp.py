"""Rule `tlp`: the strictest marking of an object is understood, and within what the group takes.

Reason: the Traffic Light Protocol is the one promise about handling that every CIRT knows. A marking the hub does not
understand may forbid what it is about to do, so it denies; TLP:RED is for named recipients, and a group is none.
"""

from __future__ import annotations

from typing import Final

from hub.domain import tlp
from hub.domain.markings import effective, looks_like_tlp
from hub.domain.policy.decision import Decision, allow, deny
from hub.domain.policy.publication import Publication

NAME: Final = "tlp"


def check(publication: Publication) -> Decision:
    """Refuse unknown markings, a level above the group's ceiling, and TLP:RED without named recipients."""
    if publication.facts.type == "marking-definition" and looks_like_tlp(publication.body):
        return deny(NAME, "no TLP markings but the published ones may be made: use those (STIX 2.1 §7.2.1.4)")
    meaning = effective(publication.facts, publication.body, publication.markings)
    if meaning.unknown is not None:
        return deny(NAME, meaning.unknown)
    level = meaning.tlp or publication.group.default_tlp
    ceiling = publication.group.tlp_ceiling
    if not (tlp.is_level(level) and tlp.is_level(ceiling)):
        return deny(NAME, "the group's TLP settings are not TLP levels: ask the operator to correct them")
    if tlp.stricter(level, ceiling):
        return deny(NAME, f"{tlp.label(level)} is stricter than this group takes: its ceiling is {tlp.label(ceiling)}")
    if level == "red" and all(one.recipients is None for one in meaning.releasabilities):
        return deny(NAME, "TLP:RED needs named recipients: add a releasability marking with recipient_refs")
    return allow(NAME, f"{tlp.label(level)} is within the group's ceiling")


def level_of(publication: Publication) -> str:
    """Return the level the object is published under: its strictest marking, or else the group's default."""
    meaning = effective(publication.facts, publication.body, publication.markings)
    return meaning.tlp or publication.group.default_tlp
