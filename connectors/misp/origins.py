"""Where events come from: a server, a feed, or a file. Each lists its events in order of time and gives one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urljoin

import requests

from connectors.misp.mapping.shape import MalformedEvent, is_uuid, seconds
from connectors.misp.server import Server
from connectors.sdk.kind import ConnectorError
from hub.client.remote import RemoteError
from hub.domain.canonical import parse
from hub.errors import MalformedJson

MAX_FILE_BYTES: Final = 100 * 1024 * 1024
"""Octets of one event, or of a feed's manifest: the conversion takes two to seven times as much memory."""
MAX_ENTRIES: Final = 500_000
"""Events of one feed: the largest public one has some ten thousand."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that is there. ``at`` orders events, in seconds since the epoch."""

    uuid: str
    at: int


class Origin(Protocol):
    """What lists events and gives them."""

    def entries(self, since: int) -> Iterator[Entry]:
        """Yield the events from an instant on, those of that very second included, in order. Raises ConnectorError."""
        ...

    def event(self, uuid: str) -> Any:
        """Return one event, None when it is not there any more. Raises ConnectorError."""
        ...

    def present(self) -> set[str] | None:
        """Return the uuids of all events that are there, None where that cannot be known. Raises ConnectorError."""
        ...


class ServerOrigin:
    """The events of a server.

    :param published_only: what is not published, is not there. :param keep_unpublished: but is not missed either.
    """

    def __init__(self, server: Server, *, published_only: bool, keep_unpublished: bool) -> None:
        self._server, self._published_only, self._keep_unpublished = server, published_only, keep_unpublished

    def entries(self, since: int) -> Iterator[Entry]:
        """Yield events by the time of publication, or by that of the last edit."""
        # An event that is published long after its last edit has an old timestamp, and would be passed over.
        field = "publish_timestamp" if self._published_only else "timestamp"
        for one in self._server.index(field, max(0, since - 1)):
            entry = _entry(one, field)
            if entry is not None and entry.at >= since and (not self._published_only or _is_published(one)):
                yield entry

    def event(self, uuid: str) -> Any:
        """Return one event with its deleted attributes."""
        return self._server.event(uuid)

    def present(self) -> set[str] | None:
        """Return the events this user can see."""
        return {
            str(one["uuid"]).lower()
            for one in self._server.index("timestamp", 0)
            if is_uuid(one.get("uuid")) and (not self._published_only or self._keep_unpublished or _is_published(one))
        }


class FeedOrigin:
    """The events of a feed in MISP's format: manifest.json and one file per event, over HTTP or in a folder."""

    def __init__(self, place: Path | str, session: requests.Session | None) -> None:
        self._place, self._session = place, session
        self._manifest: dict[str, Entry] | None = None

    def entries(self, since: int) -> Iterator[Entry]:
        """Yield the events of the manifest."""
        for one in sorted(self._entries().values(), key=lambda entry: (entry.at, entry.uuid)):
            if one.at >= since:
                yield one

    def event(self, uuid: str) -> Any:
        """Return the event in its file."""
        if not is_uuid(uuid):
            return None  # it becomes a file name
        raw = self._read(f"{uuid}.json")
        return None if raw is None else parsed(raw)

    def present(self) -> set[str] | None:
        """Return the events of the manifest."""
        return set(self._entries())

    def _entries(self) -> dict[str, Entry]:
        if self._manifest is not None:
            return self._manifest
        raw = self._read("manifest.json")
        manifest = None if raw is None else parsed(raw)
        if not isinstance(manifest, dict) or len(manifest) > MAX_ENTRIES:
            raise ConnectorError("there is no manifest.json of a MISP feed at the place that feed names")
        found = {}
        for uuid, entry in manifest.items():
            if isinstance(entry, Mapping) and (one := _entry({**entry, "uuid": uuid}, "timestamp")) is not None:
                found[one.uuid] = one
        self._manifest = found
        return found

    def _read(self, name: str) -> bytes | None:
        if isinstance(self._place, Path):
            return read_file(self._place / name)
        if self._session is None:
            raise ConnectorError("a feed at an address wants a session")
        try:
            answer = self._session.get(urljoin(self._place, name), allow_redirects=False)
        except RemoteError as error:
            raise ConnectorError(error.detail) from None
        except requests.RequestException as error:
            raise ConnectorError(f"the feed does not answer ({type(error).__name__}); check its address") from None
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise ConnectorError(f"the feed answered {answer.status_code}; check its address")
        return answer.content


class FileOrigin:
    """The events of an exported file, which may hold one or a list."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: dict[str, Any] | None = None

    def entries(self, since: int) -> Iterator[Entry]:
        """Yield the events of the file. Another file may be older, so all of them, whatever the bookmark says."""
        del since
        found = [_entry(event, "timestamp") for event in self._read().values()]
        yield from sorted((one for one in found if one is not None), key=lambda one: (one.at, one.uuid))

    def event(self, uuid: str) -> Any:
        """Return one event of the file."""
        return self._read().get(uuid)

    def present(self) -> set[str] | None:
        """Return None: what is not in this file may be in another."""
        return None

    def _read(self) -> dict[str, Any]:
        if self._events is None:
            raw = read_file(self._path)
            if raw is None:
                raise ConnectorError("the file that file names is not there")
            self._events = {str(event["uuid"]).lower(): event for event in _events(parsed(raw))}
        return self._events


def read_file(path: Path) -> bytes | None:
    """Return the octets of a file, None when there is none. Raises ConnectorError when it is too long or unreadable."""
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError:
        raise ConnectorError("a file of MISP's cannot be read; check its owner") from None
    if len(octets) > MAX_FILE_BYTES:
        raise ConnectorError(f"a file of MISP's is longer than {MAX_FILE_BYTES} octets; divide it")
    return octets


def parsed(raw: bytes) -> Any:
    """Return JSON values. Raises ConnectorError."""
    try:
        return parse(raw)
    except MalformedJson:
        raise ConnectorError("a file of MISP's is not JSON that can be read") from None


def _events(document: Any) -> list[dict[str, Any]]:
    if isinstance(document, Mapping) and "response" in document:
        document = document["response"]
    found = [
        one.get("Event", one)
        for one in (document if isinstance(document, list) else [document])
        if isinstance(one, dict)
    ]
    events = [one for one in found if isinstance(one, dict) and is_uuid(one.get("uuid"))]
    if not events or len(events) != len(found):
        raise ConnectorError("the file that file names holds something that is no MISP event")
    return events


def _entry(one: Mapping[str, Any], field: str) -> Entry | None:
    try:
        return Entry(str(one["uuid"]).lower(), seconds(one, field)) if is_uuid(one.get("uuid")) else None
    except MalformedEvent:
        return None


def _is_published(one: Mapping[str, Any]) -> bool:
    return one.get("published") in (True, 1, "1")
