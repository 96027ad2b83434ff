"""What of an event may leave its server, and under which markings: the event without the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.misp.mapping import audience, tags
from connectors.misp.mapping.audience import Audience, Rules, Withheld
from connectors.misp.mapping.shape import MalformedEvent, is_uuid, named, records, seconds
from connectors.sdk.report import Report
from hub.domain import tlp

ANALYST: Final = ("Note", "Opinion")
_SIGHTED, _FALSE_POSITIVE = "0", "1"


@dataclass(frozen=True, slots=True)
class Mark:
    """The handling of one thing that leaves."""

    tlp: tlp.Level
    pap: str | None
    audience: Audience


@dataclass(slots=True)
class Cleaned:
    """What may leave.

    :param event: for misp-stix. :param labels: per uuid, the tags that go into ``labels``.
    :param marks: per uuid of an attribute, object or event report; ``base`` is the event's own.
    :param clusters: uuids of galaxy clusters.
    """

    event: dict[str, Any]
    base: Mark
    marks: dict[str, Mark] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)


def combined(marks: Iterable[Mark]) -> Mark | Withheld:
    """Return the handling of something that has all these parts: the strictest of each."""
    known = list(marks)
    together = audience.all_of(mark.audience for mark in known)
    if isinstance(together, Withheld):
        return together
    level = tlp.strictest(mark.tlp for mark in known)
    if level is None:
        return Withheld("nothing says how it is to be handled")
    if level == "red" and together.recipients is None:
        return Withheld("TLP:RED without named recipients is not sent")
    return Mark(level, tags.strictest_pap(mark.pap for mark in known if mark.pap is not None), together)


def cleaned(event: Mapping[str, Any], rules: Rules, report: Report) -> Cleaned | Withheld:
    """Return what of an event may leave, or why nothing does. Raises MalformedEvent."""
    handling = tags.read(records(event, "Tag"), "Event", report)
    if rules.origin_tag in handling.others:
        return Withheld("it came from the hub")
    own = audience.of(event, rules, "Event", report)
    if isinstance(own, Withheld):
        return own
    level = handling.tlp
    if level is None:
        report.guessed("Event.Tag.tlp", "object_marking_refs", "no TLP tag; the configured default")
        level = rules.default_tlp
    base = combined([Mark(level, handling.pap, own)])
    if isinstance(base, Withheld):
        return base
    work = _Work(rules, report, Cleaned({}, base))
    result = work.result
    result.event = {name: event[name] for name in _EVENT_FIELDS if name in event}
    result.event["Tag"] = []
    result.event["Galaxy"] = work.galaxies(event, "Event")
    result.labels[event["uuid"]] = work.without_withheld_clusters(handling.others)
    result.event["Attribute"] = [
        one for each in records(event, "Attribute") if (one := work.attribute(each, base)) is not None
    ]
    result.event["Object"] = [one for each in records(event, "Object") if (one := work.object(each)) is not None]
    result.event["EventReport"] = [
        one for each in records(event, "EventReport") if (one := work.event_report(each)) is not None
    ]
    for name in ANALYST:
        result.event[name] = work.analyst(event, name, "Event")
    proposals = len(records(event, "ShadowAttribute"))
    if proposals:
        report.dropped("ShadowAttribute", "a proposal is not part of the event before it is accepted", proposals)
    return result


_EVENT_FIELDS: Final = ("uuid", "info", "date", "timestamp", "publish_timestamp", "published", "Orgc")
_ATTRIBUTE_FIELDS: Final = (
    "uuid", "type", "category", "value", "data", "to_ids", "comment", "timestamp", "first_seen", "last_seen",
    "object_relation", "disable_correlation",
)  # fmt: skip
_OBJECT_FIELDS: Final = (
    "uuid", "name", "meta-category", "description", "template_uuid", "template_version", "comment", "timestamp",
    "first_seen", "last_seen", "ObjectReference",
)  # fmt: skip


@dataclass(slots=True)
class _Work:
    """The cleaning of one event. ``hidden`` are tags of galaxy clusters that are not sent."""

    rules: Rules
    report: Report
    result: Cleaned
    hidden: set[str] = field(default_factory=set)

    def mark(self, thing: Mapping[str, Any], where: str, within: Mark) -> tuple[Mark, tuple[str, ...]] | None:
        """Return the handling and the other tags of something in the event; None, and a line, when it stays."""
        if thing.get("deleted") in (True, 1, "1"):
            self.report.dropped(where, "deleted in MISP; what was sent of it is withdrawn")
            return None
        own = audience.of(thing, self.rules, where, self.report)
        if isinstance(own, Withheld):
            self.report.dropped(where, own.reason)
            return None
        handling = tags.read(records(thing, "Tag"), where, self.report)
        mark = combined([within, Mark(handling.tlp or within.tlp, handling.pap, own)])
        if isinstance(mark, Withheld):
            self.report.dropped(where, mark.reason)
            return None
        return mark, handling.others

    def attribute(self, attribute: Mapping[str, Any], within: Mark) -> dict[str, Any] | None:
        where = f"Attribute.{named(attribute.get('type'))}"
        if not isinstance(attribute.get("value"), str) or not isinstance(attribute.get("type"), str):
            self.report.dropped(where, "it has no type or no value")
            return None
        found = self.mark(attribute, where, within)
        if found is None:
            return None
        kept = {name: attribute[name] for name in _ATTRIBUTE_FIELDS if attribute.get(name) is not None}
        kept["Galaxy"] = self.galaxies(attribute, where)
        kept["Sighting"] = self.sightings(attribute)
        for name in ANALYST:
            kept[name] = self.analyst(attribute, name, where)
        proposals = len(records(attribute, "ShadowAttribute"))
        if proposals:
            self.report.dropped(
                "ShadowAttribute", "a proposal is not part of the event before it is accepted", proposals
            )
        self.result.marks[kept["uuid"]] = found[0]
        self.result.labels[kept["uuid"]] = self.without_withheld_clusters(found[1])
        return kept

    def object(self, thing: Mapping[str, Any]) -> dict[str, Any] | None:
        where = f"Object.{named(thing.get('name'))}"
        found = self.mark(thing, where, self.result.base)
        if found is None:
            return None
        kept = {name: thing[name] for name in _OBJECT_FIELDS if thing.get(name) is not None}
        inside = [self.attribute(each, found[0]) for each in records(thing, "Attribute")]
        kept["Attribute"] = [one for one in inside if one is not None]
        if not kept["Attribute"]:
            self.report.dropped(where, "none of its attributes may be sent")
            return None
        # One STIX object is made of all of them, so it is for those who may have every one.
        mark = combined([found[0], *(self.result.marks[one["uuid"]] for one in kept["Attribute"])])
        if isinstance(mark, Withheld):
            self.report.dropped(where, mark.reason)
            return None
        for name in ANALYST:
            kept[name] = self.analyst(thing, name, where)
        tags_inside = [label for one in kept["Attribute"] for label in self.result.labels[one["uuid"]]]
        self.result.marks[kept["uuid"]] = mark
        self.result.labels[kept["uuid"]] = tuple(dict.fromkeys([*found[1], *tags_inside]))
        return kept

    def event_report(self, thing: Mapping[str, Any]) -> dict[str, Any] | None:
        usable = is_uuid(thing.get("uuid")) and all(isinstance(thing.get(name), str) for name in ("name", "content"))
        if not usable or not thing["content"]:
            self.report.dropped("EventReport", "it has no uuid, name or content")
            return None
        found = self.mark(thing, "EventReport", self.result.base)
        if found is None:
            return None
        self.result.marks[thing["uuid"]] = found[0]
        self.report.kept("EventReport.content", "note.content")
        return {name: thing[name] for name in ("uuid", "name", "content", "timestamp") if name in thing}

    def galaxies(self, thing: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
        """Return the galaxies with the clusters that may leave."""
        kept = []
        for galaxy in records(thing, "Galaxy"):
            clusters = []
            for cluster in records(galaxy, "GalaxyCluster"):
                own = audience.of(cluster, self.rules, "GalaxyCluster", self.report)
                usable = is_uuid(cluster.get("uuid")) and isinstance(cluster.get("value"), str)
                if isinstance(own, Withheld) or not usable or not isinstance(galaxy.get("type"), str):
                    reason = own.reason if isinstance(own, Withheld) else "it has no uuid, value or type"
                    self.report.dropped(f"{where}.Galaxy", reason)
                    self.hidden.add(str(cluster.get("tag_name")))
                    continue
                clusters.append(cluster)
                self.result.clusters[cluster["uuid"]] = galaxy["type"]
                self.report.kept(f"{where}.Galaxy", "an object of its own, and labels")
            if clusters:
                kept.append({**galaxy, "GalaxyCluster": clusters})
        return kept

    def without_withheld_clusters(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in self.hidden)

    def sightings(self, attribute: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the sightings that have a counterpart; who saw something is only said of configured organisations."""
        kept = []
        for sighting in records(attribute, "Sighting"):
            if str(sighting.get("type")) not in (_SIGHTED, _FALSE_POSITIVE) or not is_uuid(sighting.get("uuid")):
                self.report.dropped("Sighting", "an expiration, or without a uuid: STIX has no place for it")
                continue
            try:
                seen = {"uuid": sighting["uuid"], "date_sighting": str(seconds(sighting, "date_sighting"))}
            except MalformedEvent:
                self.report.dropped("Sighting", "it has no time")
                continue
            seen["type"] = str(sighting["type"])
            organisation = sighting.get("Organisation")
            known = audience.identity_of(organisation, self.rules) is not None
            if known and isinstance(organisation, Mapping) and is_uuid(organisation.get("uuid")):
                self.report.kept("Sighting.Organisation", "where_sighted_refs")
                kept.append({**seen, "Organisation": {name: organisation[name] for name in ("uuid", "name")}})
            else:
                if organisation is not None:
                    self.report.dropped("Sighting.Organisation", "no peer of the hub is configured for it")
                kept.append(seen)
            self.report.kept("Sighting", "sighting" if seen["type"] == _SIGHTED else "opinion")
        return kept

    def analyst(self, thing: Mapping[str, Any], name: str, where: str) -> list[dict[str, Any]]:
        """Return analyst notes or opinions that may leave."""
        kept = []
        for one in records(thing, name):
            own = audience.of(one, self.rules, name, self.report)
            if isinstance(own, Withheld) or own != audience.EVERYONE or not is_uuid(one.get("uuid")):
                self.report.dropped(f"{where}.{name}", own.reason if isinstance(own, Withheld) else "not for everyone")
                continue
            kept.append({key: value for key, value in one.items() if key in _ANALYST_FIELDS})
            self.report.kept(f"{where}.{name}", name.lower())
        return kept


_ANALYST_FIELDS: Final = frozenset({"uuid", "note", "opinion", "comment", "language", "created", "modified"})
