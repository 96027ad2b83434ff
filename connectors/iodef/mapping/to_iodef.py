"""An incident of STIX with all that belongs to it to one Incident of IODEF, as RFC 8727 has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.iodef.mapping import assessments, contacts, event_data, indicators, knowledge
from connectors.iodef.mapping.graph import Graph, StixObject
from connectors.iodef.mapping.making import LABEL
from connectors.iodef.mapping.restriction import level_of, words_of
from connectors.iodef.mapping.values import iodef_time
from connectors.iodef.mapping.vocabulary import EXTENSION, VALUES
from connectors.sdk.report import Report
from hub.domain.iodef_extension import IODEF_EXTENSION_ID
from hub.domain.stix_amendments import INCIDENT_CORE
from hub.domain.tlp import stricter

_STATUS: Final = {"new": "new", "open": "in-progress", "closed": "resolved"}
_PEOPLE: Final = frozenset({"identity"})
_KNOWLEDGE: Final = frozenset({"vulnerability", "attack-pattern"})
_ACTORS: Final = frozenset({"threat-actor", "campaign", "intrusion-set"})
_INDICATORS: Final = frozenset({"indicator"})

Words = Mapping[str, str]


def own_restriction(obj: StixObject, whole: Words, report: Report) -> dict[str, str]:
    """Return the restriction of a part, none when it is that of the incident or the part carries no marking."""
    if not obj.get("object_marking_refs") and not obj.get("granular_markings"):
        return {}
    words = words_of(obj, report)
    return {} if words == dict(whole) else words


def incident_of(obj: StixObject, graph: Graph, name: str, report: Report, *, whole: bool = True) -> dict[str, Any]:
    """Return the Incident that an incident is.

    :param name: of the CSIRT in whose name incidents without a number of their own are written.
    :param whole: with what the IODEF extension keeps; without, it is what STIX alone says.
    """
    extension = obj.get("extensions", {}).get(IODEF_EXTENSION_ID)
    came_from_iodef = isinstance(extension, Mapping)
    labels = _labels(obj)
    core = obj.get("extensions", {}).get(INCIDENT_CORE, {})
    words = words_of(obj, report)
    result: dict[str, Any] = _head(obj, labels, core, words, report)
    result |= _identifiers(obj, name, came_from_iodef, report)
    result["GenerationTime"] = iodef_time(str(obj["modified"]))
    report.kept("incident.modified", "Incident/GenerationTime")
    if not came_from_iodef:
        result["ReportTime"] = iodef_time(str(obj["created"]))
        report.kept("incident.created", "Incident/ReportTime")
    texts = [str(obj[member]) for member in ("description",) if obj.get(member)]
    if not texts and not came_from_iodef and obj.get("name"):
        texts = [str(obj["name"])]
    if texts:
        result["Description"] = texts
        report.kept("incident.description" if obj.get("description") else "incident.name", "Incident/Description")
    found: dict[str, list[dict[str, Any]]] = {
        "Discovery": [_discovery(method) for method in core.get("detection_methods", ())],
        "Assessment": _assessments(obj, core, graph, words, report),
        "Method": _methods(obj, graph, words, report),
        "RelatedActivity": _activities(obj, graph, words, report),
        "Contact": _contacts(obj, graph, name, words, report),
        "EventData": event_data.all_events(obj, core, graph, words, report),
        "Indicator": _indicators(obj, graph, name, words, report),
    }
    result |= {member: bodies for member, bodies in found.items() if bodies}
    history = _history(obj, graph, words, report)
    if history:
        result["History"] = {"HistoryItem": history}
    return _completed(result, obj, graph) if whole and came_from_iodef else result


def _completed(result: dict[str, Any], obj: StixObject, graph: Graph) -> dict[str, Any]:
    """Return an Incident with what its extension, and those of notes about it, keep of the document it came from."""
    extension = obj["extensions"][IODEF_EXTENSION_ID]
    marked: dict[str, Any] = {name: result[name] for name in ("restriction", "ext-restriction") if name in result}
    for member in extension.get("absent", ()):
        result.pop(str(member), None)
    for note in graph.notes(str(obj["id"])):
        kept = note.get("extensions", {}).get(IODEF_EXTENSION_ID, {}).get("incident")
        if isinstance(kept, Mapping) and note.get("created_by_ref") == obj.get("created_by_ref"):
            result |= kept
    kept = extension.get("incident")
    if not isinstance(kept, Mapping):
        return result
    whole = result | dict(kept)
    if _wider(whole, marked):
        whole = {name: body for name, body in whole.items() if name not in ("restriction", "ext-restriction")} | marked
    return whole


def _wider(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether the restriction of one is not as strict as that of the other, which comes from the markings."""
    ours, theirs = level_of(one, "amber", "Incident"), level_of(other, "amber", "Incident")
    return stricter(theirs or "red", ours or "red")


