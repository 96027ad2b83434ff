"""How commands print: aligned columns for people, one JSON document for programs; and the option that names the hub."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson

from hub.domain.taxii_time import parse_timestamp

Row = Mapping[str, Any]

_SPACE: Final = "  "
data_option: Final = click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory (else CYBEX_DATA, else cybex-data)."
)
json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON, the same as /api/v1 answers.")


def print_rows(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """Print a list: every property as JSON, or these columns aligned under their names."""
    if as_json:
        click.echo(orjson.dumps(list(rows), option=orjson.OPT_INDENT_2).decode())
        return
    table = [[name.replace("_", " ") for name in columns]]
    table += [[text_of(row.get(name)) for name in columns] for row in rows]
    widths = [max(_width(cell) for cell in column) for column in zip(*table, strict=True)]
    for line in table:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        click.echo(_SPACE.join(cells).rstrip())


def print_one(row: Row, *, as_json: bool) -> None:
    """Print one thing: as JSON, or one property a line."""
    if as_json:
        click.echo(orjson.dumps(row, option=orjson.OPT_INDENT_2).decode())
        return
    width = max(len(name) for name in row)
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' '):{width}}{_SPACE}{text_of(value)}")


def text_of(value: object) -> str:
    """Return a value as one cell; what other peers chose is shown without control or formatting characters."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(text_of(each) for each in value) or "-"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={text_of(each)}" for name, each in value.items()) or "-"
    return "".join("?" if unicodedata.category(mark) in {"Cc", "Cf", "Cs"} else mark for mark in str(value))


def _width(text: str) -> int:
    """Return how many columns a terminal needs for a text."""
    wide = sum(unicodedata.east_asian_width(mark) in "WF" for mark in text)
    return len(text) + wide - sum(unicodedata.combining(mark) > 0 for mark in text)


class Instant(click.ParamType[int]):
    """A time on the command line: RFC 3339, or a date, which is its first moment in UTC. Microseconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return microseconds since the epoch."""
        if isinstance(value, int):
            return value
        try:
            if len(value) == len("2026-11-22"):
                moment = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
                return int(moment.timestamp()) * 1_000_000
            return parse_timestamp(value)
        except ValueError:
            self.fail("give a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z", param, ctx)


INSTANT: Final = Instant()
