"""What passes between a connector and the runner: STIX objects one way or the other, and what was withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import requests

from connectors.sdk.report import Report

StixObject = Mapping[str, Any]
"""A STIX 2.1 object as JSON values."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a mapping made of one document, or of several."""

    objects: Sequence[StixObject]
    report: Report


@dataclass(frozen=True, slots=True)
class Incoming:
    """A batch on its way from the system to the hub.

    :param objects: what to publish. Objects whose ``created_by_ref`` is the connector's identity are signed inline by
        the runner; those of others are sent untouched and vouched for by a detached signature of the connector's key.
    :param withdrawn: STIX ids that the system no longer stands for; the runner retracts what it published of them.
    :param bookmark: where to go on after this batch; it is kept only once the hub has answered for all of it.
    """

    objects: Sequence[StixObject]
    report: Report
    bookmark: str
    withdrawn: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A batch on its way from the hub to the system, in the order in which the hub dated it.

    :param objects: what the connector's credential may read, byte for byte as parsed; retraction notes among them.
    :param withdrawn: the STIX ids that retractions in this batch withdraw, and objects that say ``revoked``.
    """

    objects: Sequence[StixObject]
    withdrawn: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """An object the system did not take; it is not tried again until it changes.

    :param reason: in words, without content.
    """

    stix_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the system did with a batch. Raising instead leaves the whole batch to be tried again."""

    taken: int
    report: Report
    refused: Sequence[Refused] = ()


class Source(Protocol):
    """A system that gives."""

    def batches(self, bookmark: str | None) -> Iterator[Incoming]:
        """Yield what is new since the bookmark, in order; ends when there is no more for now.

        Yielding the same objects again must be harmless: ids are the same for the same content.

        :raises ConnectorError: the system cannot be read; the text says what to do. The bookmark stays.
        """
        ...


class Target(Protocol):
    """A system that takes."""

    def deliver(self, batch: Outgoing) -> Delivered:
        """Hand a batch over; what is handed over twice must be there once.

        :raises ConnectorError: nothing, or an unknown part, arrived: the batch will be delivered again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the runner lends a connector: everything that touches the world goes through here.

    :param identity: the STIX identity id of the peer in whose name the connector publishes.
    :param clock: microseconds since the epoch, UTC.
    :param session: returns a `requests.Session` hardened for this base address: timeouts, retries that honour
        Retry-After, bounded answers, no redirects, and no private addresses unless the configuration allows them.
    :param folder: the connector's own folder for state, mode 0700.
    :param base: relative paths of the configuration start here.
    :param progress: is told, in words, how far it is.
    """

    identity: str
    clock: Callable[[], int]
    session: Callable[[str], requests.Session]
    folder: Path
    base: Path
    progress: Callable[[str], None] = field(default=lambda _: None)

    def path(self, text: str) -> Path:
        """Return the path that a setting names."""
        return self.base / Path(text).expanduser()
