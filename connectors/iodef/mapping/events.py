"""EventData of IODEF as events, observed data and tasks of STIX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.iodef.mapping import limits, observables
from connectors.iodef.mapping.making import Making
from connectors.iodef.mapping.vocabulary import EXTENSION
from hub.domain.stix_amendments import EVENT, TASK
from hub.domain.tlp import Level, strictest

PROTOCOLS: Final[Mapping[int, str]] = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
"""Protocol numbers of IANA and the names that network traffic carries (STIX 2.1 §6.12)."""

_PORT_MAX: Final = 65_535
_PRIORITIES: Final = {"low": 15, "medium": 50, "high": 85}


def event(making: Making, value: Mapping[str, Any], place: str, parts: list[Any], outer: Level) -> dict[str, Any]:
    """Add an EventData with all in it, and return the event object."""
    level = making.level_of(value, outer, place)
    start = making.time(value, "StartTime", place, "event.start_time")
    end = making.time(value, "EndTime", place, "event.end_time")
    if start and end and end < start:
        making.report.dropped(f"{place}/EndTime", "it is before StartTime")
        end = None
    subevents = [
        {"event_ref": event(making, inner, f"{place}/EventData", [*parts, index], level)["id"]}
        for index, inner in enumerate(value.get("EventData", ()))
    ]
    made = making.add(
        "event",
        ["event", *parts],
        level,
        status="occurred",
        description=making.first_text(value, "Description", place, "event.description"),
        start_time=start,
        end_time=end,
        subevents=subevents,
        extensions={EVENT: {"extension_type": "new-sdo"}},
    )
    _observed(making, value, place, parts, level, made, start or making.modified, end)
    return made


def tasks(making: Making, value: Mapping[str, Any], place: str, parts: list[Any], outer: Level) -> Iterator[str]:
    """Add what an EventData asks for as tasks, and yield their ids, those of inner ones too."""
    level = making.level_of(value, outer, place)
    for index, one in enumerate(value.get("Expectation", ())):
        where = f"{place}/Expectation"
        own = making.level_of(one, level, where)
        action = str(one.get("ext-action") if one.get("action") == EXTENSION else one.get("action", "other"))
        making.kept(f"{where}/@action", "task.task_types")
        if one.get("severity") in _PRIORITIES:
            making.kept(f"{where}/@severity", "task.priority")
        start = making.time(one, "StartTime", where, "task.start_time")
        end = making.time(one, "EndTime", where, "task.end_time")
        made = making.add(
            "task",
            ["task", *parts, index],
            own,
            name=action,
            task_types=[action],
            outcome="pending",
            priority=_PRIORITIES.get(str(one.get("severity"))),
            description=making.first_text(one, "Description", where, "task.description"),
            start_time=start,
            end_time=end if not start or not end or end >= start else None,
            extensions={TASK: {"extension_type": "new-sdo"}},
        )
        yield str(made["id"])
    for index, inner in enumerate(value.get("EventData", ())):
        yield from tasks(making, inner, f"{place}/EventData", [*parts, index], level)


def _observed(
    making: Making,
    value: Mapping[str, Any],
    place: str,
    parts: list[Any],
    level: Level,
    made: Mapping[str, Any],
    first: str,
    last: str | None,
) -> None:
    """Add observed data with the systems and records of an event, if STIX has a word for any of them."""
    refs: list[str] = []
    levels: list[Level] = [level]
    sides: dict[str, list[tuple[str, Mapping[str, Any]]]] = {"source": [], "target": []}
    for system in value.get("System", ()):
        where = f"{place}/Flow/System"
        own = making.level_of(system, level, where)
        levels.append(own)
        found = [making.observe(one, own) for one in nodes(making, system.get("Node", {}), f"{where}/Node")]
        refs += found
        category = str(system.get("category", ""))
        if category in sides:
            sides[category] += [(ref, system) for ref in found if ref.startswith(("ipv4-", "ipv6-", "domain-", "mac-"))]
    if "StartTime" not in value and refs:
        making.report.guessed(
            f"{place}/StartTime", "observed-data.first_observed", "the time of the report stands for it"
        )
    refs += [making.observe(one, strictest(levels) or level) for one in _traffic(making, sides, place)]
    for record in value.get("RecordData", ()):
        where = f"{place}/Record/RecordData"
        own = making.level_of(record, level, where)
        levels.append(own)
        refs += [making.observe(one, own) for one in _records(making, record, where)]
    if refs:
        whole = strictest(levels) or level
        observed = making.add(
            "observed-data",
            ["observed", *parts],
            whole,
            first_observed=first,
            last_observed=max(last or first, first),
            number_observed=1,
            object_refs=list(dict.fromkeys(refs)),
        )
        making.relate(observed["id"], "related-to", str(made["id"]), whole)


def nodes(making: Making, node: Mapping[str, Any], place: str) -> Iterator[dict[str, Any]]:
    """Yield the observables that a Node is."""
    for one in node.get("Address", ()):
        found = observables.address(str(one.get("category", "ipv6-addr")), str(one.get("value", "")))
        if found is None:
            making.report.dropped(f"{place}/Address", "STIX has no observable for it, or it is not of its category")
            continue
        making.kept(f"{place}/Address", f"{found['type']}.value")
        making.kept(f"{place}/Address/@category", "type")
        yield found
    for one in node.get("DomainData", ()):
        found = observables.domain(str(one.get("Name", "")))
        if found is None:
            making.report.dropped(f"{place}/DomainData/Name", "it is not a domain name")
            continue
        making.kept(f"{place}/DomainData/Name", "domain-name.value")
        yield found


def _traffic(
    making: Making, sides: Mapping[str, list[tuple[str, Mapping[str, Any]]]], place: str
) -> Iterator[dict[str, Any]]:
    """Yield the traffic between sources and targets; with one side only, where a service is named."""
    sources, targets = sides["source"], sides["target"]
    pairs: list[tuple[tuple[str, Mapping[str, Any]] | None, tuple[str, Mapping[str, Any]] | None]]
    if sources and targets:
        pairs = [(source, target) for source in sources for target in targets]
    else:
        pairs = [(one, None) for one in sources if one[1].get("Service")]
        pairs += [(None, one) for one in targets if one[1].get("Service")]
    if len(pairs) > limits.PAIRS:
        making.report.dropped(f"{place}/Flow", f"more than {limits.PAIRS} pairs of systems are not joined to traffic")
        return
    for source, target in pairs:
        result: dict[str, Any] = {"type": "network-traffic"}
        protocols = []
        for one, ref, port in ((source, "src_ref", "src_port"), (target, "dst_ref", "dst_port")):
            if one is None:
                continue
            result[ref] = one[0]
            making.kept(f"{place}/Flow/System/@category", f"network-traffic.{ref}")
            for service in one[1].get("Service", ())[:1]:
                if 0 <= service.get("Port", -1) <= _PORT_MAX:
                    result[port] = service["Port"]
                    making.kept(f"{place}/Flow/System/Service/Port", f"network-traffic.{port}")
                if service.get("ip-protocol") in PROTOCOLS:
                    protocols.append(PROTOCOLS[service["ip-protocol"]])
                    making.kept(f"{place}/Flow/System/Service/@ip-protocol", "network-traffic.protocols")
        side = target or source
        ends = str(side[0] if side else "")
        if not protocols:
            protocols = ["ipv6" if ends.startswith("ipv6-") else "ipv4" if ends.startswith("ipv4-") else "ip"]
            making.report.guessed(f"{place}/Flow/System/Service", "network-traffic.protocols", "no protocol is named")
        yield result | {"protocols": list(dict.fromkeys(protocols))}


def _records(making: Making, record: Mapping[str, Any], place: str) -> Iterator[dict[str, Any]]:
    for data in record.get("FileData", ()):
        for one in data.get("File", ()):
            found = observables.file(one)
            if found is None:
                making.report.dropped(f"{place}/FileData/File", "it has neither a name nor a hash that STIX knows")
                continue
            if "name" in found:
                making.kept(f"{place}/FileData/File/FileName", "file.name")
            if "size" in found:
                making.kept(f"{place}/FileData/File/FileSize", "file.size")
            for _ in found.get("hashes", ()):
                making.kept(f"{place}/FileData/File/HashData/Hash/DigestValue", "file.hashes")
                making.kept(f"{place}/FileData/File/HashData/Hash/DigestMethod", "file.hashes")
            yield found
    for data in record.get("WindowsRegistryKeysModified", ()):
        for found in observables.registry_keys(data):
            making.kept(f"{place}/WindowsRegistryKeysModified/Key/KeyName", "windows-registry-key.key")
            yield found
