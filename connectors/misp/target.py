"""From the hub to MISP: each batch changes the events it touches, on a server or in a feed's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from connectors.misp.grouping import AROUND, SKIPPED, Grouping
from connectors.misp.ledger import Kept, Ledger
from connectors.misp.mapping.bundles import Unconvertible
from connectors.misp.mapping.stix_to_event import Draft, Drawn, OutRules, stix_to_event
from connectors.sdk.exchange import Delivered, Outgoing, Refused
from connectors.sdk.report import Report
from hub.domain.canonical import jcs, sha256_hex


@dataclass(frozen=True, slots=True)
class Taken:
    """What a destination did with an event.

    :param missing: uuids of attributes and objects that were sent and are not there.
    """

    missing: tuple[str, ...] = ()


class Declined(Exception):
    """The destination does not take this event; the text says why, without content. The others are not concerned."""


class Destination(Protocol):
    """Where events go. Whatever is done twice is there once; ConnectorError leaves the batch to be tried again."""

    def deliver(self, event: Mapping[str, Any], kept: Kept, changed: set[str], gone: Mapping[str, bool]) -> Taken:
        """Bring an event to the state given.

        :param kept: what was delivered before. :param changed: uuids of attributes and objects that are new or changed.
        :param gone: uuids that are not in it any more -> whether they are needed in another event.
        :raises Declined: it is not wanted there.
        """
        ...

    def delete(self, uuid: str) -> None:
        """Delete an event that was delivered."""
        ...

    def finish(self) -> None:
        """Make what was delivered visible, where that takes a step of its own."""
        ...


@dataclass(frozen=True, slots=True)
class MispTarget:
    """One server or one feed."""

    destination: Destination
    rules: OutRules
    folder: Path
    progress: Callable[[str], None]

    def deliver(self, batch: Outgoing) -> Delivered:
        """Hand a batch over.

        1. Place every object: its own event, that of what contains it, or a collection event.
        2. Take out what was withdrawn; an event whose report was withdrawn is deleted.
        3. Make the events anew and deliver them, those that lose something first: a uuid is there once.
        4. Note each event once it is there. A crash before that delivers it again, to the same uuids.
        """
        ledger = Ledger(self.folder)
        work = Grouping(ledger, self.rules)
        report, refused = Report(), list[Refused]()
        work.put(batch.objects)
        for place in work.take(batch.withdrawn):
            work.loosen(place)
            self.destination.delete(place)
            ledger.forget(place)
            report.kept("(withdrawn)", "Event deleted")
        refused += [Refused(one, "its event is full") for one in work.full]
        order = sorted(work.touched.values(), key=lambda event: (event.uuid not in work.moved, event.uuid))
        for number, event in enumerate(order, start=1):
            refused += self._event(event, ledger, work.moved.get(event.uuid, set()), report)
            self.progress(f"event {number} of {len(order)}")
        self.destination.finish()
        ledger.save()
        skipped = sum(1 for one in batch.objects if one["type"] in SKIPPED)
        if skipped:
            report.dropped("(signatures and definitions)", "MISP has no place for it", skipped)
        ours = {one["id"] for one in batch.objects}
        refused = [one for one in dict.fromkeys(refused) if one.stix_id in ours]
        return Delivered(len(batch.objects) - len(refused), report, tuple(refused))

    def _event(self, event: Kept, ledger: Ledger, moved: set[str], report: Report) -> list[Refused]:
        try:
            drawn = self._drawn(event, ledger)
        except Unconvertible:
            report.dropped("(event)", "misp-stix cannot convert it")
            return [Refused(one, "misp-stix cannot convert the event it is in") for one in event.members]
        report.add(drawn.report)
        made = {} if drawn.event is None else digests(drawn.event)
        changed = {name for name, digest in made.items() if event.delivered.get(name) != digest}
        gone = {name: bool(moved) for name in event.delivered if name not in made}
        if drawn.event is None and not event.delivered:
            ledger.keep(event)
            return list(drawn.refused)
        if gone:
            report.kept("(withdrawn or moved)", "Attribute or Object deleted", len(gone))
        try:
            taken = self.destination.deliver(drawn.event or emptied(event, self.rules), event, changed, gone)
        except Declined as fault:
            ledger.keep(event)  # what comes in a later batch has to meet its container, and the container's marking
            everything = [*event.members, *([event.container["id"]] if event.container else [])]
            return [*drawn.refused, *(Refused(one, str(fault)) for one in everything)]
        for name in taken.missing:
            made.pop(name, None)
        if taken.missing:
            report.dropped("Attribute", "MISP did not keep it", len(taken.missing))
        event.delivered = made
        ledger.keep(event)
        lost = {one for one in event.members if one[-36:] in taken.missing}
        return [*drawn.refused, *(Refused(one, "MISP did not keep it") for one in sorted(lost))]

    def _drawn(self, event: Kept, ledger: Ledger) -> Drawn:
        if event.container is None and not event.members:
            return Drawn(None, Report())
        author = ledger.around.get(event.author)
        return stix_to_event(
            Draft(
                uuid=event.uuid,
                container=event.container,
                members=[event.members[name] for name in sorted(event.members) if name.split("--")[0] not in AROUND],
                definitions=ledger.around,
                author=author if author is not None and author["type"] == "identity" else None,
                title=event.title,
                day=event.day,
            ),
            self.rules,
        )


def digests(event: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of every attribute and object of an event by uuid, of those inside objects too."""
    found = {}
    for kind in ("Attribute", "Object"):
        for one in event.get(kind, []):
            found[one["uuid"]] = sha256_hex(jcs(one))[:32]
            for inner in one.get("Attribute", []):
                found[inner["uuid"]] = sha256_hex(jcs(inner))[:32]
    return found


def emptied(event: Kept, rules: OutRules) -> dict[str, Any]:
    """Return what is left of an event of which nothing may be there any more: its frame.

    It is not deleted: MISP keeps a list of deleted events and would refuse what comes for it tomorrow.
    """
    return {
        "uuid": event.uuid,
        "info": event.title or "Withdrawn",
        "date": event.day or "2000-01-01",
        "threat_level_id": "4",
        "analysis": "2",
        "distribution": "0",
        "published": False,
        "timestamp": "0",
        "Attribute": [],
        "Object": [],
        "Tag": [{"name": rules.origin_tag}, {"name": "tlp:red"}],
    }
