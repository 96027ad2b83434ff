"""The few facts the hub needs of a STIX 2.1 object: id, type, version, owner, markings and references.

Everything here takes an object that ``StixValidator`` has accepted and looks at a copy; nothing changes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

SCO_TYPES: Final = frozenset(
    {
        "artifact",
        "autonomous-system",
        "directory",
        "domain-name",
        "email-addr",
        "email-message",
        "file",
        "ipv4-addr",
        "ipv6-addr",
        "mac-addr",
        "mutex",
        "network-traffic",
        "process",
        "software",
        "url",
        "user-account",
        "windows-registry-key",
        "x509-certificate",
    }
)
"""STIX 2.1 §6: cyber-observable objects, which have neither `created` nor `modified`."""

SDO_TYPES: Final = frozenset(
    {
        "attack-pattern",
        "campaign",
        "course-of-action",
        "grouping",
        "identity",
        "incident",
        "indicator",
        "infrastructure",
        "intrusion-set",
        "location",
        "malware",
        "malware-analysis",
        "note",
        "observed-data",
        "opinion",
        "report",
        "threat-actor",
        "tool",
        "vulnerability",
    }
)
"""STIX 2.1 §4: domain objects."""

SRO_TYPES: Final = frozenset({"relationship", "sighting"})
"""STIX 2.1 §5: relationship objects."""

META_TYPES: Final = frozenset({"extension-definition", "language-content", "marking-definition"})
"""STIX 2.1 §7: meta objects."""

STANDARD_TYPES: Final = SCO_TYPES | SDO_TYPES | SRO_TYPES | META_TYPES

TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60)(?:\.([0-9]+))?Z",
    re.ASCII,
)
"""The lexical form of STIX 2.1 §2.16 timestamps: RFC 3339 in UTC, `Z` required. The calendar is checked elsewhere."""

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the hub knows of one version of an object.

    :param version: the version's own timestamp as written; None for what has no version of its own (SCOs).
    :param version_key: ``version`` as text that sorts by instant, at any precision; None with ``version``.
    :param marking_refs: object markings and granular markings, wherever in the object they stand.
    :param refs: every id in a ``_ref`` or ``_refs`` property at any depth, and the target of a detached signature.
    """

    id: str
    type: str
    version: str | None
    version_key: str | None
    created_by_ref: str | None
    marking_refs: frozenset[str]
    refs: frozenset[str]
    revoked: bool
    is_sco: bool


def facts(obj: Mapping[str, Any]) -> Facts:
    """Return the facts of a valid object; those of an invalid one are undefined."""
    refs: set[str] = set()
    markings: set[str] = set()
    _gather(obj, refs, markings)
    sco = is_sco(obj)
    version = None if sco else obj.get("modified", obj.get("created"))
    return Facts(
        id=obj["id"],
        type=obj["type"],
        version=version,
        version_key=None if version is None else version_key(version),
        created_by_ref=obj.get("created_by_ref"),
        marking_refs=frozenset(markings),
        refs=frozenset(refs),
        revoked=obj.get("revoked") is True,
        is_sco=sco,
    )


def is_sco(obj: Mapping[str, Any]) -> bool:
    """Say whether an object is a cyber-observable: one of the standard types, or a new or custom one that is made so.

    A custom type counts when an extension declares it (``new-sco``), or when it has no ``created``, which every
    domain and relationship object must have (STIX 2.1 §3.1).
    """
    name = obj["type"]
    if name in STANDARD_TYPES:
        return name in SCO_TYPES
    extensions = obj.get("extensions")
    if isinstance(extensions, Mapping):
        kinds = {body.get("extension_type") for body in extensions.values() if isinstance(body, Mapping)}
        if "new-sco" in kinds:
            return True
        if "new-sdo" in kinds or "new-sro" in kinds:
            return False
    return "created" not in obj and "modified" not in obj


def is_timestamp(text: object) -> bool:
    """Say whether this is a STIX timestamp of a day that exists (§2.16); a leap second only where one can be."""
    if not isinstance(text, str):
        return False
    match = TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if day > 28:
        try:
            date(year, month, day)
        except ValueError:
            return False
    if match[6] == "60":
        return text[5:16] in ("06-30T23:59", "12-31T23:59")
    return year > 0


def version_key(timestamp: str) -> str:
    """Return ``YYYYMMDDHHMMSS.`` and the fraction without trailing zeros: bytewise order is the order of instants.

    Raises ValueError when the text is not a timestamp.
    """
    match = TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise ValueError("not a STIX timestamp")
    year, month, day, hour, minute, second, fraction = match.groups("")
    return f"{year}{month}{day}{hour}{minute}{second}.{fraction.rstrip('0')}"


def instant_us(timestamp: str) -> int:
    """Return microseconds since 1970-01-01T00:00:00Z; digits beyond the sixth are cut, a leap second is the next one.

    Raises ValueError when the text is not a timestamp of a day that exists.
    """
    match = TIMESTAMP.fullmatch(timestamp)
    if match is None:
        raise ValueError("not a STIX timestamp")
    year, month, day, hour, minute, second, fraction = match.groups("")
    days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    seconds = days * 86400 + int(hour) * 3600 + int(minute) * 60 + int(second)
    return seconds * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _gather(node: Mapping[str, Any], refs: set[str], markings: set[str]) -> None:
    """Add every referenced id below ``node``; depth is bounded by ``limits.MAX_DEPTH`` when the JSON is parsed."""
    for key, value in node.items():
        kind = type(value)
        if kind is str:
            if key.endswith("_ref") or key == "related_to":
                refs.add(value)
                if key == "marking_ref":
                    markings.add(value)
        elif kind is list:
            if key.endswith("_refs"):
                ids = [item for item in value if isinstance(item, str)]
                refs.update(ids)
                if key == "object_marking_refs":
                    markings.update(ids)
            _gather_list(value, refs, markings)
        elif kind is dict or isinstance(value, Mapping):
            _gather(value, refs, markings)


def _gather_list(items: list[Any], refs: set[str], markings: set[str]) -> None:
    for item in items:
        kind = type(item)
        if kind is str:
            continue
        if kind is list:
            _gather_list(item, refs, markings)
        elif kind is dict or isinstance(item, Mapping):
            _gather(item, refs, markings)
