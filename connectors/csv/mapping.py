"""Entries of a feed, and the STIX objects they become. Ids are made of the feed's name and of the observable."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from connectors.csv.rows import Row
from connectors.csv.settings import CsvSettings, Level
from connectors.sdk.report import Report
from hub.domain import tlp
from hub.domain.observable_stix import cyber_observable, pattern
from hub.domain.observable_text import Observable, ObservableType, detect, is_type
from hub.domain.taxii_time import format_timestamp

DAY_US: Final = 24 * 3600 * 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US: Final = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_TEXT_LENGTH: Final = 4_000
_TAGS: Final = 50
_BY_NAME: Final = {kind.value.lower(): kind.value for kind in ObservableType}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a feed says of one observable. Times are microseconds since the epoch.

    :param key: the same for the same observable: the id of its cyber-observable object, or the CVE.
    """

    observable: Observable
    key: str
    level: Level
    description: str = ""
    confidence: int | None = None
    first_seen: int | None = None
    last_seen: int | None = None
    expires: int | None = None
    tags: tuple[str, ...] = ()


def entries(rows: Iterable[Row], settings: CsvSettings, report: Report) -> dict[str, Entry]:
    """Return what a feed says, by key; rows about the same observable are joined."""
    found: dict[str, Entry] = {}
    for row in rows:
        entry = _entry(row, settings, report)
        if entry is None:
            continue
        before = found.get(entry.key)
        if before is not None:
            report.merged("row", "indicator", "the same value stands in the feed more than once")
            entry = _joined(before, entry)
        found[entry.key] = entry
    return found


def key_of(observable: Observable) -> str:
    """Return what tells an observable from others."""
    obj = cyber_observable(observable)
    return observable.value if obj is None else str(obj["id"])


def _entry(row: Row, settings: CsvSettings, report: Report) -> Entry | None:
    observable = _observable(row, settings, report)
    if observable is None:
        return None
    report.kept("value", "observables" if settings.publish == "observables" else "indicator.pattern")
    if observable.port is not None:
        report.dropped("value.port", "an address or a name has no port in STIX")
    if observable.guessed:
        report.guessed("value", "url", "it has no scheme: http is assumed")
    if "description" in row:
        report.kept("description", "indicator.description")
    tags = [tag.strip()[:200] for tag in row.get("tags", "").split(settings.tag_separator) if tag.strip()]
    if tags:
        report.kept("tags", "indicator.labels", len(tags[:_TAGS]))
    if len(tags) > _TAGS:
        report.dropped("tags", f"there are more than {_TAGS}", len(tags) - _TAGS)
    return Entry(
        observable=observable,
        key=key_of(observable),
        level=_level(row, settings, report),
        description=row.get("description", "")[:_TEXT_LENGTH],
        confidence=_confidence(row, settings, report),
        first_seen=_time("first_seen", row, settings, report),
        last_seen=_time("last_seen", row, settings, report),
        expires=_time("expires", row, settings, report),
        tags=tuple(tags[:_TAGS]),
    )


def _observable(row: Row, settings: CsvSettings, report: Report) -> Observable | None:
    named = settings.type
    if "type" in row:
        word = row["type"]
        named = settings.types.get(word) or _BY_NAME.get(word.lower()) or settings.type
        if named is None:
            report.dropped("row", "its type is not known: add it to `types`")
            return None
    if named is None:
        found = detect(row["value"])
        if found is None:
            report.dropped("row", "its value is no observable")
        else:
            report.guessed("type", "indicator.pattern", "told by the form of the value")
        return found
    found = is_type(row["value"], ObservableType(named))
    if found is None:
        report.dropped("row", "its value has not the form of its type")
    return found


def _confidence(row: Row, settings: CsvSettings, report: Report) -> int | None:
    text = row.get("confidence")
    if text is None:
        return settings.confidence
    if text in settings.confidence_words:
        report.kept("confidence", "indicator.confidence")
        return settings.confidence_words[text]
    try:
        share = float(text.rstrip("%")) / settings.confidence_max
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        report.dropped("confidence", "it is no number of the scale, and no word of `confidence_words`")
        return settings.confidence
    report.kept("confidence", "indicator.confidence")
    return round(100 * share)


