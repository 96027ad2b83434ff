"""A MISP event (MISP core format) with an attribute for each value of an indicator, and for each rule as it is.

``to_ids``, which lets MISP's users block, is set only for what PAP permits to be blocked and no warning list holds.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from hub.domain.pattern_values import observed
from hub.domain.permitted_use import Use
from hub.domain.stix import instant_us
from hub.domain.taxii_time import format_timestamp
from hub.exports.indicators import NOT_REDUCIBLE, Indicator, plain
from hub.exports.request import Request
from hub.exports.values import Value, value_of

_SPACE: Final = uuid.UUID("5d7cd4d5-3f2a-4c86-9a5f-8a8f0c2f2f11")
_TYPES: Final = {"ip": "ip-dst", "domain": "domain", "url": "url", "email": "email-src"}
_CATEGORIES: Final = {"hash": "Payload delivery", "email": "Payload delivery"}
_RULES: Final = {"yara": "yara", "sigma": "sigma", "snort": "snort"}
_PAP: Final = {Use.READ: "PAP:RED", Use.SEARCH: "PAP:RED", Use.WATCH: "PAP:AMBER"}


def write(request: Request) -> Iterator[bytes]:
    """Yield the event. It is not published and has the distribution 0 (its organisation): who imports it decides."""
    source, account = request.source, request.account
    seconds = source.now // 1_000_000
    event = {
        "uuid": str(uuid.uuid5(_SPACE, source.place)),
        "info": f"cybex {source.place}",
        "date": format_timestamp(source.now)[:10],
        "timestamp": str(seconds),
        "published": False,
        "analysis": "2",
        "threat_level_id": "4",
        "distribution": "0",
    }
    yield b'{"Event":' + orjson.dumps(event)[:-1]
    yield b',"Attribute":['
    for indicator in request.standing():
        for attribute in _attributes(request, indicator):
            yield (b"," if account.entries else b"") + orjson.dumps(attribute)
            account.entries += 1
            account.give(indicator.shared)
    yield b'],"Tag":[' + orjson.dumps({"name": f"tlp:{account.level}"}) + b"]}}"


def _attributes(request: Request, indicator: Indicator) -> Iterator[Mapping[str, Any]]:
    stix = indicator.stix
    pattern, language = stix.get("pattern"), stix.get("pattern_type")
    if not isinstance(pattern, str):
        return
    if language in _RULES:
        yield _attribute(indicator, _RULES[language], "Payload delivery", pattern, to_ids=indicator.use >= Use.WATCH)
        return
    seen = observed(pattern) if language == "stix" else None
    values = [value for value in map(value_of, seen or ()) if isinstance(value, Value)]
    if not values:
        request.account.leave_out(NOT_REDUCIBLE)
    for value in values:
        kind = value.algorithm or _TYPES[value.kind]
        acts = indicator.use >= Use.BLOCK and request.lists.holding(value) is None
        yield _attribute(indicator, kind, _CATEGORIES.get(value.kind, "Network activity"), value.text, to_ids=acts)


def _attribute(indicator: Indicator, kind: str, category: str, value: str, *, to_ids: bool) -> Mapping[str, Any]:
    stix = indicator.stix
    tags = [{"name": f"tlp:{indicator.shared.level}"}]
    if indicator.use in _PAP:
        tags.append({"name": _PAP[indicator.use]})
    return {
        "uuid": str(uuid.uuid5(_SPACE, f"{stix['id']} {kind} {value}")),
        "type": kind,
        "category": category,
        "value": value,
        "to_ids": to_ids,
        "comment": plain(stix.get("name"), 1_000),
        "timestamp": str(instant_us(stix["modified"]) // 1_000_000),
        "first_seen": stix["valid_from"],
        "distribution": "5",
        "Tag": tags,
    }
