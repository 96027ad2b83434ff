"""STIX as n6 events: what came from n6 as it was, and of others what n6 has attributes for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.n6.vocabulary import BACK, CATEGORIES, DETAILS, HASHES, SYSTEM
from connectors.sdk.exchange import StixObject
from connectors.sdk.report import Report
from connectors.sdk.security_event import SecurityEvent, Value, from_indicator, from_observed, key_of
from hub.domain import alert, stix, tlp
from hub.domain.observable_text import Observable, ObservableType
from hub.domain.taxii_time import format_timestamp


def write(
    batch: Sequence[StixObject], *, source: str, unmarked: tlp.Level, report: Report
) -> dict[str, list[dict[str, Any]] | str]:
    """Return the n6 events of objects, by the STIX id of each; a text says why an object has none.

    :param source: provider and channel under which our own events stand, such as ``hub.alpha``.
    """
    definitions = {one["id"]: one for one in batch if one["type"] == "marking-definition"}
    known = {one["id"]: one for one in batch}
    indicators = {(one.get("created_by_ref"), key_of(one, SYSTEM)): one for one in batch if one["type"] == "indicator"}
    found: dict[str, list[dict[str, Any]] | str] = {}
    for obj in batch:
        if obj["type"] == "observed-data":
            level = alert.level_of(obj, definitions, unmarked)
            seen = from_observed(obj, known, SYSTEM, level)
            if seen is None:
                found[obj["id"]] = "one of its observables is not in the same batch, or no list has it"
                continue
            partner = indicators.pop((obj.get("created_by_ref"), seen.key), None)
            if partner is not None:
                seen = replace(seen, expires=_until(partner), confidence=partner.get("confidence"))
                found[partner["id"]] = []
            found[obj["id"]] = _written([seen], source, report)
    for obj in indicators.values():
        level = alert.level_of(obj, definitions, unmarked)
        made = from_indicator(obj, SYSTEM, level)
        if not made:
            found[obj["id"]] = "its pattern says more than a choice of values, or something n6 has no attribute for"
            continue
        found[obj["id"]] = _written(made, source, report)
    return found


def _until(indicator: StixObject) -> int | None:
    text = indicator.get("valid_until")
    return None if text is None else stix.instant_us(str(text))


def _written(some: Sequence[SecurityEvent], source: str, report: Report) -> list[dict[str, Any]] | str:
    made = [one for one in (_one(event, source, report) for event in some) if one is not None]
    return made or "n6 has IPv4 addresses only"


def _one(event: SecurityEvent, source: str, report: Report) -> dict[str, Any] | None:
    details = dict(event.details)
    addresses = [
        one.value for one in event.source.addresses if one.type is ObservableType.IPV4 and "/" not in one.value
    ]
    if event.source.addresses and not addresses:
        report.dropped("ipv6-addr, networks", "n6 has single IPv4 addresses only")
        return None
    category = details.get("category")
    if category not in CATEGORIES:
        category = BACK.get(event.kind or "", "other")
        report.guessed("labels", "category", "from the type of the RSIT")
    ours = "--" in event.key
    made: dict[str, Any] = {
        # n6 ids are 32 hexadecimal digits; ours are made of the STIX id, so the same object has the same one
        "id": hashlib.sha256(event.key.encode()).hexdigest()[:32] if ours else event.key,
        "source": details.get("source", source),
        "restriction": _restriction(event.level),
        "confidence": _word(event.confidence, report),
        "category": category,
        "time": _stamp(event.at),
        "modified": _stamp(event.modified),
    }
    if event.expires is not None:
        made |= {"expires": _stamp(event.expires)}
    if addresses:
        made["address"] = [_address(value, details) for value in addresses]
    ends = event.destination
    optional: dict[str, Any] = {
        "sport": event.source.port,
        "dport": ends.port,
        "proto": event.transport if event.transport in ("tcp", "udp", "icmp") else None,
        "dip": next((one.value for one in ends.addresses if one.type is ObservableType.IPV4), None),
        "fqdn": _value(event.source.fqdn or ends.fqdn),
        "url": _value(event.source.url),
        "email": _value(event.source.account),
        **{name: dict(event.files).get(kind.value) for name, kind in HASHES.items()},
    }
    made |= {name: value for name, value in optional.items() if value is not None}
    if event.name and "name" not in details:
        made["name"] = event.name[:255]
    return made | {name: details[name] for name in DETAILS if name in details and name not in ("category", "source")}


def _value(observable: Observable | None) -> str | None:
    return None if observable is None else observable.value


def _address(value: str, details: Mapping[str, Value]) -> dict[str, Value]:
    made: dict[str, Value] = {"ip": value}
    for name in ("cc", "asn"):
        found = details.get(f"{name}.{value.replace('.', '_')}")
        if found is not None:
            made[name] = found
    return made


def _restriction(level: tlp.Level) -> str:
    if level == "clear":
        return "public"
    return "internal" if tlp.stricter(level, "amber") else "need-to-know"


def _word(confidence: int | None, report: Report) -> str:
    if confidence is None:
        report.guessed("confidence", "confidence", "the object says none, and n6 wants one: low")
        return "low"
    return "high" if confidence >= 70 else "medium" if confidence >= 30 else "low"


def _stamp(us: int) -> str:
    text = format_timestamp(us)
    return text[:19] + "Z" if us % 1_000_000 == 0 else text
