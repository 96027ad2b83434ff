"""The form of a MISP event before anything is made of it: what must be there, and how much there may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

MAX_RECORDS: Final = 50_000
"""Attributes of one event, those of its objects included: the conversion takes a minute and 1 GB for as many. An event
with more is refused as a whole and reported, never cut."""

UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_|:.-]{0,63}")
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that a STIX timestamp can say


class MalformedEvent(ValueError):
    """It is not a MISP event; the text names the field."""


def unwrapped(document: Any) -> dict[str, Any]:
    """Return the event of ``{"Event": {...}}``, or of the event itself, with everything that is relied on checked.

    Raises MalformedEvent.
    """
    event = document.get("Event", document) if isinstance(document, Mapping) else None
    if not isinstance(event, dict):
        raise MalformedEvent("there is no Event")
    if not is_uuid(event.get("uuid")):
        raise MalformedEvent("Event.uuid is no uuid")
    if not isinstance(event.get("info"), str):
        raise MalformedEvent("Event.info is no text")
    organisation = event.get("Orgc")
    if not isinstance(organisation, Mapping) or not is_uuid(organisation.get("uuid")):
        raise MalformedEvent("Event.Orgc has no uuid")
    if not isinstance(organisation.get("name"), str) or not organisation["name"]:
        raise MalformedEvent("Event.Orgc has no name")
    seconds(event, "timestamp")
    day(event)
    attributes, objects = records(event, "Attribute"), records(event, "Object")
    count = len(attributes) + sum(len(records(one, "Attribute")) for one in objects)
    if count > MAX_RECORDS:
        raise MalformedEvent(f"Event has more than {MAX_RECORDS} attributes; divide it")
    for one in (*attributes, *objects, *(inner for thing in objects for inner in records(thing, "Attribute"))):
        if not is_uuid(one.get("uuid")):
            raise MalformedEvent("an Attribute or Object has no uuid")
    return event


def records(parent: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the records in a list of the event; anything that is no list of objects is malformed."""
    found = parent.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise MalformedEvent(f"{name} is no list of objects")
    return found


def is_uuid(value: Any) -> bool:
    """Say whether a value is a uuid in its usual form."""
    return isinstance(value, str) and UUID.fullmatch(value.lower()) is not None


def seconds(thing: Mapping[str, Any], name: str) -> int:
    """Return a time of MISP, seconds since the epoch written as text or number. Raises MalformedEvent."""
    value = thing.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST_SECOND:
        raise MalformedEvent(f"{name} is no time in seconds")
    return value


def day(event: Mapping[str, Any]) -> int:
    """Return the beginning of the event's date in seconds since the epoch. Raises MalformedEvent."""
    try:
        start = datetime.combine(date.fromisoformat(event["date"]), datetime.min.time(), UTC)
    except (KeyError, TypeError, ValueError):
        raise MalformedEvent("Event.date is no date") from None
    return int(start.timestamp())


def timestamp(instant: int) -> str:
    """Write seconds since the epoch as STIX does."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def named(text: Any) -> str:
    """Return a type or field name that may stand in a report, or ``(other)``: a name can be content too."""
    return text if isinstance(text, str) and _NAME.fullmatch(text) else "(other)"


def is_set(value: Any) -> bool:
    """Say whether a field says anything; MISP writes null, empty texts, empty lists and 0 for what is not there."""
    return value not in (None, "", "0", 0, [], {}) and value is not False
