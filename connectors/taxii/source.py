"""A collection of another TAXII server as a source: polled from the bookmark, to the end, its objects untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from taxii2client.exceptions import TAXIIServiceException  # type: ignore[import-untyped] # it has no types
from taxii2client.v21 import Collection  # type: ignore[import-untyped] # it has no types

from connectors.sdk.exchange import Incoming
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from connectors.taxii import bookmark
from connectors.taxii.client import StrictConnection
from connectors.taxii.mapping import sorted_out
from connectors.taxii.paging import Page, Pages
from hub.client.outgoing import unrepeated
from hub.client.remote import RemoteError
from hub.domain.canonical import Json
from hub.domain.taxii_time import format_timestamp, parse_timestamp


class TaxiiSource:
    """Gives what is new in a collection.

    :param collect: opens the collection. :param since: where to begin without a bookmark. Times are microseconds.
    :param filters: ``match[...]`` filters as `taxii2-client` spells them.
    """

    def __init__(
        self,
        collect: Callable[[], tuple[StrictConnection, Collection]],
        *,
        clock: Callable[[], int],
        page: int,
        overlap: int,
        since: int | None,
        filters: dict[str, Any],
    ) -> None:
        self._collect, self._clock = collect, clock
        self._page, self._overlap, self._since, self._filters = page, overlap, since, filters
        self._manifest = True

    def batches(self, bookmark_text: str | None) -> Iterator[Incoming]:
        """Yield what was added since, page by page; see `connectors.sdk.exchange.Source`."""
        after = bookmark.read(bookmark_text) if bookmark_text else self._since
        try:
            yield from self._batches(after, bookmark_text)
        except RemoteError as error:
            raise ConnectorError(error.detail) from None
        except TAXIIServiceException as error:
            raise ConnectorError(f"the server does not let this collection be read: {type(error).__name__}") from None

    def _batches(self, after: int | None, before: str | None) -> Iterator[Incoming]:
        connection, collection = self._collect()

        def fetch(added_after: int | None, token: str | None, limit: int) -> Page:
            return self._fetched(connection, collection, added_after, token, limit)

        pages = Pages(fetch, limit=self._page, now=self._clock(), overlap=self._overlap)
        kept = before
        for given in pages.read(after):
            report = Report()
            objects = sorted_out(given.objects, given.unreadable, report)
            if pages.unsorted:
                report.guessed("X-TAXII-Date-Added-First", "", "the server does not sort: no bookmark before the end")
            if pages.skipped:
                report.dropped("objects[]", "more of one date than the server gives at once, without next: some lack")
                pages.skipped = 0
            now = kept if given.floor is None else bookmark.write(given.floor)
            if objects or report.lines or (now is not None and now != kept):
                yield Incoming(objects, report, now or "")
            kept = now

    def _fetched(
        self,
        connection: StrictConnection,
        collection: Collection,
        added_after: int | None,
        token: str | None,
        limit: int,
    ) -> Page:
        query = {"limit": limit, **self._filters}
        if added_after is not None:
            query["added_after"] = format_timestamp(added_after)
        if token is None:
            envelope = collection.get_objects(**query)
        else:
            with unrepeated():  # some servers use a page up by sending it
                envelope = collection.get_objects(next=token, **query)
        if envelope is None:
            envelope = {}
        if not isinstance(envelope, dict):
            raise RemoteError("the answer is no TAXII envelope; check the address")
        found, more, following = envelope.get("objects"), envelope.get("more"), envelope.get("next")
        objects = found if isinstance(found, list) else []
        asked, unreadable = connection.clock(), connection.unreadable
        dates = [
            date for end in ("First", "Last") if (date := connection.date(f"X-TAXII-Date-Added-{end}")) is not None
        ]
        last = max(dates) if dates else self._date_of(collection, objects)
        return Page(
            objects=objects,
            unreadable=unreadable,
            first=min(dates) if len(dates) == 2 else None,
            last=last,
            more=more is True,
            next=following if isinstance(following, str) and following else None,
            asked=asked,
        )

    def _date_of(self, collection: Collection, objects: list[Json]) -> int | None:
        """Return when the last object was added, as the manifest says it, for a server without date headers."""
        last = next((obj for obj in reversed(objects) if isinstance(obj, dict)), None)
        stix_id = None if last is None else last.get("id")
        if not self._manifest or not isinstance(stix_id, str):
            return None
        try:
            answer = collection.get_manifest(id=stix_id)
        except RemoteError:
            self._manifest = False  # it has none: do not ask for every page
            return None
        records = answer.get("objects") if isinstance(answer, dict) else None
        dates = [_date(one) for one in records if isinstance(one, dict)] if isinstance(records, list) else []
        return max((date for date in dates if date is not None), default=None)


def _date(record: dict[str, Json]) -> int | None:
    try:
        return parse_timestamp(str(record.get("date_added")))
    except ValueError:
        return None
