"""What the alerting connectors share: their subscription as settings, and who has been told of what.

An alert that was sent is noted at once, so that a batch which is handed over again after a fault sends only the rest,
and so that a withdrawal is told to those, and only those, who heard of the object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from connectors.sdk.exchange import Delivered, Outgoing, StixObject, Tools
from connectors.sdk.kind import ConnectorError, Settings
from connectors.sdk.report import Report
from hub.domain import alert, limits, retraction
from hub.domain.alert import Alert
from hub.domain.observable_stix import HASHES
from hub.domain.observable_text import ObservableType, detect
from hub.domain.signature_profile import SIGNATURE_TYPE
from hub.domain.subscription import BadWatch, Subscription, subscription
from hub.errors import ConfigError

Level = Literal["clear", "green", "amber", "amber+strict", "red"]
Ceiling = Literal["clear", "green", "amber", "amber+strict"]
"""RED is for individual recipients, and a channel is none: its content is never sent."""

REMEMBERED: Final = 200_000
"""Alerts that are remembered: a year of 500 a day; about 20 MB on disk, 60 MB while it runs."""
WATCH_FILE_BYTES: Final = 8 * 1024 * 1024
"""Octets of a file of watched values: `limits.WATCHED_VALUES` lines."""

_NOT_TOLD_OF: Final = frozenset({SIGNATURE_TYPE, "marking-definition", "extension-definition", "language-content"})
_FILE: Final = "alerts"


class AlertSettings(Settings, frozen=True):
    """Which objects are told of, and how much is said.

    :param everything: must be true when no other criterion is given.
    :param watch_file: networks, names and hashes, one a line, besides those of the lists.
    :param content_up_to: of objects marked more strictly nothing is said but that there is one.
    :param unmarked: how an object without a TLP marking is handled.
    :param link_prefix: the STIX id is put behind it.
    :param withdrawals: tell those who heard of an object that it was withdrawn.
    """

    everything: bool = False
    types: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    indicator_types: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    min_confidence: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    tlp_at_most: Level | None = None
    networks: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    watch_file: str | None = None
    content_up_to: Ceiling = "amber"
    unmarked: Level = "amber"
    link_prefix: Annotated[str, msgspec.Meta(pattern=r"^(https?://[!-~]{1,500})?$")] = ""
    withdrawals: bool = True


class AlertFeed:
    """Hands alerts to a sender, each once.

    :param send: returns when the alert has arrived, as far as its protocol can know. Raises ConnectorError.
    """

    def __init__(self, settings: AlertSettings, tools: Tools, send: Callable[[Alert], None]) -> None:
        """Raises ConfigError for a subscription that asks for nothing, or for what could never be."""
        self._settings, self._send = settings, send
        self._subscription = wanted(settings, tools)
        self._file = tools.folder / _FILE
        self._told = _read_told(self._file)
        self._definitions: dict[str, StixObject] = {}

    def deliver(self, batch: Outgoing) -> Delivered:
        """Send an alert for each object that is asked for, and for each withdrawal of one that was told of."""
        report = Report()
        sent = 0
        gone = set(batch.withdrawn)
        for obj in batch.objects:  # first of all: what is marked by them may stand before them
            if obj["type"] == "marking-definition":
                self._definitions[obj["id"]] = obj
        for obj in batch.objects:
            if obj["type"] in _NOT_TOLD_OF or retraction.is_retraction(obj) or obj["id"] in gone:
                continue
            sent += self._tell_of(obj, report)
        for stix_id in batch.withdrawn if self._settings.withdrawals else ():
            if (stix_id, "matched") in self._told:
                sent += self._once(alert.withdrawn(stix_id, link_prefix=self._settings.link_prefix), report)
        return Delivered(sent, report)

    def _tell_of(self, obj: StixObject, report: Report) -> int:
        level = alert.level_of(obj, self._definitions, self._settings.unmarked)
        matches = self._subscription.matches(obj, level)
        if matches is None:
            report.dropped(obj["type"], "the subscription does not ask for it")
            return 0
        made = alert.matched(
            obj,
            level,
            matches,
            content_up_to=self._settings.content_up_to,
            link_prefix=self._settings.link_prefix,
        )
        return self._once(made, report)

    def _once(self, made: Alert, report: Report) -> int:
        kind = made.stix_id.partition("--")[0]
        if made.uuid in self._told:
            report.merged(kind, "alert", "it was told of before")
            return 0
        self._send(made)
        self._note(made)
        if made.event == "withdrawn":
            report.kept(kind, "alert of its withdrawal")
        elif made.withheld:
            report.dropped(kind, "its marking is stricter than content_up_to: the alert says only that there is one")
        else:
            report.kept(kind, "alert")
        return 1

    def _note(self, made: Alert) -> None:
        try:
            with self._file.open("a", encoding="ascii") as file:
                file.write(f"{made.uuid} {made.event} {made.stix_id}\n")
        except OSError as error:
            raise ConnectorError(f"{self._file} cannot be written: {error.strerror}") from None
        _remember(self._told, made.uuid, made.event, made.stix_id)


_Told = set[Any]
"""UUIDs of alerts, and (STIX id, event) of each."""


def _remember(told: _Told, uuid: str, event: str, stix_id: str) -> None:
    told.add(uuid)
    if event == "withdrawn":
        told.discard((stix_id, "matched"))
    else:
        told.add((stix_id, event))


def _read_told(file: Path) -> _Told:
    """Return what was told, the last lines of it; a line that was being written when the machine stopped is nothing."""
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise ConnectorError(f"{file} cannot be read: {error.strerror}") from None
    kept = [line for line in lines if line.count(" ") == 2][-REMEMBERED:]
    if len(lines) > 2 * REMEMBERED:
        aside = file.with_name(file.name + ".part")
        aside.write_text("".join(f"{line}\n" for line in kept), encoding="ascii")
        aside.replace(file)
    told: _Told = set()
    for line in kept:
        _remember(told, *line.split(" "))
    return told


def wanted(settings: AlertSettings, tools: Tools) -> Subscription:
    """Return the filter that the settings say. Raises ConfigError."""
    networks, domains, hashes = [*settings.networks], [*settings.domains], [*settings.hashes]
    if settings.watch_file is not None:
        _sort(_lines(tools.path(settings.watch_file)), networks, domains, hashes)
    if len(networks) + len(domains) + len(hashes) + len(settings.keywords) > limits.WATCHED_VALUES:
        raise ConfigError(f"more than {limits.WATCHED_VALUES} values are watched", field="watch_file")
    try:
        return subscription(
            everything=settings.everything,
            types=settings.types,
            labels=settings.labels,
            indicator_types=settings.indicator_types,
            authors=settings.authors,
            min_confidence=settings.min_confidence,
            tlp_at_most=settings.tlp_at_most,
            networks=networks,
            domains=domains,
            hashes=hashes,
            keywords=settings.keywords,
        )
    except BadWatch as error:
        raise ConfigError(str(error), field="settings") from None


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            octets = file.read(WATCH_FILE_BYTES + 1)
        text = octets.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", field="watch_file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", field="watch_file") from None
    if len(octets) > WATCH_FILE_BYTES:
        raise ConfigError(f"{path} is longer than {WATCH_FILE_BYTES} octets", field="watch_file")
    return [line.partition("#")[0].strip() for line in text.splitlines()]


def _sort(lines: Iterable[str], networks: list[str], domains: list[str], hashes: list[str]) -> None:
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        found = detect(line)
        if found is not None and found.type in (ObservableType.IPV4, ObservableType.IPV6):
            networks.append(found.value)
        elif found is not None and found.type is ObservableType.DOMAIN:
            domains.append(found.value)
        elif found is not None and found.type in HASHES:
            hashes.append(found.value)
        else:
            raise ConfigError(f"line {number} is no network, host name or hash", field="watch_file")
