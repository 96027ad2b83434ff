"""Which event each object of a batch goes into."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connectors.misp.ledger import MAX_MEMBERS, Kept, Ledger, newer
from connectors.misp.mapping.stix_to_event import OutRules, event_uuid, levels
from connectors.sdk.exchange import StixObject
from hub.domain import tlp
from hub.domain.retraction import is_retraction
from hub.domain.stix import is_sco

CONTAINERS: Final = frozenset({"report", "grouping", "incident"})
AROUND: Final = frozenset({"identity", "marking-definition"})
SKIPPED: Final = frozenset({"jss-signature", "extension-definition", "language-content"})
_NAMESPACE: Final = uuid.UUID("7a7c8e0b-4a34-4a39-8b5e-5f6a3f0d9c17")
_REFERRING: Final = frozenset({"relationship", "sighting", "note", "opinion"})
_UNDATED: Final = "2000-01-01"


class Grouping:
    """The events a batch touches, with what is in them from now on.

    :param moved: event uuid -> STIX ids that left it for another one.
    """

    def __init__(self, ledger: Ledger, rules: OutRules) -> None:
        self.ledger, self.rules = ledger, rules
        self.touched: dict[str, Kept] = {}
        self.moved: dict[str, set[str]] = {}
        self.full: list[str] = []

    def put(self, objects: Sequence[StixObject]) -> None:
        """Place every object of a batch."""
        loose = []
        for one in objects:
            if one["type"] in AROUND:
                self.ledger.remember(one)
            elif one["type"] in SKIPPED or is_retraction(one) or one.get("revoked") is True:
                continue
            elif one["type"] not in CONTAINERS:
                loose.append(one)
        for one in objects:
            if one["type"] in CONTAINERS and one.get("revoked") is not True:
                self._container(one, loose)
        for one in sorted(loose, key=_turn):  # what refers to something, once that has its place
            if not self._belongs(one) and not self._follows(one):
                self._collect(one)

    def take(self, stix_ids: Iterable[str]) -> list[str]:
        """Take what was withdrawn out of its event; return the events that are to be deleted."""
        deleted = []
        for stix_id in stix_ids:
            self.ledger.around.pop(stix_id, None)
            place = self.ledger.places.get(stix_id)
            if not place:
                continue
            event = self._event(place)
            self.ledger.place(stix_id, "")
            if event.container is not None and event.container["id"] == stix_id:
                deleted.append(place)
            else:
                event.members.pop(stix_id, None)
        return deleted

    def loosen(self, place: str) -> None:
        """Put what a deleted event contained, and was not withdrawn itself, into collection events."""
        event = self.touched.pop(place)
        for name, target in list(self.ledger.expected.items()):
            if target == place:
                self.ledger.place(name, "", expected=True)
        for one in event.members.values():
            self.ledger.place(one["id"], "")
        for one in event.members.values():
            if not self._follows(one):
                self._collect(one)

    def _container(self, one: StixObject, loose: Iterable[StixObject]) -> None:
        place = event_uuid(one["id"])
        event = self._event(place)
        if not newer(one, event.container):
            return
        event.container = dict(one)
        event.author = str(one.get("created_by_ref", ""))
        self.ledger.place(one["id"], place)
        for ref in _contents(one, loose):
            self.ledger.place(ref, place, expected=True)
            before = self.ledger.places.get(ref)
            if before and before != place and (kept := self._event(before)).container is None and ref in kept.members:
                self._add(event, kept.members.pop(ref))
                self.moved.setdefault(before, set()).add(ref)

    def _belongs(self, one: StixObject) -> bool:
        """Put an object where it is already, or where a container has a place for it."""
        place = self.ledger.places.get(one["id"]) or self.ledger.expected.get(one["id"])
        if not place:
            return False
        event = self._event(place)
        if newer(one, event.members.get(one["id"])):
            self._add(event, one)
        return True

    def _follows(self, one: StixObject) -> bool:
        """Put a relationship, sighting, note or opinion with what it is about; an observable with what observed it."""
        for ref in _about(one):
            place = self.ledger.places.get(ref)
            if place:
                self._add(self._event(place), one)
                return True
        return False

    def _collect(self, one: StixObject) -> None:
        level = levels([one], self.ledger.around, self.rules)[one["id"]]
        author = str(one.get("created_by_ref", ""))
        day = str(one.get("created", _UNDATED))[:10]
        label = tlp.label(level) if tlp.is_level(level) else level
        place = str(uuid.uuid5(_NAMESPACE, f"{author} {day} {level}"))
        event = self._event(place)
        who = self.ledger.around.get(author, {}).get("name", "an unnamed author")
        event.title = event.title or f"Indicators of {who}, {day}, {label}"
        event.day, event.author = day, author
        self._add(event, one)

    def _add(self, event: Kept, one: StixObject) -> None:
        if len(event.members) >= MAX_MEMBERS and one["id"] not in event.members:
            self.full.append(one["id"])
            return
        event.members[one["id"]] = dict(one)
        self.ledger.place(one["id"], event.uuid)
        for ref in one.get("object_refs", []) if one["type"] == "observed-data" else []:
            if ref not in self.ledger.expected:
                self.ledger.place(ref, event.uuid, expected=True)

    def _event(self, place: str) -> Kept:
        if place not in self.touched:
            self.touched[place] = self.ledger.event(place)
        return self.touched[place]


def _contents(container: StixObject, batch: Iterable[StixObject]) -> list[str]:
    """Return what a container contains: what it refers to; of an incident, what is related to it as well."""
    refs = [ref for ref in container.get("object_refs", []) if isinstance(ref, str)]
    for one in batch:
        ends = (one.get("source_ref"), one.get("target_ref"))
        if one["type"] == "relationship" and container["id"] in ends:
            refs += [one["id"], *(end for end in ends if isinstance(end, str) and end != container["id"])]
    return [ref for ref in dict.fromkeys(refs) if ref.split("--")[0] not in (*CONTAINERS, *AROUND)]


def _turn(one: StixObject) -> int:
    return 1 if is_sco(one) else 2 if one["type"] in _REFERRING else 0


def _about(one: Mapping[str, Any]) -> list[str]:
    if is_sco(one):
        return []
    named = [one.get(name) for name in ("source_ref", "sighting_of_ref", "target_ref")]
    refs = one.get("object_refs", []) if one["type"] in ("note", "opinion") else []
    return [ref for ref in (*named, *refs) if isinstance(ref, str)]
