"""One Incident of IODEF to an incident of STIX with all that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.iodef.mapping import assessments, contacts, events, indicators, knowledge
from connectors.iodef.mapping.account import settle, tagged
from connectors.iodef.mapping.classes import CLASSES
from connectors.iodef.mapping.faults import IodefFault
from connectors.iodef.mapping.making import LABEL, Making
from connectors.iodef.mapping.restriction import IMPLICIT, level_of, strictest_inside
from connectors.iodef.mapping.values import instant, plain, stix_time
from connectors.iodef.mapping.vocabulary import EXTENSION
from connectors.sdk.report import Report
from hub.domain.iodef_extension import IODEF_EXTENSION_ID
from hub.domain.stix_amendments import INCIDENT_CORE
from hub.domain.tlp import Level, stricter, strictest

_STATUS: Final = {"new": "new", "in-progress": "open", "forwarded": "open", "resolved": "closed", "future": "new"}


def making_of(
    value: Mapping[str, Any],
    identity: str,
    agreed: Level,
    first_created: Mapping[str, str],
    report: Report,
    recipients: Mapping[str, Any] | None = None,
) -> Making:
    """Return the frame for the objects of an incident: its id, times and marking.

    :param recipients: the marking-definition that names who may have what is RED.
    """
    level = level_of(value, agreed, "Incident", report)
    if level is None:
        level = "red"
        report.guessed("Incident/@restriction", "TLP:RED", f"an incident without it is {IMPLICIT} (RFC 7970 §3.3.1)")
    identifier = value["IncidentID"]
    generated = instant(str(value["GenerationTime"]))
    if generated is None:
        raise IodefFault("Incident/GenerationTime", "a date and time of RFC 3339 must be there")
    reported = instant(str(value.get("ReportTime", "")))
    key = (str(identifier["name"]), str(identifier["id"]))
    making = Making(identity, key, "", stix_time(generated), level, agreed, report, recipients)
    making.created = first_created.get(making.incident_id) or stix_time(min(reported or generated, generated))
    making.created = min(making.created, making.modified)
    for name in value:
        child = CLASSES["Incident"].children.get(name)
        if child is None:
            continue
        inside = strictest_inside({name: value[name]}, "Incident", agreed)
        for tag, kind, body in tagged({name: value[name]}, "Incident"):
            making.observables.setdefault(tag, (kind, body))
            making.observable_levels.setdefault(tag, strictest([level, inside or level]) or level)
    return making


def build(making: Making, head: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Add all objects of an incident, and return the incident itself. Its extension is still without a remainder."""
    report, outer = making.report, making.level
    if "restriction" in value:
        making.kept("Incident/@restriction", "object_marking_refs")
    making.time(value, "GenerationTime", "Incident", "modified")
    if "ReportTime" in value:
        making.time(value, "ReportTime", "Incident", "created")
    core, references = _core(making, value), _references(making, value)
    for method in value.get("Method", ()):
        references += knowledge.methods(making, method, "Incident/Method", outer)
    for number, activity in enumerate(value.get("RelatedActivity", ())):
        knowledge.actors(making, activity, "Incident/RelatedActivity", number, outer)
    for number, contact in enumerate(value.get("Contact", ())):
        contacts.identity(making, contact, "Incident/Contact", number, outer)
    if not value.get("Contact"):
        report.dropped("Incident/Contact", "none is there, though RFC 7970 §3.2 wants one")
    indicators.indicators(making, value.get("Indicator", []), outer)
    rating = _confidence(making, value)
    incident = making.add(
        "incident",
        [],
        outer,
        name=f"{making.key[1]}@{making.key[0]}",
        description=making.first_text(value, "Description", "Incident", "incident.description"),
        labels=_labels(making, value),
        lang=value.get("lang") or head.get("lang"),
        confidence=rating,
        external_references=references,
        extensions={INCIDENT_CORE: core, IODEF_EXTENSION_ID: {"extension_type": "property-extension", **_head(head)}},
    )
    _history(making, value)
    return incident


def _head(head: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: body for name, body in head.items() if name != "version"}
    return {"document": kept} if kept else {}


