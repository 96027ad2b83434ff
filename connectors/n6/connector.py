"""n6 events in, from a file or the REST API, and out, into a file: see README.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import msgspec

from connectors.n6.mapping import Reading, read
from connectors.n6.writing import write
from connectors.sdk.event_file import EventFile, merge
from connectors.sdk.event_input import events, fetch, new_lines, read_secret
from connectors.sdk.exchange import Delivered, Incoming, Outgoing, Tools
from connectors.sdk.kind import ConnectorError, Kind, Settings
from connectors.sdk.report import Report
from hub.domain import limits
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import ConfigError

SETTLED_US: Final = 60 * 1_000_000
"""How far behind the clock a query ends: what n6 writes now is in the next one, and no event falls between two."""
_HOUR_US: Final = 3600 * 1_000_000


class N6Settings(Settings, frozen=True, kw_only=True):
    """Where events come from, or go to.

    :param file: in: JSON lines or an array of events, as the REST or the Stream API gives them. out: to be written.
    :param api: in: address of the REST API, such as ``https://n6api.cert.pl/``, with ``token_file`` and ``resource``.
    :param first_days: how far back the first run looks. :param oldest_days: events that happened earlier are not asked
        for; n6 wants a bound. :param window_hours: of one query; halved where the answer is too long.
    :param query: further conditions, such as ``{ category = "cnc,malurl" }``.
    :param observations: False brings only indicators of what is a threat.
    :param source: out: provider and channel of what does not come from n6.
    :param unmarked: out: level of objects without a TLP marking.
    """

    file: str | None = None
    api: Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]{1,500}/$")] | None = None
    resource: Literal["report/inside", "report/threats", "search/events"] = "report/threats"
    token_file: str | None = None
    first_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 7
    oldest_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 90
    window_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 24
    query: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9.]{1,30}$")], str] = msgspec.field(default_factory=dict)
    observations: bool = True
    source: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}$")] = "cybex.hub"
    unmarked: Literal["clear", "green", "amber", "amber+strict", "red"] = "amber"

    def __post_init__(self) -> None:
        """Refuse what would be two sources, or none."""
        if (self.file is None) == (self.api is None):
            raise ValueError("give either file or api")
        if self.api is not None and self.token_file is None:
            raise ValueError("token_file is missing: the n6 REST API wants an API key")


class N6Source:
    """The direction n6 -> hub."""

    def __init__(self, settings: N6Settings, tools: Tools) -> None:
        """Raises ConfigError."""
        self._settings, self._tools = settings, tools
        self._token = (
            "" if settings.token_file is None else read_secret(tools.path(settings.token_file), "settings.token_file")
        )

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield what is new in the file, or what the API says was modified since. Raises ConnectorError."""
        if self._settings.file is not None:
            piece = new_lines(self._tools.path(self._settings.file), bookmark)
            if piece is not None:
                yield from self._incoming(piece.data, bookmark or "", piece.bookmark)
            return
        yield from self._windows(bookmark)

    def _windows(self, bookmark: str | None) -> Iterator[Incoming]:
        now = self._tools.clock()
        start = now - self._settings.first_days * 24 * _HOUR_US
        if bookmark:
            try:
                start = parse_timestamp(bookmark)
            except ValueError:
                raise ConnectorError("the bookmark is no time; reset this connector") from None
        width = self._settings.window_hours * _HOUR_US
        while start < now - SETTLED_US:
            end = min(start + width, now - SETTLED_US)
            try:
                data = self._ask(start, end)
            except ConnectorError as error:
                if "longer than" not in error.detail or width <= _HOUR_US // 60:
                    raise
                width //= 2
                self._tools.progress("the answer was too long: asking for half the time")
                continue
            yield from self._incoming(data, format_timestamp(start), format_timestamp(end))
            start = end

    def _ask(self, start: int, end: int) -> bytes:
        settings = self._settings
        oldest = start - settings.oldest_days * 24 * _HOUR_US
        query = {
            **settings.query,
            "time.min": _stamp(oldest),
            "modified.min": _stamp(start),
            "modified.until": _stamp(end),
        }
        url = f"{settings.api}{settings.resource}.sjson?{urlencode(query)}"
        return fetch(self._tools.session(str(settings.api)), url, {"Authorization": f"Bearer {self._token}"})

    def _incoming(self, data: bytes, before: str, after: str) -> Iterator[Incoming]:
        report = Report()
        found: Reading = read(
            events(data, report), self._tools.identity, report, observations=self._settings.observations
        )
        size = limits.FEED_BATCH_OBJECTS
        for start in range(0, len(found.objects), size):
            yield Incoming(found.objects[start : start + size], Report(), before)
        yield Incoming((), report, after, found.withdrawn)


class N6Target:
    """The direction hub -> file of n6 events."""

    def __init__(self, settings: N6Settings, tools: Tools) -> None:
        """Raises ConfigError."""
        if settings.file is None:
            raise ConfigError("file is missing: n6 takes no events over its API", field="settings.file")
        self._settings = settings
        self._file = EventFile(tools.path(settings.file), tools)

    def deliver(self, batch: Outgoing) -> Delivered:
        """Write the file with what a batch brings and takes away. Raises ConnectorError."""
        known, report = self._file.load(), Report()
        made = write(batch.objects, source=self._settings.source, unmarked=self._settings.unmarked, report=report)
        refused = merge(known, made, batch, report)
        self._file.save(known)
        return Delivered(sum(isinstance(one, list) for one in made.values()), report, refused)


def _stamp(us: int) -> str:
    return format_timestamp(us)[:19] + "Z"


KIND: Final = Kind(
    name="n6",
    summary="events of CERT Polska's n6: in from a file or its REST API, out into a file",
    settings=N6Settings,
    source=N6Source,
    target=N6Target,
)
