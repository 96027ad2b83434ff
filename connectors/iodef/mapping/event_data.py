"""Events, observed data and tasks of STIX to EventData of IODEF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.iodef.mapping import limits, observables
from connectors.iodef.mapping.events import PROTOCOLS
from connectors.iodef.mapping.graph import Graph, StixObject
from connectors.iodef.mapping.restriction import words_of
from connectors.iodef.mapping.values import iodef_time
from connectors.iodef.mapping.vocabulary import EXTENSION, VALUES
from connectors.sdk.report import Report

_NUMBERS: Final = {name: number for number, name in PROTOCOLS.items()}
_OBSERVED: Final = frozenset({"observed-data"})
_SEVERITIES: Final = ((33, "low"), (66, "medium"), (100, "high"))
"""Up to which score (STIX 2.1 Appendix A) a priority is said in this word."""

Words = Mapping[str, str]


def all_events(
    obj: StixObject, core: Mapping[str, Any], graph: Graph, words: Words, report: Report
) -> list[dict[str, Any]]:
    """Return the EventData of an incident: its events, what was observed without one, and what is asked for."""
    found = []
    inner: set[str] = set()
    events = list(graph.all_of(one.get("event_ref") for one in core.get("events", ()) if isinstance(one, Mapping)))
    for event in events:
        inner |= {str(one.get("event_ref")) for one in event.get("subevents", ())}
    found += [_event(event, graph, words, report, 0) for event in events if str(event["id"]) not in inner]
    for one in graph.near(str(obj["id"]), _OBSERVED):
        body = {"StartTime": iodef_time(str(one["first_observed"])), "EndTime": iodef_time(str(one["last_observed"]))}
        found.append({**_restriction(one, words, report), **body, **_contents([one], graph, report)})
    tasks = graph.all_of(one.get("task_ref") for one in core.get("tasks", ()) if isinstance(one, Mapping))
    asked = [_expectation(task, words, report) for task in tasks]
    if asked:
        if not found:
            found.append({})
        found[0]["Expectation"] = asked
    return found


def _restriction(obj: StixObject, words: Words, report: Report) -> dict[str, str]:
    if not obj.get("object_marking_refs") and not obj.get("granular_markings"):
        return {}
    own = words_of(obj, report)
    return {} if own == dict(words) else own


def _event(event: StixObject, graph: Graph, words: Words, report: Report, depth: int) -> dict[str, Any]:
    own = _restriction(event, words, report)
    result: dict[str, Any] = dict(own)
    texts = [str(event[member]) for member in ("description", "name") if event.get(member)]
    if texts:
        result["Description"] = texts[:1]
        report.kept("event.description", "Incident/EventData/Description")
    for member, name in (("start_time", "StartTime"), ("end_time", "EndTime")):
        if event.get(member):
            result[name] = iodef_time(str(event[member]))
            report.kept(f"event.{member}", f"Incident/EventData/{name}")
    result |= _contents(graph.near(str(event["id"]), _OBSERVED), graph, report)
    inner = graph.all_of(one.get("event_ref") for one in event.get("subevents", ()) if isinstance(one, Mapping))
    if depth < limits.NESTED:
        nested = [_event(one, graph, own or words, report, depth + 1) for one in inner]
        if nested:
            result["EventData"] = nested
    return result


def _contents(observed: Iterable[StixObject], graph: Graph, report: Report) -> dict[str, Any]:
    """Return the systems and records of what was observed; observables of traffic stand in their systems."""
    scos = [sco for one in observed for sco in graph.all_of(one.get("object_refs", ()))]
    traffic = [sco for sco in scos if sco["type"] == "network-traffic"]
    sides: dict[str, dict[str, Any]] = {}
    for one in traffic:
        for ref, category in (("src_ref", "source"), ("dst_ref", "target")):
            if one.get(ref) in graph.by_id:
                _side(sides, one, ref, category, graph)
    systems = [body for body in sides.values() if "Node" in body]
    in_traffic = {str(one.get(ref)) for one in traffic for ref in ("src_ref", "dst_ref")}
    records: dict[str, Any] = {}
    for sco in scos:
        if str(sco["id"]) in in_traffic or sco["type"] == "network-traffic":
            report.kept(str(sco["type"]), "Incident/EventData/Flow/System")
            continue
        node = observables.node_of(sco)
        if node is not None:
            systems.append({"Node": node})
            report.kept(str(sco["type"]), "Incident/EventData/Flow/System/Node")
        elif sco["type"] == "file":
            records.setdefault("FileData", []).append({"File": [observables.file_of(sco)]})
            report.kept("file", "Incident/EventData/Record/RecordData/FileData/File")
        elif sco["type"] == "windows-registry-key" and sco.get("key"):
            keys = {"Key": [{"KeyName": str(sco["key"])}]}
            records.setdefault("WindowsRegistryKeysModified", []).append(keys)
            report.kept("windows-registry-key.key", "Incident/EventData/Record/RecordData/WindowsRegistryKeysModified")
        else:
            report.dropped(str(sco["type"]), "IODEF has no class for this observable")
    result: dict[str, Any] = {"System": systems} if systems else {}
    return result | ({"RecordData": [records]} if records else {})


def _side(sides: dict[str, dict[str, Any]], traffic: StixObject, ref: str, category: str, graph: Graph) -> None:
    node = observables.node_of(graph.by_id[str(traffic[ref])])
    if node is None:
        return
    port = traffic.get(f"{ref[:3]}_port")
    service: dict[str, Any] = {"Port": port} if isinstance(port, int) else {}
    number = next((_NUMBERS[one] for one in traffic.get("protocols", ()) if one in _NUMBERS), None)
    if number is not None:
        service["ip-protocol"] = number
    body: dict[str, Any] = {"category": category, "Node": node}
    sides.setdefault(f"{category} {traffic[ref]} {port} {number}", body | ({"Service": [service]} if service else {}))


def _expectation(task: StixObject, words: Words, report: Report) -> dict[str, Any]:
    kinds = [str(one) for one in task.get("task_types", ())]
    action = next((one for one in kinds if one in VALUES["action"]), None)
    result: dict[str, Any] = {"action": action} if action else {"action": "other"}
    if kinds and action is None:
        result = {"action": EXTENSION, "ext-action": kinds[0]}
    priority = task.get("priority")
    if isinstance(priority, int) and priority > 0:
        result["severity"] = next((word for up_to, word in _SEVERITIES if priority <= up_to), "high")
    result |= _restriction(task, words, report)
    name = str(task.get("name", ""))
    text = str(task.get("description") or ("" if name in (action, *kinds) else name))
    if text:
        result["Description"] = [text]
    for member, key in (("start_time", "StartTime"), ("end_time", "EndTime")):
        if task.get(member):
            result[key] = iodef_time(str(task[member]))
    report.kept("task", "Incident/EventData/Expectation")
    return result
