"""Simple values and attributes of IODEF: what is read is checked here, whichever form it came in."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from connectors.iodef.mapping.classes import Attribute
from connectors.iodef.mapping.vocabulary import ALIASES, EXTENSION, VALUES
from connectors.sdk.report import Report

_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))?",
    re.ASCII,
)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,15}", re.ASCII)
_PORTS: Final = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?(?:,[0-9]{1,5}(?:-[0-9]{1,5})?)*", re.ASCII)
_ZONE: Final = re.compile(r"Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]", re.ASCII)
_DAY_END: Final = 24


def instant(text: str) -> datetime | None:
    """Return the moment that an ``xs:dateTime`` names, in UTC; without a zone it is taken as UTC. None when broken."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[index]) for index in range(1, 7))
    extra = timedelta(0)
    if hour == _DAY_END and minute == 0 and second == 0 and not (match[7] or "").strip("0"):
        hour, extra = 0, timedelta(days=1)  # XML Schema: 24:00:00 is the first moment of the next day
    if second == 60:
        second, extra = 59, timedelta(seconds=1)
    zone: timezone = UTC
    if match[8]:
        offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
        if offset > timedelta(hours=14):
            return None
        zone = timezone(-offset if match[8] == "-" else offset)
    micros = int((match[7] or "0")[:6].ljust(6, "0"))
    try:
        return (datetime(year, month, day, hour, minute, second, micros, zone) + extra).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def has_zone(text: str) -> bool:
    """Say whether a time names its zone (RFC 7970 §2.7 wants one)."""
    match = _TIME.fullmatch(text.strip())
    return match is not None and (match[8] is not None or text.strip()[-1] in "Zz")


def stix_time(moment: datetime) -> str:
    """Return a moment as STIX writes it: milliseconds, or microseconds where there are some."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(20, "0")
    fraction = f"{moment.microsecond:06d}"
    return f"{moment.year:04d}{text[text.index('-') :]}.{fraction[:3] if fraction.endswith('000') else fraction}Z"


def iodef_time(timestamp: str) -> str:
    """Return a STIX timestamp as IODEF writes it: without a fraction of zeros."""
    head, _, fraction = timestamp.rstrip("Z").partition(".")
    digits = fraction.rstrip("0")
    return f"{head}.{digits}Z" if digits else f"{head}Z"


def simple(kind: str, value: Any) -> Any:
    """Return a simple value as RFC 8727 writes it. Raises ValueError when it is none of this kind."""
    if kind == "ml":
        return _multilingual(value)
    if kind in ("int", "real"):
        return _number(kind, value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it is empty or not text")
    text = value.strip()
    if kind == "lines":  # one value a line (RFC 7970 §3.29.3.1), indented by whoever made the document pretty
        return "\n".join(line.strip() for line in text.splitlines() if line.strip())
    if kind == "base64":
        return "".join(text.split())
    if kind == "time" and instant(text) is None:
        raise ValueError("it is no date and time of RFC 3339")
    if kind == "portlist" and not _PORTS.fullmatch(text):
        raise ValueError("it is no list of ports")
    if kind == "timezone" and not _ZONE.fullmatch(text):
        raise ValueError("it is no time zone")
    return text


def _multilingual(value: Any) -> Any:
    """A text, or an object with ``value`` and a language or translation (RFC 8727 §2.2.2)."""
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, dict) and isinstance(value.get("value"), str) and value["value"].strip():
        extra = {
            name: value[name].strip()
            for name in ("lang", "translation-id")
            if isinstance(value.get(name), str) and value[name].strip()
        }
        return {"value": value["value"].strip(), **extra} if extra else value["value"].strip()
    raise ValueError("it is empty or not text")


def _number(kind: str, value: Any) -> int | float:
    if isinstance(value, bool):
        raise ValueError("it is not a number")
    if isinstance(value, str):
        text = value.strip()
        if kind == "int":
            if not _INTEGER.fullmatch(text):
                raise ValueError("it is not a whole number")
            return int(text)
        if len(text) > 40:
            raise ValueError("it is not a number")
        value = float(text)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("it is not a number")
    if float(value).is_integer() and abs(value) < 2**53:
        return int(value)
    if kind == "int":
        raise ValueError("it is not a whole number")
    return value


def attribute_value(
    attribute: Attribute, raw: Any, place: str, report: Report, *, spelled: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the members that an attribute becomes; none when it cannot be read.

    A value outside its enumeration becomes ``ext-value``, since registries grow (RFC 7970 §5.1.1).

    :param spelled: values of this form by the spelling of RFC 8727's. :param place: the path of the class.
    """
    where = f"{place}/@{attribute.name}"
    if attribute.integer:
        try:
            return {attribute.name: simple("int", raw)}
        except ValueError as fault:
            report.dropped(where, str(fault))
            return {}
    if not isinstance(raw, str) or not raw.strip():
        report.dropped(where, "it is empty or not text")
        return {}
    text = raw.strip()
    if not attribute.values:
        return {attribute.name: text}
    text = (spelled or {}).get(text, text)
    if text in ALIASES.get(attribute.values, {}):
        text = ALIASES[attribute.values][text]
        report.guessed(where, text, "a name that RFC 7970 uses in an example stands for the one in its schema")
    if text in VALUES[attribute.values] or (text == EXTENSION and attribute.extensible):
        return {attribute.name: text}
    if attribute.extensible:
        report.guessed(where, "ext-value", "a value that is not in the registry is taken as an extension value")
        return {attribute.name: EXTENSION, f"ext-{attribute.name}": text}
    report.dropped(where, "a value that is not in the registry, where no extension is foreseen")
    return {}


def plain(text: Any) -> str:
    """Return the words of a multilingual text, without its language."""
    return str(text["value"]) if isinstance(text, dict) else str(text)
