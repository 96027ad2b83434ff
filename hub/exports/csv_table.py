"""A table for people and spreadsheets (RFC 4180): one row for each value of an indicator, or for one that has none.

It informs: what may not be acted on is in it and says so under ``may_block``, and what a warning list holds names it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.domain.pattern_values import observed
from hub.domain.permitted_use import Use
from hub.exports.indicators import Indicator, plain
from hub.exports.request import Request
from hub.exports.values import Value, value_of

COLUMNS: Final = (
    "id",
    "kind",
    "value",
    "algorithm",
    "may_block",
    "warning_list",
    "tlp",
    "name",
    "indicator_types",
    "confidence",
    "valid_from",
    "valid_until",
    "created",
    "modified",
    "created_by_ref",
    "labels",
    "pattern_type",
    "pattern",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")


def write(request: Request) -> Iterator[bytes]:
    """Yield the table. No cell begins as a formula does, and none holds a line end or a control character."""
    yield b""
    yield _row(COLUMNS)
    account = request.account
    for indicator in request.standing():
        for value, holding in _values(request, indicator):
            yield _row([_cell(one) for one in _cells(indicator, value, holding)])
            account.entries += 1
        account.give(indicator.shared)


def _values(request: Request, indicator: Indicator) -> Iterator[tuple[Value | None, str]]:
    stix = indicator.stix
    pattern = stix.get("pattern")
    seen = observed(pattern) if stix.get("pattern_type") == "stix" and isinstance(pattern, str) else None
    values = [value for value in map(value_of, seen or ()) if isinstance(value, Value)]
    for value in values:
        yield value, request.lists.holding(value) or ""
    if not values:
        yield None, ""


def _cells(indicator: Indicator, value: Value | None, holding: str) -> Iterator[object]:
    stix: Mapping[str, Any] = indicator.stix
    yield stix["id"]
    yield "" if value is None else value.kind
    yield "" if value is None else value.text
    yield "" if value is None else value.algorithm
    yield "yes" if indicator.use >= Use.BLOCK and not holding else "no"
    yield holding
    yield indicator.shared.level
    for name in COLUMNS[7:]:
        said = stix.get(name, "")
        yield " ".join(str(each) for each in said) if isinstance(said, list) else said


def _cell(value: object) -> str:
    text = plain(value) if isinstance(value, str) else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _row(cells: list[str] | tuple[str, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()