def _level(row: Row, settings: CsvSettings, report: Report) -> Level:
    text = row.get("tlp")
    if text is None:
        return settings.tlp
    word = text.strip().lower().removeprefix("tlp:").strip().replace(" ", "")
    level = tlp.V1_LEVELS.get(word, word)
    if tlp.is_level(level):
        report.kept("tlp", "object_marking_refs")
        return cast(Level, level)
    report.guessed("tlp", "object_marking_refs", "the level is not known, so the strictest is taken: TLP:RED")
    return "red"


def _time(meaning: str, row: Row, settings: CsvSettings, report: Report) -> int | None:
    text = row.get(meaning)  # type: ignore[call-overload] # called with three of the meanings
    if text is None:
        return None
    us = _instant(text, settings.times)
    if us is None or not 0 <= us < _LAST_US:
        report.dropped(meaning, "it is no time in the format of `times`")
        return None
    places = {"first_seen": "indicator.valid_from", "last_seen": "indicator.modified", "expires": "valid_until"}
    report.kept(meaning, places[meaning])
    return us


def _instant(text: str, form: str) -> int | None:
    try:
        if form in ("epoch", "epoch_ms"):
            return round(float(text) * (1_000_000 if form == "epoch" else 1_000))
        # A zone is supplied below where there is none.
        found = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
        return ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def _joined(one: Entry, other: Entry) -> Entry:
    """Return what two rows say together: the widest time, the highest confidence, the strictest level."""
    return replace(
        one,
        level=other.level if tlp.stricter(other.level, one.level) else one.level,
        description=one.description or other.description,
        confidence=max((c for c in (one.confidence, other.confidence) if c is not None), default=None),
        first_seen=min((t for t in (one.first_seen, other.first_seen) if t is not None), default=None),
        last_seen=max((t for t in (one.last_seen, other.last_seen) if t is not None), default=None),
        expires=max((t for t in (one.expires, other.expires) if t is not None), default=None),
        tags=tuple(dict.fromkeys((*one.tags, *other.tags)))[:_TAGS],
    )


def stix_id(kind: str, identity: str, feed: str, key: str) -> str:
    """Return the id of what an entry of a feed becomes: UUIDv5 of who publishes, the feed and the observable."""
    namespace = uuid.UUID(identity.partition("--")[2])
    return f"{kind}--{uuid.uuid5(namespace, feed + chr(10) + key)}"


def objects(
    entry: Entry, settings: CsvSettings, identity: str, *, created: int, modified: int, valid_until: int | None
) -> list[dict[str, Any]]:
    """Return the STIX objects of one version of an entry. Times are microseconds since the epoch."""
    if entry.observable.type is ObservableType.CVE:
        return [_vulnerability(entry, settings, identity, created, modified)]
    made: list[dict[str, Any]] = []
    observable = cyber_observable(entry.observable) if settings.publish != "indicators" else None
    if observable is not None:
        made.append({**observable, "object_marking_refs": [tlp.IDS[entry.level]]})
    if settings.publish != "observables":
        indicator: dict[str, Any] = {
            **_common("indicator", entry, settings, identity, created, modified),
            "name": entry.observable.value,
            "indicator_types": list(settings.indicator_types),
            "pattern": pattern(entry.observable),
            "pattern_type": "stix",
            "valid_from": _stamp(created if entry.first_seen is None else min(entry.first_seen, modified)),
        }
        if valid_until is not None:
            indicator["valid_until"] = _stamp(valid_until)
        made.append(indicator)
    return made


def _vulnerability(entry: Entry, settings: CsvSettings, identity: str, created: int, modified: int) -> dict[str, Any]:
    name = entry.observable.value
    return {
        **_common("vulnerability", entry, settings, identity, created, modified),
        "name": name,
        "external_references": [{"source_name": "cve", "external_id": name}],
    }


def _common(
    kind: str, entry: Entry, settings: CsvSettings, identity: str, created: int, modified: int
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "id": stix_id(kind, identity, settings.feed, entry.key),
        "created_by_ref": identity,
        "created": _stamp(created),
        "modified": _stamp(modified),
        "object_marking_refs": [tlp.IDS[entry.level]],
    }
    if entry.description:
        made["description"] = entry.description
    if entry.confidence is not None:
        made["confidence"] = entry.confidence
    labels = list(dict.fromkeys((*settings.labels, *entry.tags)))
    if labels:
        made["labels"] = labels
    return made


def _stamp(us: int) -> str:
    return format_timestamp(us)[:23] + "Z"
