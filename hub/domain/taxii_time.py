"""TAXII timestamps: strict when written, generous when read (TAXII 2.1 §2; RFC 3339)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# A raw "+" in a query string arrives as a space, so a space is read as the sign of the offset (OpenCTI sends that).
_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+\- ])([0-9]{2}):([0-9]{2}))"
)


def format_timestamp(us: int) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SS.ssssssZ`` for microseconds since the epoch: always six digits, always ``Z``."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec="microseconds")[:26] + "Z"


def parse_timestamp(text: str) -> int:
    """Return microseconds since the epoch for any RFC 3339 form; digits beyond the sixth are cut.

    Cutting moves the instant downwards, so that a poller who resumes from it is sent an object twice rather than never.

    Raises:
        ValueError: the text is no RFC 3339 date-time, names no real date, or has no offset.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 date-time")
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    micros = int((match[7] or "")[:6].ljust(6, "0"))
    if second == 60:  # a leap second: the last instant before it, which errs downwards
        second, micros = 59, 999_999
    offset = 0
    if match[8] is not None:
        hours, minutes = int(match[9]), int(match[10])
        if hours > 23 or minutes > 59:
            raise ValueError("not an offset")
        offset = (hours * 60 + minutes) * 60_000_000 * (-1 if match[8] == "-" else 1)
    local = datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
    us = (local - _EPOCH) // _MICROSECOND - offset
    if not _LOWEST <= us <= _HIGHEST:
        raise ValueError("outside the years 1 to 9999")
    return us


_LOWEST: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_HIGHEST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
