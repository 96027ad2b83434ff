"""IntelMQ events as STIX: the source and the destination as observables, the classification as RSIT."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from connectors.intelmq.vocabulary import (
    FIELD,
    GROUPS,
    HASHES,
    INDICATOR_TYPES,
    LEFT_BEHIND,
    LEVELS,
    SYSTEM,
    TAKEN,
    THREATS,
    kind_of,
)
from connectors.sdk.report import Report
from connectors.sdk.security_event import LABEL_LENGTH, Endpoint, SecurityEvent, Value, objects, with_ends
from hub.domain import rsit, tlp
from hub.domain.canonical import jcs
from hub.domain.observable_text import Observable, ObservableType, is_type
from hub.domain.taxii_time import parse_timestamp
from hub.errors import MalformedJson

_DEPTH = 8


def read(
    events: Iterable[Mapping[str, Any]],
    identity: str,
    report: Report,
    *,
    unmarked: tlp.Level,
    threats: Collection[str] = THREATS,
    observations: bool = True,
) -> list[dict[str, Any]]:
    """Return the STIX objects of IntelMQ events; a bad event is counted and left out.

    :param unmarked: level of an event without ``tlp``.
    :param threats: types of which an indicator is made.
    """
    found: list[dict[str, Any]] = []
    for given in events:
        event = _flat(given, report)
        made = _event(event, report, unmarked, threats)
        if made is None:
            continue
        some = objects(with_ends(made, report), identity, observations=observations)
        if not some:
            report.dropped("event", "there is nothing observable in it")
        found += some
    return found


def _flat(event: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Return an event with dotted keys: outputs may write it nested (``hierarchical_output``)."""
    found: dict[str, Any] = {}
    pending = [("", event, 0)]
    while pending:
        prefix, some, depth = pending.pop()
        for key, value in some.items():
            name = f"{prefix}{key}"
            if isinstance(value, Mapping) and depth < _DEPTH:
                pending.append((f"{name}.", value, depth + 1))
            elif FIELD.fullmatch(name) is None or len(name) > 100:
                report.dropped("unknown field", "its name has not the form of the data format")
            else:
                found[name] = value
    return found


def _event(
    event: dict[str, Any], report: Report, unmarked: tlp.Level, threats: Collection[str]
) -> SecurityEvent | None:
    observed, at = _time(event, "time.observation"), _time(event, "time.source")
    if at is None:
        at = observed
        if at is None:
            report.dropped("event", "it has neither time.source nor time.observation")
            return None
        report.guessed("time.source", "first_observed", "it is missing: time.observation is taken")
    modified = at if observed is None else observed
    key = _key(event)  # before any field is taken out
    given = event.get("classification.type")
    kind = kind_of(given) if isinstance(given, str) else None
    if kind is None:
        report.guessed("classification.type", "labels", "it is missing or unknown: taken for undetermined")
        kind = "undetermined"
    else:
        report.kept("classification.type", "labels")
        if event.get("classification.taxonomy", rsit.CLASS_OF[kind]) != rsit.CLASS_OF[kind]:
            report.merged("classification.taxonomy", "labels", "the type decides, by the RSIT")
    details: dict[str, Value] = {}
    source = _endpoint("source", event, details, report)
    destination = _endpoint("destination", event, details, report)
    # STIX has no place for these on the far side of traffic.
    for field, observable in (("destination.url", destination.url), ("destination.account", destination.account)):
        if observable is not None:
            details[field] = observable.value
    files = _files(event, report)
    _details(event, details, report)
    name = event.get("malware.name")
    text = event.get("event_description.text")
    return SecurityEvent(
        system=SYSTEM,
        key=key,
        at=at,
        modified=modified,
        level=_level(event, unmarked, report),
        source=source,
        destination=Endpoint(destination.addresses, destination.port, destination.fqdn),
        transport=_word(event, "protocol.transport", report),
        application=_word(event, "protocol.application", report),
        files=files,
        name=name[:200] if isinstance(name, str) else "",
        description=text[:4_000] if isinstance(text, str) else "",
        kind=kind,
        threat=str(given) in threats,
        indicator_type=INDICATOR_TYPES.get(str(given), "malicious-activity"),
        confidence=_confidence(event, report),
        details=details,
    )


def _key(event: Mapping[str, Any]) -> str:
    """Return what makes this event this one: all that it says, but not when our side saw it or what it once was."""
    said = {name: value for name, value in event.items() if name != "time.observation" and name not in LEFT_BEHIND}
    try:
        octets = jcs(said)
    except MalformedJson:  # nested beyond what is read: what is left of it is told apart by its text
        octets = repr(sorted(said)).encode("utf-8", "replace")
    return hashlib.sha256(octets).hexdigest()[:40]


