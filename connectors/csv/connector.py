"""CSV and plain-text feeds into the hub, and what is in the hub out into a list: see README.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.csv.documents import documents
from connectors.csv.listing import CsvTarget
from connectors.csv.mapping import Entry, entries, objects, stix_id
from connectors.csv.rows import Row, rows
from connectors.csv.settings import CsvSettings
from connectors.csv.versions import Record, gone, plan, to_json
from connectors.sdk.exchange import Incoming, Tools
from connectors.sdk.kind import ConnectorError, Kind
from connectors.sdk.report import Fate, Report
from hub.domain import limits
from hub.errors import ConfigError

FORMAT: Final = 1
"""Of the mapping: a feed is read again after it has changed."""
GUARDED: Final = 20
"""Entries below which a list may shrink as it likes."""


class CsvSource:
    """The direction feed -> hub.

    What was published is remembered in a file named after the state of the feed, and the bookmark is that name: the
    two cannot come apart, whatever is killed when.
    """

    def __init__(self, settings: CsvSettings, tools: Tools) -> None:
        """Raises ConfigError."""
        if settings.source is None:
            raise ConfigError("source is missing: a file, a folder or an address", field="settings.source")
        self._settings, self._tools = settings, tools

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield the new versions of what the feed lists, and what it withdrew; nothing when it has not changed.

        :raises ConnectorError: the feed cannot be had or understood, or too much of it has vanished.
        """
        report = Report()
        state = hashlib.sha256(orjson.dumps([FORMAT, self._settings.as_json(), self._tools.identity]))
        dates: list[int | None] = []
        listed = entries(self._rows(state, dates, report), self._settings, report)
        name = state.hexdigest()
        if name == bookmark:
            return
        self._check(listed, report)
        known = [date for date in dates if date is not None]
        at = min([max(known), self._tools.clock()]) if known else self._tools.clock()
        if not known:
            report.guessed("feed", "created, modified", "the feed has no date: the time it was fetched is taken")
        before = self._load(bookmark)
        made, after = self._plan(listed, before, at, report)
        withdrawn = self._missing(before, listed, after, report)
        self._save(name, after, bookmark)
        self._tools.progress(f"{len(listed)} entries, {len(made)} new or changed, {len(withdrawn)} gone")
        yield from self._batched(made, withdrawn, report, bookmark or "", name)

    def _rows(self, state: Any, dates: list[int | None], report: Report) -> Iterator[Row]:
        count = 0
        for document in documents(self._settings, self._tools):
            state.update(hashlib.sha256(document.data).digest())
            dates.append(document.date)
            for row in rows(document.data, self._settings, report):
                count += 1
                if count > limits.FEED_ROWS:
                    raise ConnectorError(f"the feed has more than {limits.FEED_ROWS} rows; make two of it")
                yield row

    def _check(self, listed: dict[str, Entry], report: Report) -> None:
        """Refuse a feed of which nothing was understood: it is an error page, or its form has changed."""
        bad = sum(line.count for line in report.lines if line.fate is Fate.DROPPED and line.field == "row")
        if not listed and bad:
            raise ConnectorError(f"none of {bad} rows could be read; check format, columns and encoding")

    def _plan(
        self, listed: dict[str, Entry], before: dict[str, Record], at: int, report: Report
    ) -> tuple[list[dict[str, Any]], dict[str, Record]]:
        made: list[dict[str, Any]] = []
        after = dict(before)
        for key, entry in listed.items():
            found = plan(entry, before.get(key), self._settings, at)
            if found is None:
                report.dropped("row", "it had expired before the feed was made")
                continue
            after[key] = found.record
            if found.publish:
                record = found.record
                made += objects(
                    entry,
                    self._settings,
                    self._tools.identity,
                    created=record.created,
                    modified=record.modified,
                    valid_until=record.valid_until,
                )
        return made, after

    def _missing(
        self, before: dict[str, Record], listed: dict[str, Entry], after: dict[str, Record], report: Report
    ) -> list[str]:
        """Note what is no longer listed; return the ids to withdraw."""
        present = [key for key, record in before.items() if record.present]
        missing = [key for key in present if key not in listed]
        for key in missing:
            after[key] = gone(before[key])
        if self._settings.missing == "expire":
            return []
        share = self._settings.withdraw_at_most
        if len(present) >= GUARDED and len(missing) > share * len(present):
            raise ConnectorError(
                f"{len(missing)} of {len(present)} entries have vanished from the feed at once, so nothing is"
                " withdrawn; if that is right, raise withdraw_at_most for one run"
            )
        if missing:
            report.kept("entry that is gone", "retraction", len(missing))
        return [self._id(key) for key in missing]

    def _id(self, key: str) -> str:
        kind = "vulnerability" if key.startswith("CVE-") else "indicator"
        return stix_id(kind, self._tools.identity, self._settings.feed, key)

    def _batched(
        self, made: Sequence[dict[str, Any]], withdrawn: Sequence[str], report: Report, bookmark: str, name: str
    ) -> Iterator[Incoming]:
        size = limits.FEED_BATCH_OBJECTS
        for start in range(0, len(made), size):
            yield Incoming(made[start : start + size], Report(), bookmark)
        yield Incoming((), report, name, withdrawn)

    def _load(self, bookmark: str | None) -> dict[str, Record]:
        """Return what was published up to a bookmark; nothing when that is lost, which costs new versions, no more."""
        if not bookmark:
            return {}
        try:
            found = orjson.loads(self._memory(bookmark).read_bytes())
            return {key: Record(*values) for key, values in found.items()}
        except (OSError, orjson.JSONDecodeError, TypeError):
            self._tools.progress("what was published before is not known any more; everything is published again")
            return {}

    def _save(self, name: str, records: dict[str, Record], bookmark: str | None) -> None:
        path = self._memory(name)
        aside = path.with_suffix(".part")
        try:
            aside.write_bytes(orjson.dumps(to_json(records)))
            aside.replace(path)
            for old in self._tools.folder.glob("feed-*.json"):
                if old != path and (not bookmark or old != self._memory(bookmark)):
                    old.unlink(missing_ok=True)
        except OSError as error:
            raise ConnectorError(f"{path} cannot be written: {error.strerror}") from None

    def _memory(self, name: str) -> Path:
        return self._tools.folder / f"feed-{name[:64]}.json"


KIND: Final = Kind(
    name="csv",
    summary="CSV and plain-text feeds in (file, folder, address), and a CSV list out",
    settings=CsvSettings,
    source=CsvSource,
    target=CsvTarget,
)