def _labels(obj: StixObject) -> dict[str, str]:
    pairs = [
        label.removeprefix(LABEL).split("=", 1)
        for label in obj.get("labels", ())
        if isinstance(label, str) and label.startswith(LABEL) and "=" in label
    ]
    return {pair[0]: pair[1] for pair in pairs}


def _head(
    obj: StixObject, labels: Mapping[str, str], core: Mapping[str, Any], words: Words, report: Report
) -> dict[str, Any]:
    head = {key: labels[key] for key in ("purpose", "ext-purpose", "status", "ext-status") if key in labels}
    if "purpose" not in head:
        head["purpose"] = "reporting"
        report.guessed("incident", "Incident/@purpose", "STIX does not say why an incident is shared: reporting")
    if "status" not in head and core.get("investigation_status"):
        status = str(core["investigation_status"])
        head |= {"status": _STATUS[status]} if status in _STATUS else {"status": EXTENSION, "ext-status": status}
        report.kept("incident.investigation_status", "Incident/@status")
    others = [label for label in obj.get("labels", ()) if not str(label).startswith(LABEL)]
    if others:
        report.dropped("incident.labels", "IODEF has no place for labels", len(others))
    lang = {"lang": str(obj["lang"])} if obj.get("lang") else {}
    return head | dict(words) | lang


def _identifiers(obj: StixObject, name: str, came_from_iodef: bool, report: Report) -> dict[str, Any]:
    named = [
        {"id": str(one["external_id"]), "name": str(one["source_name"])}
        for one in obj.get("external_references", ())
        if isinstance(one, Mapping) and one.get("external_id") and one.get("source_name") != "cwe"
    ]
    if came_from_iodef and named:
        first, named = named[0], named[1:]
    else:
        first = {"id": str(obj["id"]), "name": name}
        report.guessed("incident.id", "Incident/IncidentID", "the STIX id is the number in the name of this CSIRT")
    if named:
        report.kept("incident.external_references", "Incident/AlternativeID", len(named))
    return {"IncidentID": first} | ({"AlternativeID": {"IncidentID": named}} if named else {})


def _discovery(method: Any) -> dict[str, Any]:
    text = str(method)
    return {"source": text} if text in VALUES["source"] else {"source": EXTENSION, "ext-source": text}


def _assessments(
    obj: StixObject, core: Mapping[str, Any], graph: Graph, words: Words, report: Report
) -> list[dict[str, Any]]:
    """Return one Assessment for the incident, and one more for each impact with another marking."""
    main: dict[str, Any] = {}
    if core.get("incident_types"):
        main["IncidentCategory"] = [str(one) for one in core["incident_types"]]
        report.kept("incident.incident_types", "Incident/Assessment/IncidentCategory", len(core["incident_types"]))
    others: list[dict[str, Any]] = []
    for impact in graph.all_of(core.get("impact_refs", ())):
        found = assessments.impact_of(impact)
        if found is None:
            report.dropped("impact.impact_category", "IODEF has no class for this category of impact")
            continue
        report.kept("impact", "Incident/Assessment/Impact")
        restriction = own_restriction(impact, words, report)
        if restriction:
            others.append({**restriction, "Impact": [found]})
        else:
            main.setdefault("Impact", []).append(found)
    rating = assessments.confidence_of(obj.get("confidence"))
    if rating:
        main["Confidence"] = rating
        report.kept("incident.confidence", "Incident/Assessment/Confidence")
    if main and "Impact" not in main:
        main["Impact"] = [{"SystemImpact": {"type": "unknown"}}]
        report.guessed("incident", "Incident/Assessment/SystemImpact", "an Assessment needs an impact: unknown")
    return ([main] if main else []) + others


