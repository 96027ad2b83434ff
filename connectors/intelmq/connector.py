"""IntelMQ events in, from a file or an address, and out, into a file or to IntelMQ's API collector: see README.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
import orjson
import requests

from connectors.intelmq.mapping import read
from connectors.intelmq.vocabulary import THREATS
from connectors.intelmq.writing import write
from connectors.sdk.event_file import EventFile, merge
from connectors.sdk.event_input import events, fetch, new_lines, read_secret
from connectors.sdk.exchange import Delivered, Incoming, Outgoing, Tools
from connectors.sdk.kind import ConnectorError, Kind, Settings
from connectors.sdk.report import Report
from hub.client.remote import RemoteError
from hub.domain import limits

_URL = r"^https?://[!-~]{1,2000}$"


class IntelmqSettings(Settings, frozen=True, kw_only=True):
    """Where events come from, or go to.

    :param file: in: JSON lines as IntelMQ's file output writes them. out: to be written.
    :param address: in: fetched with GET. out: IntelMQ's API collector, ``…/intelmq/push``, one POST for each event.
    :param token_file: sent in ``token_header``.
    :param tlp: of events that say none, and of objects without a TLP marking.
    :param threats: types of which an indicator is made.
    :param observations: False brings only indicators of what is a threat.
    :param feed: out: ``feed.name`` of what does not come from IntelMQ.
    """

    file: str | None = None
    address: Annotated[str, msgspec.Meta(pattern=_URL)] | None = None
    token_file: str | None = None
    token_header: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,60}$")] = "Authorization"  # noqa: S105 - a name
    tlp: Literal["clear", "green", "amber", "amber+strict", "red"] = "amber"
    threats: tuple[str, ...] = tuple(sorted(THREATS))
    observations: bool = True
    feed: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] = "cybex"

    def __post_init__(self) -> None:
        """Refuse what would be two places, or none."""
        if (self.file is None) == (self.address is None):
            raise ValueError("give either file or address")


class IntelmqSource:
    """The direction IntelMQ -> hub."""

    def __init__(self, settings: IntelmqSettings, tools: Tools) -> None:
        """Raises ConfigError."""
        self._settings, self._tools = settings, tools
        self._headers = _headers(settings, tools)

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield what is new. Raises ConnectorError."""
        settings = self._settings
        if settings.file is not None:
            piece = new_lines(self._tools.path(settings.file), bookmark)
            if piece is None:
                return
            data, after = piece.data, piece.bookmark
        else:
            address = str(settings.address)
            data = fetch(self._tools.session(address), address, self._headers)
            after = hashlib.sha256(data).hexdigest()
            if after == bookmark:
                return
        report = Report()
        found = read(
            events(data, report),
            self._tools.identity,
            report,
            unmarked=settings.tlp,
            threats=settings.threats,
            observations=settings.observations,
        )
        size = limits.FEED_BATCH_OBJECTS
        for start in range(0, len(found), size):
            yield Incoming(found[start : start + size], Report(), bookmark or "")
        yield Incoming((), report, after)


class IntelmqTarget:
    """The direction hub -> IntelMQ."""

    def __init__(self, settings: IntelmqSettings, tools: Tools) -> None:
        """Raises ConfigError."""
        self._settings, self._tools = settings, tools
        self._headers = _headers(settings, tools)
        self._file = EventFile(None if settings.file is None else tools.path(settings.file), tools)

    def deliver(self, batch: Outgoing) -> Delivered:
        """Write or post the events of a batch. Raises ConnectorError when IntelMQ does not take them."""
        known, report = self._file.load(), Report()
        before = dict(known)
        made = write(batch.objects, feed=self._settings.feed, unmarked=self._settings.tlp, report=report)
        refused = merge(known, made, batch, report)
        if self._settings.address is not None:
            gone = sum(one in before for one in batch.withdrawn)
            if gone:
                report.dropped("retraction", "IntelMQ's collector knows no withdrawal; tell who uses the events", gone)
            self._post({one: some for one, some in known.items() if before.get(one) != some}, before)
        self._file.save(known)
        return Delivered(sum(isinstance(one, list) for one in made.values()), report, refused)

    def _post(self, new: dict[str, list[dict[str, Any]]], done: dict[str, list[dict[str, Any]]]) -> None:
        """Post the events of each object; what arrived is noted, so that a batch that fails sends only the rest."""
        address = str(self._settings.address)
        session = self._tools.session(address)
        try:
            for identifier, some in new.items():
                for event in some:
                    self._one(session, address, event)
                done[identifier] = some
        except ConnectorError:
            self._file.save(done)
            raise

    def _one(self, session: requests.Session, address: str, event: dict[str, Any]) -> None:
        try:
            answer = session.post(
                address,
                data=orjson.dumps(event),
                headers={"Content-Type": "application/json", **self._headers},
                allow_redirects=False,
            )
        except RemoteError as error:
            raise ConnectorError(error.detail) from None
        except requests.RequestException as error:
            raise ConnectorError(f"IntelMQ was not reached: {type(error).__name__}") from None
        if not 200 <= answer.status_code < 300:
            raise ConnectorError(f"IntelMQ answers {answer.status_code}; check the address and the token")


def _headers(settings: IntelmqSettings, tools: Tools) -> dict[str, str]:
    if settings.token_file is None:
        return {}
    return {settings.token_header: read_secret(tools.path(settings.token_file), "settings.token_file")}


KIND: Final = Kind(
    name="intelmq",
    summary="events of IntelMQ: in from a file or an address, out into a file or its API collector",
    settings=IntelmqSettings,
    source=IntelmqSource,
    target=IntelmqTarget,
)
