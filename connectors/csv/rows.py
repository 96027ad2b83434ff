"""The rows of a feed: octets to fields by meaning. A row that cannot be read is counted by its reason and left out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from connectors.csv.settings import CsvSettings, Meaning
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.domain import limits

Row = Mapping[Meaning, str]
"""The fields of one row that have a meaning, without white space around them; those that are empty are left out."""

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet runs, and what was protected before: with one apostrophe more, reading takes off just that."""


def rows(data: bytes, settings: CsvSettings, report: Report) -> Iterator[Row]:
    """Yield the rows of an unpacked document.

    :raises ConnectorError: the document is not the one that is configured: a column is missing.
    """
    lines = _lines(_decoded(data, settings), settings, report)
    if settings.format == "csv":
        yield from _records(lines, settings, report)
    else:
        for line in lines:
            yield from _values(line, settings, report)


def _decoded(data: bytes, settings: CsvSettings) -> str:
    """Return the text; what is not in the encoding stays visible as half a surrogate pair, in its row alone."""
    if settings.encoding == "utf-16":
        return data.decode("utf-16", "replace")
    encoding = "utf-8-sig" if settings.encoding == "utf-8" else settings.encoding
    return data.decode(encoding, "surrogateescape")


def _lines(text: str, settings: CsvSettings, report: Report) -> Iterator[str]:
    for line in io.StringIO(text, newline=None):
        stripped = line.strip()
        if not stripped or stripped.startswith(settings.comments):
            continue
        if len(line) > limits.FEED_ROW_LENGTH:
            report.dropped("row", f"it is longer than {limits.FEED_ROW_LENGTH} characters")
        elif not line.isascii() and any("\ud800" <= one <= "\udfff" for one in line):
            report.dropped("row", "it is not in the encoding of the feed")
        else:
            yield line


def _records(lines: Iterator[str], settings: CsvSettings, report: Report) -> Iterator[Row]:
    places: list[tuple[Meaning, int]] | None = None
    if not settings.header:
        places = [(meaning, int(place) - 1) for meaning, place in settings.columns.items()]
    for record in _parsed(lines, settings, report):
        if places is None:
            places = _places(record, settings)
            continue
        row: dict[Meaning, str] = {}
        for meaning, place in places:
            field = record[place].strip() if place < len(record) else ""
            if field:
                row[meaning] = _without_apostrophe(field) if settings.spreadsheet_safe else field
        if "value" in row:
            yield row
        else:
            report.dropped("row", "it has no value")
    if places is None:
        raise ConnectorError("the feed is empty: not even a header came; the list is left as it is")


def _parsed(lines: Iterator[str], settings: CsvSettings, report: Report) -> Iterator[Sequence[str]]:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if settings.quote else csv.QUOTE_NONE
    # Line by line unless told otherwise: with one missing quote the rest of a feed would be a single field.
    for source in [lines] if settings.multiline else ([line] for line in lines):
        reader = csv.reader(
            source,
            delimiter=settings.delimiter,
            quotechar=settings.quote or None,
            quoting=quoting,
            skipinitialspace=True,
            strict=True,
        )
        while True:
            try:
                record = next(reader, None)
            except csv.Error:
                report.dropped("row", "its quotes do not close, or a field is too long")
                continue
            if record is None:
                break
            yield record


def _places(header: Sequence[str], settings: CsvSettings) -> list[tuple[Meaning, int]]:
    names = {name.strip().casefold(): place for place, name in reversed(list(enumerate(header)))}
    found: list[tuple[Meaning, int]] = []
    for meaning, column in settings.columns.items():
        place = column - 1 if isinstance(column, int) else names.get(column.strip().casefold())
        if place is None:
            raise ConnectorError(
                f"the feed has no column for {meaning}: its header has changed; adapt `columns` in the settings"
            )
        found.append((meaning, place))
    return found


def _values(line: str, settings: CsvSettings, report: Report) -> Iterator[Row]:
    """Take one value of a text, several names of a hosts file; a comment may stand behind white space."""
    for mark in settings.comments:
        for blank in (" ", "\t"):
            line = line.partition(blank + mark)[0]
    words = line.split()
    if settings.format == "text":
        yield {"value": line.strip()}
    elif len(words) < 2:
        report.dropped("row", "a line of a hosts file has an address and a name")
    else:
        for word in words[1:]:
            yield {"value": word}


def _without_apostrophe(field: str) -> str:
    return field[1:] if field.startswith("'") and _FORMULA.match(field) else field


def written(records: Iterable[Sequence[str]], *, spreadsheet_safe: bool) -> str:
    """Return CSV (RFC 4180) of records.

    :param spreadsheet_safe: a field that begins like a formula gets an apostrophe: peers write names, analysts open
        lists in a spreadsheet, and it would run what stands there.
    """
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")
    for record in records:
        safe = [f"'{field}" if spreadsheet_safe and _FORMULA.match(field) else field for field in record]
        writer.writerow(safe)
    return made.getvalue()