def _core(making: Making, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the incident-core extension, with events, tasks and impacts made on the way."""
    outer, report = making.level, making.report
    made_events, made_tasks, made_impacts = [], [], []
    types: list[str] = []
    methods: list[str] = []
    for number, one in enumerate(value.get("EventData", ())):
        made_events.append({"event_ref": events.event(making, one, "Incident/EventData", [number], outer)["id"]})
        made_tasks += [{"task_ref": task} for task in events.tasks(making, one, "Incident/EventData", [number], outer)]
    for number, one in enumerate(value.get("Assessment", ())):
        made_impacts += assessments.impacts(making, one, "Incident/Assessment", number, outer)
        if making.level_of(one, outer, "Incident/Assessment") == outer:
            for text in one.get("IncidentCategory", ()):
                types.append(plain(text))
                making.kept("Incident/Assessment/IncidentCategory", "incident.incident_types")
    for one in value.get("Discovery", ()):
        source = one.get("ext-source") if one.get("source") == EXTENSION else one.get("source")
        if source and making.level_of(one, outer, "Incident/Discovery") == outer:
            methods.append(str(source))
            making.kept("Incident/Discovery/@source", "incident.detection_methods")
    status = _STATUS.get(str(value.get("status")))
    if status is None:
        report.guessed("Incident/@status", "incident.investigation_status", "it says none, or one that STIX has not")
    core = {
        "extension_type": "property-extension",
        "determination": _determination(making, value),
        "investigation_status": status or "new",
        "incident_types": list(dict.fromkeys(types)),
        "detection_methods": list(dict.fromkeys(methods)),
        "events": made_events,
        "tasks": made_tasks,
        "impact_refs": made_impacts,
    }
    return {name: body for name, body in core.items() if body != []}


def _determination(making: Making, value: Mapping[str, Any]) -> str:
    """Say whether it happened: as the impacts say, then as the assessment does."""
    found = {
        body.get("completion")
        for one in value.get("Assessment", ())
        for impact in one.get("Impact", ())
        for body in impact.values()
    }
    if "succeeded" in found:
        return "confirmed"
    if "failed" in found:
        return "failed-attempt"
    occurred = {one.get("occurrence") for one in value.get("Assessment", ())}
    if "actual" in occurred:
        return "confirmed"
    if "potential" not in occurred:
        making.report.guessed("Incident/Assessment/@occurrence", "incident.determination", "it does not say: suspected")
    return "suspected"


def _confidence(making: Making, value: Mapping[str, Any]) -> int | None:
    for one in value.get("Assessment", ()):
        found = assessments.confidence(one.get("Confidence"))
        if found is not None and making.level_of(one, making.level, "Incident/Assessment") == making.level:
            making.kept("Incident/Assessment/Confidence/@rating", "incident.confidence")
            if "value" in one["Confidence"]:
                making.kept("Incident/Assessment/Confidence", "incident.confidence")
            return found
    return None


def _labels(making: Making, value: Mapping[str, Any]) -> list[str]:
    labels = []
    for name in ("purpose", "ext-purpose", "status", "ext-status"):
        if name in value:
            labels.append(f"{LABEL}{name}={value[name]}")
            making.kept(f"Incident/@{name}", "incident.labels")
    return labels


def _references(making: Making, value: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the names of the incident: its own first, which `to_iodef` counts on."""
    name, number = making.key
    references = [{"source_name": name, "external_id": number}]
    making.kept("Incident/IncidentID", "incident.external_references")
    making.kept("Incident/IncidentID/@name", "incident.external_references")
    alternative = value.get("AlternativeID", {})
    if making.level_of(alternative, making.level, "Incident/AlternativeID") == making.level:
        for one in alternative.get("IncidentID", ()):
            if one.get("id") and one.get("name") and "restriction" not in one:
                references.append({"source_name": str(one["name"]), "external_id": str(one["id"])})
                making.kept("Incident/AlternativeID/IncidentID", "incident.external_references")
                making.kept("Incident/AlternativeID/IncidentID/@name", "incident.external_references")
    return references


def _history(making: Making, value: Mapping[str, Any]) -> None:
    """Add a note for each item of the history."""
    history = value.get("History", {})
    outer = making.level_of(history, making.level, "Incident/History")
    for number, item in enumerate(history.get("HistoryItem", ())):
        where = "Incident/History/HistoryItem"
        action = str(item.get("ext-action") if item.get("action") == EXTENSION else item.get("action", "other"))
        making.kept(f"{where}/@action", "note.abstract")
        moment = making.time(item, "DateTime", where, "note.labels")
        labels = [f"{LABEL}history={action}"] + ([f"{LABEL}time={moment}"] if moment else [])
        making.add(
            "note",
            ["history", number],
            making.level_of(item, outer, where),
            abstract=action,
            content=making.first_text(item, "Description", where, "note.content") or action,
            object_refs=[making.incident_id],
            labels=labels,
        )


def remember(making: Making, incident: dict[str, Any], value: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> None:
    """Keep in the extension what the objects of STIX do not say: the members that would come back otherwise.

    What asks for a stricter marking than the incident stands in a note of its own.
    """
    here: dict[str, Any] = {}
    stricter_parts: dict[Level, dict[str, Any]] = {}
    for name, body in value.items():
        if _same(rebuilt.get(name), body):
            continue
        known = name in CLASSES["Incident"].children
        inside = strictest_inside({name: body}, "Incident", making.agreed) if known else None
        if inside is not None and stricter(inside, making.level):
            stricter_parts.setdefault(inside, {})[name] = body
        else:
            here[name] = body
    extension = incident["extensions"][IODEF_EXTENSION_ID]
    absent = sorted(name for name in rebuilt if name not in value)
    if here:
        extension["incident"] = here
    if absent:
        extension["absent"] = absent
    for level, parts in stricter_parts.items():
        making.add(
            "note",
            ["remainder", level],
            level,
            abstract="IODEF details",
            content="Parts of an IODEF incident that STIX has no place for; they are in the IODEF extension.",
            object_refs=[making.incident_id],
            extensions={IODEF_EXTENSION_ID: {"extension_type": "property-extension", "incident": parts}},
        )
    reason = "STIX has no place for it; it is kept as it is in the IODEF extension"
    settle(making.report, value, making.used, f"extensions.{IODEF_EXTENSION_ID}", reason)


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are the same; times are when they are the same moment."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(left, right) for left, right in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str) and one != other:
        moment = instant(one)
        return moment is not None and moment == instant(other)
    return bool(one == other)
