"""Objects of the hub as one MISP event: misp-stix makes the attributes, this says how far they may go and keeps ids.

The same objects give the same event, uuids included: delivered twice it is there once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.misp.mapping import bundles, finishing, notices, outcome
from connectors.misp.mapping.restraint import Restraint, Undeliverable, of, together
from connectors.sdk.exchange import Refused, StixObject
from connectors.sdk.report import Report
from hub.domain import tlp
from hub.domain.stix import is_sco

_RFC_VERSIONS: Final = (1, 3, 4, 5)
"""The versions of a uuid that MISP takes."""

NAMESPACE: Final = uuid.UUID("4c2f2a9e-9b7c-4f4d-8c39-0f2a7f1e6b55")


@dataclass(frozen=True, slots=True)
class OutRules:
    """What an operator has settled about one MISP.

    :param distribution: the widest that anything gets. :param default_tlp: of what has no TLP marking.
    :param origin_tag: is on every event, so that it is known as the hub's and never brought back.
    """

    distribution: int
    default_tlp: tlp.Level
    origin_tag: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What one event is made of.

    :param uuid: of the event. :param container: report, grouping or incident; None for a collection event.
    :param title: of a collection event. :param day: of a collection event, as ``2026-11-22``.
    :param author: identity object of whoever made it, where it is known.
    """

    uuid: str
    container: StixObject | None
    members: Sequence[StixObject]
    definitions: Mapping[str, StixObject] = field(default_factory=dict)
    author: StixObject | None = None
    title: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The event, or None when nothing of it may be delivered."""

    event: dict[str, Any] | None
    report: Report
    refused: tuple[Refused, ...] = ()


def event_uuid(stix_id: str) -> str:
    """Return the uuid of the event that a container is: its own, if MISP takes a uuid of that version."""
    name = stix_id[-36:]
    return name if uuid.UUID(name).version in _RFC_VERSIONS else str(uuid.uuid5(NAMESPACE, stix_id))


def stix_to_event(draft: Draft, rules: OutRules) -> Drawn:
    """Return the event of a draft and what became of each object. Raises Unconvertible when no part of it can be."""
    report = Report()
    refused: list[Refused] = []
    allowed: dict[str, Restraint] = {}
    everything = [*([draft.container] if draft.container is not None else []), *draft.members]
    for one in everything:
        verdict = of(one, draft.definitions, rules.default_tlp, rules.distribution)
        if isinstance(verdict, Undeliverable):
            report.dropped(f"({one['type']})", verdict.reason)
            refused.append(Refused(one["id"], verdict.reason))
        else:
            allowed[one["id"]] = verdict
    if draft.container is not None and draft.container["id"] not in allowed:
        left = [
            Refused(one["id"], "what it belongs to is not delivered") for one in draft.members if one["id"] in allowed
        ]
        return Drawn(None, report, (*refused, *left))
    members = [one for one in draft.members if one["id"] in allowed]
    if not members and draft.container is None:
        return Drawn(None, report, tuple(refused))
    try:
        prepared, (event, warnings, errors) = _converted(draft, members)
    except bundles.Unconvertible:
        members, broken = _sound(draft, members)
        refused += [Refused(one["id"], "misp-stix cannot convert it") for one in broken]
        report.dropped("(object)", "misp-stix cannot convert it", len(broken))
        prepared, (event, warnings, errors) = _converted(draft, members)
    notices.note(warnings, errors, report, "text")
    own = together(allowed.values()) if draft.container is None else allowed[draft.container["id"]]
    sources = finishing.sources(members)
    lost = finishing.finish(
        event,
        finishing.Whole(draft.uuid, prepared, own, together(allowed.values()), rules.origin_tag),
        sources,
        allowed,
        report,
    )
    if lost:
        report.merged("x_misp_attribute_details", "Object.Attribute", "not all could be found again", lost)
    outcome.account(draft.container, members, event, allowed, report)
    refused += [Refused(one, "MISP has no place for it") for one in outcome.without_place(members, event)]
    return Drawn(event, report, tuple(refused))


def _converted(draft: Draft, members: Sequence[StixObject]) -> tuple[bundles.Prepared, bundles.Made]:
    prepared = bundles.prepare(draft.container, members, title=draft.title, day=draft.day, author=draft.author)
    return prepared, bundles.converted(prepared)


def _sound(draft: Draft, members: Sequence[StixObject]) -> tuple[list[StixObject], list[StixObject]]:
    """Return the objects that can be converted, each with the observables it refers to, and those that cannot."""
    observables = [one for one in members if is_sco(one)]
    broken = []
    for one in members:
        if not is_sco(one):
            refs = set(one.get("object_refs", []))
            alone = [one, *(each for each in observables if each["id"] in refs)]
            try:
                _converted(draft, alone)
            except bundles.Unconvertible:
                broken.append(one)
    lost = {one["id"] for one in broken}
    return [one for one in members if one["id"] not in lost], broken


def levels(objects: Iterable[StixObject], definitions: Mapping[str, StixObject], rules: OutRules) -> dict[str, str]:
    """Return the TLP level of each object that may be delivered: collections are kept apart by it."""
    found: dict[str, str] = {}
    for one in objects:
        verdict = of(one, definitions, rules.default_tlp, rules.distribution)
        found[one["id"]] = "undeliverable" if isinstance(verdict, Undeliverable) else verdict.tlp
    return found