def _time(event: Mapping[str, Any], name: str) -> int | None:
    text = event.get(name)
    try:
        us = parse_timestamp(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if us is None or us < 0 else us // 1_000 * 1_000


def _level(event: Mapping[str, Any], unmarked: tlp.Level, report: Report) -> tlp.Level:
    text = event.get("tlp")
    if text is None:
        report.guessed("tlp", "object_marking_refs", "the event says none: the level of the settings is taken")
        return unmarked
    word = str(text).upper().removeprefix("TLP:").strip()
    level = LEVELS.get(word) or next((one for one in tlp.LEVELS if one.upper() == word), None)
    if level is None:
        report.guessed("tlp", "object_marking_refs", "the level is not known: the strictest is taken, TLP:RED")
        return "red"
    report.kept("tlp", "object_marking_refs")
    return level


def _confidence(event: Mapping[str, Any], report: Report) -> int | None:
    accuracy = event.get("feed.accuracy")
    if isinstance(accuracy, bool) or not isinstance(accuracy, int | float) or not 0 <= accuracy <= 100:
        if "feed.accuracy" in event:
            report.dropped("feed.accuracy", "it is no number from 0 to 100")
        return None
    if accuracy == math.floor(accuracy):
        report.kept("feed.accuracy", "confidence")
    else:
        report.merged("feed.accuracy", "confidence", "STIX has whole numbers")
    return round(accuracy)


def _endpoint(side: str, event: dict[str, Any], details: dict[str, Value], report: Report) -> Endpoint:
    kinds = {"ip": None, "fqdn": ObservableType.DOMAIN, "url": ObservableType.URL, "account": ObservableType.EMAIL}
    named: dict[str, Observable | None] = {}
    for name, kind in kinds.items():
        field = f"{side}.{name}"
        value = event.pop(field, None)
        found = _as(kind, value)
        named[name] = found
        if found is not None:
            report.kept(field, f"{found.type.value}.value")
        elif isinstance(value, str) and name == "account" and len(value) <= 200:
            details[field] = value  # an account need not be an e-mail address
            report.kept(field, "labels")
        elif value is not None:
            report.dropped(field, "it has not the form of its kind")
    port = event.pop(f"{side}.port", None)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 65_536:
        if port is not None:
            report.dropped(f"{side}.port", "it is no port")
        port = None
    else:
        report.kept(f"{side}.port", "network-traffic")
    address = named["ip"]
    return Endpoint((address,) if address else (), port, named["fqdn"], named["url"], named["account"])


def _as(kind: ObservableType | None, value: object) -> Observable | None:
    if not isinstance(value, str):
        return None
    if kind is not None:
        found = is_type(value, kind)
    else:
        found = is_type(value, ObservableType.IPV4) or is_type(value, ObservableType.IPV6)
    if found is None or found.port is not None or found.guessed or (kind is None and "/" in found.value):
        return None
    return found


def _files(event: Mapping[str, Any], report: Report) -> tuple[tuple[str, str], ...]:
    found = []
    for field, kind in HASHES.items():
        observable = _as(kind, event.get(field))
        if observable is not None:
            report.kept(field, "file.hashes")
            found.append((kind.value, observable.value))
        elif field in event:
            report.dropped(field, "it has not the form of its kind")
    return tuple(sorted(found))


def _word(event: Mapping[str, Any], field: str, report: Report) -> str:
    value = event.get(field)
    if isinstance(value, str) and value.isascii() and value.replace("-", "").isalnum() and len(value) <= 40:
        report.kept(field, "network-traffic.protocols")
        return value.lower()
    if field in event:
        report.dropped(field, "it is no name of a protocol")
    return ""


def _details(event: Mapping[str, Any], details: dict[str, Value], report: Report) -> None:
    """Take everything that has no place of its own as a machine tag."""
    for field, value in event.items():
        group = field.partition(".")[0]
        name = f"{group}.*" if group in GROUPS else "other fields"  # a source may invent any number of names
        if field in LEFT_BEHIND:
            report.dropped(field, LEFT_BEHIND[field])
        elif field in TAKEN:
            continue
        elif isinstance(value, str | int | float) and len(str(value)) <= LABEL_LENGTH // 4:
            details[field] = value
            report.kept(name, "labels")
        else:
            report.dropped(name, "it is no short text or number")
