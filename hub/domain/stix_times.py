"""Timestamps of a STIX object: days that exist, and pairs in order. The schemas have checked their form already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.domain import limits
from hub.domain.stix import is_timestamp, version_key
from hub.domain.stix_problem import Problem, Rule

_SEEN: Final = ("first_seen", "last_seen")

MOMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "campaign": _SEEN,
    "directory": ("atime", "ctime", "mtime"),
    "email-message": ("date",),
    "event": ("start_time", "end_time"),
    "file": ("atime", "ctime", "mtime"),
    "impact": ("start_time", "end_time"),
    "indicator": ("valid_from", "valid_until"),
    "infrastructure": _SEEN,
    "intrusion-set": _SEEN,
    "language-content": ("object_modified",),
    "malware": _SEEN,
    "malware-analysis": ("submitted", "analysis_started", "analysis_ended"),
    "network-traffic": ("start", "end"),
    "observed-data": ("first_observed", "last_observed"),
    "process": ("created_time",),
    "relationship": ("start_time", "stop_time"),
    "report": ("published",),
    "sighting": _SEEN,
    "task": ("start_time", "end_time"),
    "threat-actor": _SEEN,
    "user-account": (
        "account_created",
        "account_expires",
        "credential_last_changed",
        "account_first_login",
        "account_last_login",
    ),
    "windows-registry-key": ("modified_time",),
    "x509-certificate": ("validity_not_before", "validity_not_after"),
}
"""Properties of type timestamp besides `created` and `modified` (STIX 2.1 §4 to §7, incident suite)."""

EMBEDDED: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "file": (
        ("extensions", "windows-pebinary-ext", "time_date_stamp"),
        ("extensions", "pdf-ext", "creation_date"),
    ),
    "x509-certificate": (
        ("x509_v3_extensions", "", "private_key_usage_period_not_before"),
        ("x509_v3_extensions", "", "private_key_usage_period_not_after"),
    ),
}
"""Timestamps one or two levels down: property, key (or none), property."""

ORDERED: Final[Mapping[str, tuple[tuple[str, str, bool], ...]]] = {
    "campaign": ((*_SEEN, False),),
    "indicator": (("valid_from", "valid_until", True),),
    "infrastructure": ((*_SEEN, False),),
    "intrusion-set": ((*_SEEN, False),),
    "malware": ((*_SEEN, False),),
    "network-traffic": (("start", "end", False),),
    "observed-data": (("first_observed", "last_observed", False),),
    "relationship": (("start_time", "stop_time", True),),
    "sighting": ((*_SEEN, False),),
    "threat-actor": ((*_SEEN, False),),
}
"""(earlier, later, must they differ) of each type, besides `created` and `modified` (STIX 2.1 §3.2, §4, §5, §6)."""

_VERSIONED: Final = ("created", "modified")


def time_problems(obj: Mapping[str, Any], *, observable: bool) -> Iterator[Problem]:
    """Yield what is wrong with the timestamps of an object whose schema holds."""
    kind = obj["type"]
    if not observable:
        yield from _calendar(obj, _VERSIONED)
        yield from _order(obj, "created", "modified", False)
        yield from _length(obj)
    if kind in MOMENTS:
        yield from _calendar(obj, MOMENTS[kind])
        for earlier, later, strictly in ORDERED.get(kind, ()):
            yield from _order(obj, earlier, later, strictly)
    for outer, key, name in EMBEDDED.get(kind, ()):
        inner = obj.get(outer)
        if key and isinstance(inner, Mapping):
            inner = inner.get(key)
        if isinstance(inner, Mapping) and isinstance(inner.get(name), str) and not is_timestamp(inner[name]):
            path = ".".join(part for part in (outer, key, name) if part)
            yield Problem(path, Rule.CALENDAR, "the timestamp names no real moment")


def _calendar(obj: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Problem]:
    for name in names:
        text = obj.get(name)
        # days up to 28 exist in every month, so the calendar need not be asked
        if text is None or (text[8:10] <= "28" and text[17:19] != "60" and text[:4] != "0000"):
            continue
        if not is_timestamp(text):
            yield Problem(name, Rule.CALENDAR, "the timestamp names no real moment")


def _length(obj: Mapping[str, Any]) -> Iterator[Problem]:
    """The moment of a version becomes part of its key in the database, which must not grow without bound."""
    for name in _VERSIONED:
        if len(obj.get(name, "")) > limits.MAX_TIMESTAMP_LENGTH:
            yield Problem(name, Rule.BOUNDS, "the hub keeps at most 30 digits of a second")


def _order(obj: Mapping[str, Any], earlier: str, later: str, strictly: bool) -> Iterator[Problem]:
    first, second = obj.get(earlier), obj.get(later)
    if first is None or second is None:
        return
    if first == second:
        if strictly:
            yield Problem(later, Rule.ORDER, f"it must be later than {earlier}")
        return
    before, after = version_key(first), version_key(second)
    if before > after or (strictly and before == after):
        yield Problem(later, Rule.ORDER, f"it must {'be later' if strictly else 'not be earlier'} than {earlier}")
