"""n6 events as STIX, by the attributes that the documentation of the n6 REST API and Stream API names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.n6.vocabulary import (
    CATEGORIES,
    CONFIDENCES,
    DESTINATION_NAME,
    DETAILS,
    ENDED,
    EXPIRED,
    HASHES,
    KNOWN,
    RESTRICTIONS,
    SUPERSEDED,
    SYSTEM,
    UPDATE_LIFETIME_US,
)
from connectors.sdk.report import Report
from connectors.sdk.security_event import LABEL_LENGTH, Endpoint, SecurityEvent, Value, objects, stix_id, with_ends
from hub.domain import tlp
from hub.domain.observable_text import Observable, ObservableType, is_type
from hub.domain.taxii_time import parse_timestamp


@dataclass(slots=True)
class Reading:
    """What a run of events became."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)


def read(events: Iterable[Mapping[str, Any]], identity: str, report: Report, *, observations: bool = True) -> Reading:
    """Return the STIX objects of n6 events, and the ids of what was delisted; a bad event is counted and left out."""
    found = Reading()
    for event in events:
        state = str(event.get("status", event.get("type", "")))
        old = event.get("replaces")
        if isinstance(old, str) and old:
            found.withdrawn.append(stix_id("indicator", identity, SYSTEM, old))
            report.kept("replaces", "retraction")
        if state in ENDED | SUPERSEDED:
            key = event.get("id")
            if isinstance(key, str) and key:
                found.withdrawn.append(stix_id("indicator", identity, SYSTEM, key))
                report.kept("status", "retraction")
            continue
        if state in EXPIRED:
            report.merged("status", "indicator.valid_until", "the indicator says itself when it ends")
        made = _event(event, report)
        if made is None:
            continue
        some = objects(with_ends(made, report), identity, observations=observations)
        if not some:
            report.dropped("event", "there is nothing observable in it")
        found.objects += some
    return found


def _event(event: Mapping[str, Any], report: Report) -> SecurityEvent | None:
    key, category = event.get("id"), CATEGORIES.get(str(event.get("category")))
    at = _time(event, "time")
    if not isinstance(key, str) or not 0 < len(key) <= 200 or at is None:
        report.dropped("event", "it has no id or no time")
        return None
    if category is None:
        report.guessed("category", "labels", "it is not one of n6: taken for other")
        category = CATEGORIES["other"]
    if "injects" in event:
        report.dropped("injects", "their structure is not specified")
    unknown = len(set(event) - KNOWN - {"injects"})
    if unknown:
        report.dropped("unknown attributes", "n6 does not define them", unknown)
    modified, expires = _time(event, "modified"), _time(event, "expires")
    if modified is None:
        # An update differs in `expires` alone, which is usually so far ahead of it: later updates get later versions.
        modified = max(at, (expires or at) - UPDATE_LIFETIME_US)
        report.guessed("modified", "modified", "the Stream API does not say it: told by time and expires")
    source, destination = _endpoints(event, report)
    details = _details(event, report)
    threat_name = details.get("name", "")
    proto = event.get("proto")
    return SecurityEvent(
        system=SYSTEM,
        key=key,
        at=at,
        modified=modified,
        level=_level(event, report),
        source=source,
        destination=destination,
        transport=proto if proto in ("tcp", "udp", "icmp") else "",
        files=_files(event, report),
        name=threat_name if isinstance(threat_name, str) else "",
        kind=category.kind,
        threat=category.threat,
        indicator_type=category.indicator_type,
        confidence=_confidence(event, report),
        expires=expires,
        details=details,
    )


def _level(event: Mapping[str, Any], report: Report) -> tlp.Level:
    level = RESTRICTIONS.get(str(event.get("restriction")))
    if level is None:
        report.guessed("restriction", "object_marking_refs", "it is not one of n6: the strictest is taken, TLP:RED")
        return "red"
    report.kept("restriction", "object_marking_refs")
    return level


def _confidence(event: Mapping[str, Any], report: Report) -> int | None:
    found = CONFIDENCES.get(str(event.get("confidence")))
    if found is None:
        report.dropped("confidence", "it is not one of n6")
    else:
        report.kept("confidence", "confidence")
    return found


def _time(event: Mapping[str, Any], name: str) -> int | None:
    text = event.get(name)
    try:
        us = parse_timestamp(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if us is None or us < 0 else us // 1_000 * 1_000


def _endpoints(event: Mapping[str, Any], report: Report) -> tuple[Endpoint, Endpoint]:
    listed = event.get("address")
    addresses = []
    for one in listed if isinstance(listed, list) else ():
        found = _as(ObservableType.IPV4, one.get("ip") if isinstance(one, Mapping) else None)
        if found is None:
            report.dropped("address", "its ip is no IPv4 address")
        else:
            report.kept("address.ip", "ipv4-addr.value")
            addresses.append(found)
    named = {}
    kinds = {
        "dip": ObservableType.IPV4,
        "fqdn": ObservableType.DOMAIN,
        "url": ObservableType.URL,
        "email": ObservableType.EMAIL,
    }
    for name, kind in kinds.items():
        named[name] = _as(kind, event.get(name))
        if named[name] is not None:
            report.kept(name, f"{kind.value}.value")
        elif name in event:
            report.dropped(name, "it has not the form of its kind")
    ports = {name: _port(event, name, report) for name in ("sport", "dport")}
    away = str(event.get("category")) in DESTINATION_NAME
    source = Endpoint(
        addresses=tuple(dict.fromkeys(addresses)),
        port=ports["sport"],
        fqdn=None if away else named["fqdn"],
        url=named["url"],
        account=named["email"],
    )
    dip = named["dip"]
    return source, Endpoint((dip,) if dip else (), ports["dport"], named["fqdn"] if away else None)


def _as(kind: ObservableType, value: object) -> Observable | None:
    found = is_type(value, kind) if isinstance(value, str) else None
    if found is None or found.port is not None or (kind is ObservableType.IPV4 and "/" in found.value):
        return None
    return found


def _port(event: Mapping[str, Any], name: str, report: Report) -> int | None:
    port = event.get(name)
    if isinstance(port, int) and not isinstance(port, bool) and 0 <= port < 65_536:
        report.kept(name, "network-traffic")
        return port
    if name in event:
        report.dropped(name, "it is no port")
    return None


def _files(event: Mapping[str, Any], report: Report) -> tuple[tuple[str, str], ...]:
    found = []
    for name, kind in HASHES.items():
        observable = _as(kind, event.get(name))
        if observable is not None:
            report.kept(name, "file.hashes")
            found.append((kind.value, observable.value))
        elif name in event:
            report.dropped(name, "it has not the form of its kind")
    return tuple(sorted(found))


def _details(event: Mapping[str, Any], report: Report) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name in DETAILS:
        value = event.get(name)
        if isinstance(value, str | int | float) and len(str(value)) <= LABEL_LENGTH // 4:
            report.kept(name, "labels")
            found[name] = value
        elif name in event:
            report.dropped(name, "it is no short text: a label cannot hold it")
    listed = event.get("address")
    for one in listed if isinstance(listed, list) else ():
        place = one.get("ip") if isinstance(one, Mapping) else None
        if not isinstance(place, str):
            continue
        for name, kind in (("asn", int), ("cc", str)):
            value = one.get(name)
            if isinstance(value, kind) and len(str(value)) < 20:
                report.kept(f"address.{name}", "labels")
                found[f"{name}.{place.replace('.', '_')}"] = value
    return found
