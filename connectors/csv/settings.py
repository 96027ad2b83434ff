"""What is configured about a feed, and about a list that is written."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from connectors.sdk.kind import Settings
from hub.domain.observable_text import ObservableType

Meaning = Literal["value", "type", "description", "confidence", "first_seen", "last_seen", "tlp", "tags", "expires"]
Level = Literal["clear", "green", "amber", "amber+strict", "red"]
Encoding = Literal["utf-8", "utf-16", "latin-1", "windows-1252"]
Days = Annotated[int, msgspec.Meta(ge=1, le=3_650)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]

TYPES: Final = frozenset(kind.value for kind in ObservableType)


class CsvSettings(Settings, frozen=True, kw_only=True):
    """One feed (direction in), or one list (direction out).

    :param source: in: a file, a folder or an https address. :param path: out: the file to write.
    :param feed: its name; it is part of every id, so the same value of two feeds is two indicators.
    :param format: ``csv``; ``text`` has one value a line; ``hosts`` an address and names, of which the names count.
    :param files: of a folder, those whose names match.
    :param member: the file in a zip archive that has several.
    :param header: csv: the first row names the columns.
    :param columns: what each column means: its name, or its number counted from 1.
    :param multiline: csv: quoted fields may hold line breaks. One missing quote then swallows what follows it.
    :param type: of all values; otherwise of the column, otherwise told by the form of the value.
    :param types: the feed's own words for types.
    :param times: ``iso``, ``epoch``, ``epoch_ms``, or a format of `datetime.strptime`; without a zone it is UTC.
    :param confidence: of rows that say none. :param confidence_words: the feed's own words.
    :param confidence_max: the highest number of the feed's own scale, which begins at 0.
    :param tlp: of rows that say none. :param tag_separator: between the tags in one field.
    :param expires_after_days: after the row was last seen, when it says no expiry itself.
    :param missing: of an entry that is no longer in the feed: ``expire`` waits for its expiry, ``withdraw`` retracts.
    :param withdraw_at_most: the part of a list that may vanish at once; more is taken for a broken feed.
    :param publish: ``indicators``, ``observables`` (with no claim about them), or ``both``.
    :param token_file: sent as ``Authorization: Bearer``, or as it is in another ``token_header``.
    :param spreadsheet_safe: out: a field that a spreadsheet would run gets an apostrophe; in: it is taken off again.
    """

    source: str | None = None
    path: str | None = None
    feed: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
    format: Literal["csv", "text", "hosts"] = "csv"
    files: Annotated[str, msgspec.Meta(pattern=r"^[^/\\]{1,100}$")] = "*"
    member: str | None = None
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    quote: Annotated[str, msgspec.Meta(max_length=1)] = '"'
    comments: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=10)], ...] = ("#",)
    header: bool = True
    columns: dict[Meaning, str | Annotated[int, msgspec.Meta(ge=1, le=1_000)]] = msgspec.field(default_factory=dict)
    multiline: bool = False
    type: str | None = None
    types: dict[str, str] = msgspec.field(default_factory=dict)
    times: str = "iso"
    confidence: Percent | None = None
    confidence_words: dict[str, Percent] = msgspec.field(default_factory=dict)
    confidence_max: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 100.0
    tlp: Level = "amber"
    labels: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=200)], ...] = ()
    tag_separator: Annotated[str, msgspec.Meta(min_length=1, max_length=3)] = ","
    indicator_types: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=100)], ...] = ("malicious-activity",)
    expires_after_days: Days | None = None
    missing: Literal["expire", "withdraw"] = "expire"
    withdraw_at_most: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    publish: Literal["indicators", "observables", "both"] = "indicators"
    token_file: str | None = None
    token_header: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,60}$")] = "Authorization"  # noqa: S105 - a name
    spreadsheet_safe: bool = True

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.format == "csv" and self.source is not None and "value" not in self.columns:
            raise ValueError('columns must say which one is the value, such as columns = { value = "indicator" }')
        if self.format != "csv" and self.columns:
            raise ValueError("columns are for the format csv; a text has one value a line")
        if not self.header and any(isinstance(one, str) for one in self.columns.values()):
            raise ValueError("without a header, columns are numbers: the first one is 1")
        for kind in (self.type, *self.types.values()):
            if kind is not None and kind not in TYPES:
                raise ValueError(f"a type is one of: {', '.join(sorted(TYPES))}")
        if self.missing == "withdraw" and self.publish == "observables":
            raise ValueError(
                "missing = withdraw is for indicators: an observable claims nothing that could be withdrawn"
            )

    def as_json(self) -> dict[str, Any]:
        """Return all settings, for a digest: a feed that is configured otherwise is read again."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found
