"""When an entry of a feed becomes a new version of its object: what was published before decides, and no clock.

A feed lists the same thing every hour. A version is made when what it says has changed, or when less than half of the
validity is left; so a thin link carries an entry again once in half its lifetime, and no reader ever sees it lapse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from connectors.csv.mapping import DAY_US, Entry
from connectors.csv.settings import CsvSettings

_MILLISECOND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """What was published of an entry. Times are microseconds since the epoch.

    :param content: digest of all that the object says beside its times.
    """

    created: int
    modified: int
    valid_until: int | None
    content: str
    present: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with an entry. :param record: to be remembered. :param publish: it is a new version."""

    record: Record
    publish: bool


def plan(entry: Entry, before: Record | None, settings: CsvSettings, at: int) -> Plan | None:
    """Return what becomes of an entry, None of one that has expired.

    :param at: when the feed was made, as far as it can be known.
    """
    until = _valid_until(entry, settings, at)
    if until is not None and until <= at:
        return None
    content = _content(entry, settings)
    if before is None:
        created = _whole(min(at, at if entry.first_seen is None else entry.first_seen))
        modified = _whole(max(created, min(at, created if entry.last_seen is None else entry.last_seen)))
        return Plan(Record(created, modified, until, content), publish=True)
    if before.content == content and before.present and not _renewed(before.valid_until, until, at):
        return Plan(before, publish=False)
    seen = min(at, at if entry.last_seen is None else entry.last_seen)
    modified = _whole(max(seen, before.modified + _MILLISECOND))
    return Plan(Record(before.created, modified, until, content), publish=True)


def gone(before: Record) -> Record:
    """Return what is remembered of an entry that is no longer in the feed: should it come back, it is a new version."""
    return replace(before, present=False)


def _valid_until(entry: Entry, settings: CsvSettings, at: int) -> int | None:
    if entry.expires is not None:
        return _whole(entry.expires)
    if settings.expires_after_days is None:
        return None
    return _whole((at if entry.last_seen is None else entry.last_seen) + settings.expires_after_days * DAY_US)


def _renewed(before: int | None, until: int | None, at: int) -> bool:
    """Say whether the validity has changed enough to be told: sooner at once, later when half of it is over."""
    if before is None or until is None:
        return before != until
    return until < before or (until > before and (before - at) * 2 < until - at)


def _content(entry: Entry, settings: CsvSettings) -> str:
    """Return a digest of all that an object says beside its times."""
    said = (
        entry.level,
        entry.description,
        entry.confidence,
        entry.tags,
        settings.labels,
        settings.indicator_types,
        settings.publish,
    )
    return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _whole(us: int) -> int:
    """Cut to the milliseconds that STIX times have."""
    return us // _MILLISECOND * _MILLISECOND


def to_json(records: Mapping[str, Record]) -> dict[str, list[object]]:
    """Return what is written down of records."""
    return {key: [one.created, one.modified, one.valid_until, one.content, one.present] for key, one in records.items()}