def _methods(obj: StixObject, graph: Graph, words: Words, report: Report) -> list[dict[str, Any]]:
    found = []
    references = [one for one in obj.get("external_references", ()) if isinstance(one, Mapping)]
    urls = [str(one["url"]) for one in references if one.get("url") and not one.get("external_id")]
    weaknesses = [str(one["external_id"]) for one in references if one.get("source_name") == "cwe"]
    own: dict[str, Any] = {}
    if urls:
        own["Reference"] = [{"URL": urls}]
    if weaknesses:
        own["Weakness"] = [{"SpecID": "private", "ContentID": one} for one in weaknesses]
    if own:
        found.append(own)
        report.kept("incident.external_references", "Incident/Method", len(urls) + len(weaknesses))
    for one in graph.near(str(obj["id"]), _KNOWLEDGE):
        report.kept(str(one["type"]), "Incident/Method")
        found.append({**own_restriction(one, words, report), **knowledge.method_of(one)})
    return found


def _activities(obj: StixObject, graph: Graph, words: Words, report: Report) -> list[dict[str, Any]]:
    activity: dict[str, Any] = {}
    for one in graph.near(str(obj["id"]), _ACTORS):
        member = "Campaign" if one["type"] == "campaign" else "ThreatActor"
        body = {**one, "type": "campaign" if member == "Campaign" else "threat-actor"}
        restriction = own_restriction(one, words, report)
        activity.setdefault(member, []).append({**restriction, **knowledge.actor_of(body)})
        report.kept(str(one["type"]), f"Incident/RelatedActivity/{member}")
    return [activity] if activity else []


def _contacts(obj: StixObject, graph: Graph, name: str, words: Words, report: Report) -> list[dict[str, Any]]:
    found = []
    for one in graph.near(str(obj["id"]), _PEOPLE):
        default = "victim" if "impacts" in graph.kinds(str(obj["id"]), str(one["id"])) else "irt"
        found.append({**own_restriction(one, words, report), **contacts.contact_of(one, default)})
        report.kept("identity", "Incident/Contact")
    if not found:
        author = graph.by_id.get(str(obj.get("created_by_ref")))
        if author is not None and author.get("type") == "identity":
            report.kept("incident.created_by_ref", "Incident/Contact")
            return [{**contacts.contact_of({**author, "roles": []}, "creator")}]
        report.guessed(
            "incident.created_by_ref", "Incident/Contact", "its author is not at hand: this CSIRT stands there"
        )
        found.append({"role": "creator", "type": "organization", "ContactName": [name]})
    return found


def _indicators(obj: StixObject, graph: Graph, name: str, words: Words, report: Report) -> list[dict[str, Any]]:
    found = []
    for one in graph.near(str(obj["id"]), _INDICATORS):
        found.append({**own_restriction(one, words, report), **indicators.indicator_of(one, name)})
        report.kept("indicator.pattern", "Incident/IndicatorData/Indicator/Observable")
    return found


def _history(obj: StixObject, graph: Graph, words: Words, report: Report) -> list[dict[str, Any]]:
    found = []
    for note in graph.notes(str(obj["id"])):
        labels = _labels(note)
        if IODEF_EXTENSION_ID in note.get("extensions", {}):
            continue
        action = labels.get("history", "other")
        known = {"action": action} if action in VALUES["action"] else {"action": EXTENSION, "ext-action": action}
        item: dict[str, Any] = {**known, **own_restriction(note, words, report)}
        item["DateTime"] = iodef_time(labels.get("time", str(note["created"])))
        if "history" not in labels or note.get("content") != action:
            item["Description"] = [str(note.get("content", ""))]
        found.append((item["DateTime"], str(note["id"]), item))
        report.kept("note.content", "Incident/History/HistoryItem/Description")
    return [item for _, _, item in sorted(found, key=lambda one: one[:2])]
