"""From MISP to the hub: what is new since the bookmark, event by event, and what is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connectors.misp.mapping.audience import Rules
from connectors.misp.mapping.event_to_stix import event_to_stix, withdrawn_by
from connectors.misp.mapping.shape import MalformedEvent, unwrapped
from connectors.misp.origins import Entry, Origin
from connectors.misp.remembered import Remembered, in_pieces
from connectors.sdk.exchange import Incoming, StixObject
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.domain.canonical import jcs, parse
from hub.errors import MalformedJson

BATCH: Final = 500
"""Objects after which a batch is given out: as many as the runner posts at once."""
PIECE: Final = 50_000
"""Objects of one batch, of an event that is larger than all others: half of what a batch may have."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where to go on: from the second ``at``, after ``run`` batches."""

    at: int = 0
    run: int = 0

    @classmethod
    def read(cls, text: str | None) -> Bookmark:
        """Return a bookmark; the beginning for none. Raises ConnectorError for what is no bookmark."""
        if text is None:
            return cls()
        try:
            kept: Any = parse(text.encode())
            return cls(int(kept["at"]), int(kept["run"]))
        except (MalformedJson, KeyError, TypeError, ValueError):
            raise ConnectorError("the bookmark is not one of this connector; reset it") from None

    def text(self) -> str:
        """Return it as the runner keeps it."""
        return jcs({"at": self.at, "run": self.run}).decode()


@dataclass(slots=True)
class _Batch:
    objects: list[StixObject] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    withdrawn: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MispSource:
    """One server, feed or file.

    :param max_gone: events that may be missing at once.
    """

    origin: Origin
    rules: Rules
    folder: Path
    max_gone: int
    withdraw_missing: bool
    progress: Callable[[str], None]

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield what changed since the bookmark, and at the end what is gone. Raises ConnectorError."""
        start = Bookmark.read(bookmark)
        work = _Run(self, start, Remembered(self.folder, start.run))
        for entry in self.origin.entries(start.at):
            yield from work.event(entry)
        if self.withdraw_missing:
            work.missing()
        yield from work.rest()


class _Run:
    """One run: the batch that is being filled, and where it ends."""

    def __init__(self, source: MispSource, start: Bookmark, remembered: Remembered) -> None:
        self.source, self.mark, self.done, self.remembered = source, start, start, remembered
        self.batch, self.count, self.run = _Batch(), 0, start.run

    def event(self, entry: Entry) -> Iterator[Incoming]:
        """Take in one event; a broken one is reported, and the others go on."""
        document = self.source.origin.event(entry.uuid)
        self.count += 1
        try:
            self._convert(entry, document)
        except MalformedEvent as fault:
            if not self.remembered.seen(entry.uuid, entry.at):
                self.batch.report.dropped("Event", str(fault))
                self.remembered.keep(entry.uuid, self.remembered.state(entry.uuid), self.run + 1, entry.at)
        # Another event of the same second may follow, so the next run looks at this second again.
        self.mark = Bookmark(max(self.mark.at, entry.at), self.run)
        if len(self.batch.objects) >= BATCH:
            yield from self.rest()

    def missing(self) -> None:
        """Withdraw the events that are not there any more, unless there are so many that it must be a fault."""
        known = self.remembered.events()
        if not known:
            return
        present = self.source.origin.present()
        gone = sorted(known - present) if present is not None else []
        if len(gone) > self.source.max_gone:
            self.batch.report.dropped(
                "Event",
                "missing, and not withdrawn: more at once than max_withdrawn_events; raise it if it is true",
                len(gone),
            )
            self.source.progress(f"{len(gone)} events are missing at once: nothing is withdrawn")
            return
        for uuid in gone:
            self.batch.withdrawn += self.remembered.gone(uuid, {})
            self.batch.report.kept("Event (deleted)", "retraction")
            self.remembered.keep(uuid, {}, self.run + 1, -1)

    def rest(self) -> Iterator[Incoming]:
        """Yield the batch as it is, if it says anything."""
        batch, self.batch = self.batch, _Batch()
        if not (batch.objects or batch.withdrawn or batch.report.lines):
            return
        before, self.done = self.done, Bookmark(self.mark.at, self.run + 1)
        self.run += 1
        self.mark = Bookmark(self.mark.at, self.run)
        self.source.progress(f"{self.count} events read")
        pieces = list(in_pieces(batch.objects, PIECE))
        for number, piece in enumerate(pieces, start=1):
            last = number == len(pieces)
            yield Incoming(
                objects=tuple(piece),
                report=batch.report if last else Report(),
                bookmark=(self.mark if last else before).text(),
                withdrawn=tuple(dict.fromkeys(batch.withdrawn)) if last else (),
            )

    def _convert(self, entry: Entry, document: object) -> None:
        if document is None:
            return  # deleted between the list and now; `missing` sees to it
        event = unwrapped(document)
        if event["uuid"].lower() != entry.uuid:
            raise MalformedEvent("it has another uuid than it was listed under")
        conversion = event_to_stix(document, self.source.rules)
        report = Report()
        report.add(conversion.report)
        fresh, state = self.remembered.changes(entry.uuid, conversion.objects, report)
        gone = self.remembered.gone(entry.uuid, state)
        if not fresh and not gone and self.remembered.seen(entry.uuid, entry.at):
            return
        deleted = [one for one in withdrawn_by(event) if one not in state]
        self.batch.report.add(report)
        self.batch.objects += fresh
        self.batch.withdrawn += [*gone, *deleted]
        self.remembered.keep(entry.uuid, state, self.run + 1, entry.at)
