"""Objects to export, as a peer may read them, and one way to export them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from hub.domain.pap import MARKING_DEFINITIONS
from hub.domain.taxii_time import parse_timestamp
from hub.exports.formats import FORMATS
from hub.exports.options import Options
from hub.exports.request import Request
from hub.exports.shared import Account, Shared, Source
from hub.exports.warning import WarningLists

NOW = parse_timestamp("2026-11-22T12:00:00Z")
SPACE = uuid.UUID("00000000-0000-4000-8000-0000000000aa")
AUTHOR = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"
PAP = {str(one["name"]).removeprefix("PAP:").lower(): str(one["id"]) for one in MARKING_DEFINITIONS}
Stix = dict[str, Any]


def indicator(pattern: str, name: str = "", **more: Any) -> Stix:
    """Return an indicator whose id follows from its pattern and name."""
    made: Stix = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid5(SPACE, pattern + name)}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "created_by_ref": AUTHOR,
        "valid_from": "2026-11-01T00:00:00Z",
        "pattern": pattern,
        "pattern_type": "stix",
    }
    return made | ({"name": name} if name else {}) | more


def incident(name: str, **more: Any) -> Stix:
    """Return an incident."""
    return {
        "type": "incident",
        "spec_version": "2.1",
        "id": f"incident--{uuid.uuid5(SPACE, name)}",
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-02T00:00:00.000Z",
        "created_by_ref": AUTHOR,
        "name": name,
    } | more


def shared(objects: Iterable[Stix], level: str = "amber") -> list[Shared]:
    """Return the objects as the store has them."""
    return [Shared(json.dumps(one, ensure_ascii=False).encode(), level) for one in objects]


def export(
    format_: str,
    objects: Iterable[Stix | Shared],
    *,
    lists: WarningLists | None = None,
    definitions: Mapping[str, Mapping[str, Any]] | None = None,
    now: int = NOW,
    **options: Any,
) -> tuple[bytes, Account]:
    """Return what a format makes of some objects, and its account."""
    given = [one if isinstance(one, Shared) else shared([one])[0] for one in objects]
    source = Source("aa", "alpha/indicators", now, "9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6", definitions or {})
    request = Request(given, source, Options(**options), lists or WarningLists())
    return b"".join(FORMATS[format_].write(request)), request.account


def values(format_: str, objects: Iterable[Stix | Shared], **more: Any) -> list[str]:
    """Return the lines of a list that are no comments."""
    text = export(format_, objects, **more)[0].decode("ascii")
    return [line for line in text.splitlines() if not line.startswith("#")]


YARA = 'rule wellmess { strings: $a = "}" // not the end\n  condition: $a }'
SIGMA = "title: Odd service\nlogsource:\n  product: windows\ndetection:\n  one:\n    EventID: 7045\n  condition: one"
SNORT = 'alert tcp any any -> any 4444 (msg:"odd port"; content:"a|3B|b"; sid:1000001; rev:1;)'

SAMPLE: list[Stix] = [
    indicator("[ipv4-addr:value = '5.6.7.8']", "C2 server", confidence=80, indicator_types=["malicious-activity"]),
    indicator("[ipv4-addr:value = '5.6.7.9']"),
    indicator("[ipv4-addr:value IN ('6.7.8.0/25', '6.7.8.128/25')]"),
    indicator("[ipv6-addr:value = '2a01:4f8::1']"),
    indicator("[domain-name:value = 'Evil-Bücher.com'] OR [url:value = 'http://evil.net:8080/a;b?\"c\"#d']"),
    indicator("[network-traffic:dst_ref.value = 'c2.evil.org']"),
    indicator("[file:hashes.'SHA-256' = '" + "ab" * 32 + "' OR file:hashes.MD5 = '" + "CD" * 16 + "']"),
    indicator("[email-addr:value = 'boss@evil.net']"),
    indicator(YARA, pattern_type="yara"),
    indicator(SIGMA, pattern_type="sigma"),
    indicator(SNORT, pattern_type="snort"),
    indicator(SNORT.replace("odd", "other"), pattern_type="suricata"),
    indicator("[ipv4-addr:value = '7.7.7.7']", "watch only", object_marking_refs=[PAP["amber"]]),
    indicator("[ipv4-addr:value = '7.7.7.8']", "logs only", object_marking_refs=[PAP["red"]]),
    indicator("[domain-name:value = 'google.com']", "a mistake"),
    indicator("[ipv4-addr:value = '192.168.1.1']", "another"),
    indicator("[ipv4-addr:value = '8.8.8.8']", "a third"),
    indicator("[domain-name:value = 'old.net']", valid_until="2026-11-02T00:00:00Z"),
    indicator("[domain-name:value = 'early.net']", valid_from="2026-12-02T00:00:00Z"),
    indicator("[domain-name:value = 'gone.net']", revoked=True),
    indicator("[domain-name:value = 'fine.net']", indicator_types=["benign"]),
    indicator("[domain-name:value = 'exit.net']", indicator_types=["anonymization"]),
    indicator("[ipv4-addr:value = '9.9.1.1' AND domain-name:value = 'both.net']"),
    indicator("[domain-name:value LIKE '%.evil.net']"),
    indicator("[ipv4-addr:value = '0.0.0.0/0']", "everything"),
    incident("Phishing wave", description="Mails & <links>"),
]
