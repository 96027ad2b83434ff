"""IODEF documents as a source: a folder into which somebody drops them, or a list of addresses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.iodef.files import documents, read_at_most
from connectors.iodef.mapping.documents import Read, ReadIncident, from_iodef
from connectors.iodef.mapping.faults import IodefFault
from connectors.iodef.mapping.limits import DOCUMENT_BYTES
from connectors.iodef.memory import Memory
from connectors.sdk.exchange import Incoming, Tools
from connectors.sdk.kind import ConnectorError
from connectors.sdk.report import Report
from hub.client.transport import RemoteError
from hub.domain.tlp import Level


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


class Bookmark:
    """Which documents were read, as digests: a document is read again when its octets change."""

    def __init__(self, text: str | None) -> None:
        self._read: dict[str, str] = {}
        try:
            value = json.loads(text) if text else {}
        except ValueError:
            value = {}
        if isinstance(value, dict):
            self._read = {str(name): str(digest) for name, digest in value.items()}

    def has(self, name: str, data: bytes) -> bool:
        """Say whether these octets of this name were read."""
        return self._read.get(_short(name.encode())) == _short(data)

    def add(self, name: str, data: bytes) -> str:
        """Return the bookmark after this document."""
        self._read[_short(name.encode())] = _short(data)
        return self.text

    def only(self, names: Sequence[str]) -> None:
        """Forget documents that are no longer there: nothing is withdrawn because a mailbox was emptied."""
        here = {_short(name.encode()) for name in names}
        self._read = {name: digest for name, digest in self._read.items() if name in here}

    @property
    def text(self) -> str:
        """The bookmark as it is kept."""
        return json.dumps(self._read, sort_keys=True, separators=(",", ":"))


class _Documents:
    """What both sources share: one batch for each document that is new."""

    def __init__(self, tools: Tools, agreed: Level, recipients: Sequence[str]) -> None:
        self._tools, self._agreed, self._recipients = tools, agreed, recipients
        self._memory = Memory(tools.folder)

    def _batch(self, bookmark: Bookmark, name: str, label: str, data: bytes | None) -> Iterator[Incoming]:
        """Yield what a document became, unless it was read before.

        :param label: names the document in messages: its place in the list, never its name, which is somebody's text.
        """
        if data is None:
            self._tools.progress(f"{label}: refused: it is longer than {DOCUMENT_BYTES} octets")
            report = Report()
            report.dropped("IODEF-Document", f"it is longer than {DOCUMENT_BYTES} octets; ask for smaller documents")
            data = b"too long"
            if not bookmark.has(name, data):
                yield Incoming((), report, bookmark.add(name, data))
            return
        if bookmark.has(name, data):
            return
        try:
            read = from_iodef(
                data,
                identity=self._tools.identity,
                agreed=self._agreed,
                first_created=self._memory.first_created,
                recipients=self._recipients,
            )
        except IodefFault as fault:
            self._tools.progress(f"{label}: refused: {fault}")
            report = Report()
            report.dropped(fault.place or "IODEF-Document", f"the document was refused: {fault.reason}")
            yield Incoming((), report, bookmark.add(name, data))
            return
        for refusal in read.refused:
            self._tools.progress(f"{label}: {refusal}")
        yield from self._read(read, bookmark.add(name, data))

    def _read(self, read: Read, bookmark: str) -> Iterator[Incoming]:
        newest: list[ReadIncident] = []
        for one in read.incidents:
            if self._memory.is_older(one):
                read.report.dropped("Incident", "a newer version of this incident was read before")
            else:
                newest.append(one)
        gone = [name for one in newest for name in self._memory.gone(one)]
        objects = {str(obj["id"]): obj for one in newest for obj in one.objects}
        yield Incoming(list(objects.values()), read.report, bookmark, gone)
        self._memory.keep(newest)


class FolderSource(_Documents):
    """Reads every document of a folder that it has not read like this before. Files stay where they are."""

    def __init__(self, tools: Tools, folder: Path, agreed: Level, recipients: Sequence[str] = ()) -> None:
        super().__init__(tools, agreed, recipients)
        self._folder = folder

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield one batch for each new document; see `connectors.sdk.exchange.Source`."""
        paths = list(documents(self._folder))
        known = Bookmark(bookmark)
        known.only([path.name for path in paths])
        for number, path in enumerate(paths, 1):
            data = read_at_most(path, DOCUMENT_BYTES)
            yield from self._batch(known, path.name, f"document {number} of {len(paths)}", data)


class AddressSource(_Documents):
    """Fetches every address of a list; one that fails does not keep the others from being read."""

    def __init__(self, tools: Tools, urls: Sequence[str], agreed: Level, recipients: Sequence[str] = ()) -> None:
        super().__init__(tools, agreed, recipients)
        self._urls = urls

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield one batch for each address whose document is new; see `connectors.sdk.exchange.Source`."""
        known = Bookmark(bookmark)
        known.only(self._urls)
        failures: list[str] = []
        for number, url in enumerate(self._urls, 1):
            try:
                data = _fetched(self._tools, url)
            except ConnectorError as error:
                failures.append(f"urls[{number}]: {error.detail}")
                continue
            yield from self._batch(known, url, f"urls[{number}]", data)
        if failures:
            raise ConnectorError("; ".join(failures[:5]))


def _fetched(tools: Tools, url: str) -> bytes | None:
    """Return the document at an address, None when it is too long. Raises ConnectorError."""
    try:
        response = tools.session(url).get(url, headers={"Accept": "application/xml, application/json"})
    except (RemoteError, OSError) as error:
        detail = error.detail if isinstance(error, RemoteError) else type(error).__name__
        raise ConnectorError(f"it cannot be fetched: {detail}") from error
    if response.status_code != 200:
        raise ConnectorError(f"it answers {response.status_code}; check the address and the rights")
    return response.content if len(response.content) <= DOCUMENT_BYTES else None
