"""A MISP event as STIX 2.1 objects: misp-stix makes them, this says whose, which version and for whom they are.

- ``modified`` of every object is the event's timestamp. What an object inherits from its event (markings, audience)
  changes without a new timestamp of the attribute, and one version must have one content.
- ``created`` is the event's date, since MISP keeps no time of creation and the timestamp of an attribute moves.
- Observables get the ids of STIX 2.1 §2.9, so that the same value has the same id whoever sends it.
- Objects made of galaxy clusters get ids of this event: their own are those of MITRE and others, who wrote them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.misp.mapping import accounting, details, markings, notices, observables
from connectors.misp.mapping.audience import Rules, Withheld
from connectors.misp.mapping.cleaning import Cleaned, Mark, cleaned, combined
from connectors.misp.mapping.shape import MalformedEvent, day, seconds, timestamp, unwrapped
from connectors.sdk.exchange import Conversion
from connectors.sdk.report import Report
from hub.domain.canonical import parse
from hub.domain.stix import is_sco

NAMESPACE: Final = uuid.UUID("6f0e5a3c-52b5-4f0c-9a40-6f7a0f6d3e11")
"""Under which this mapping makes ids of its own."""

FIXED: Final = "2000-01-01T00:00:00.000Z"
"""Version of what has none in MISP: an organisation has a uuid and a name and no time, and is in every event."""

MARKER: Final = 'misp:tool="MISP-STIX-Converter"'
_PROPERTIES: Final = frozenset({"id", "type", "spec_version"})


def event_to_stix(document: Any, rules: Rules) -> Conversion:
    """Return the objects of an event and what became of each field.

    Nothing is returned, and the report says why, when the event may not leave. Raises MalformedEvent.
    """
    report = Report()
    event = unwrapped(document)
    clean = cleaned(event, rules, report)
    if isinstance(clean, Withheld):
        report.dropped("Event", clean.reason)
        return Conversion((), report)
    made = _converted(clean.event, report)
    objects = _Work(event, clean, rules, report).finished(made)
    accounting.account(event, clean, objects, report)
    return Conversion(objects, report)


def withdrawn_by(event: Mapping[str, Any]) -> list[str]:
    """Return the STIX ids that deleted attributes and objects of an event may have been published under."""
    ids = []
    for kind in ("Attribute", "Object"):
        for thing in event.get(kind) or []:
            if thing.get("deleted") in (True, 1, "1"):
                ids += [f"{stix}--{thing['uuid']}" for stix in (f"x-misp-{kind.lower()}", "indicator", "observed-data")]
    return ids


def _converted(event: Mapping[str, Any], report: Report) -> list[dict[str, Any]]:
    """Return what misp-stix makes of an event, as JSON values."""
    # Two to three seconds, which nobody should wait for who has no MISP.
    from misp_stix_converter import MISPtoSTIX21Parser  # type: ignore[import-untyped] # it has no types

    converter = MISPtoSTIX21Parser()
    try:
        converter.parse_misp_event(dict(event))
        # One serialisation, by the library that owns the objects: what is signed and sent is what is read back here.
        made = parse(converter.bundle.serialize().encode())
    except Exception as error:  # noqa: BLE001 - a library that is given foreign content can fail in any way
        raise MalformedEvent(f"misp-stix cannot convert the event ({type(error).__name__})") from None
    notices.note(converter.warnings, converter.errors, report, "x-misp-attribute, x-misp-object")
    objects: Any = made.get("objects", []) if isinstance(made, dict) else []
    return [one for one in objects if isinstance(one, dict)]


class _Work:
    """The finishing of one event's objects."""

    def __init__(self, event: Mapping[str, Any], clean: Cleaned, rules: Rules, report: Report) -> None:
        self.event, self.clean, self.rules, self.report = event, clean, rules, report
        self.modified = timestamp(seconds(event, "timestamp"))
        self.created = min(timestamp(day(event)), self.modified)
        self.author = rules.organisations.get(event["Orgc"]["uuid"].lower(), f"identity--{event['Orgc']['uuid']}")
        self.renamed: dict[str, str] = {}

    def finished(self, made: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        objects = [one for one in made if one["type"] != "marking-definition"]
        marks = self._marks(objects)
        self._rename(objects)
        objects = [_with_refs(one, self.renamed) for one in objects]
        kept: dict[str, dict[str, Any]] = {}
        for one, mark in zip(objects, marks, strict=True):
            if one["type"] == "identity":
                self._identity(one, kept)
                continue
            if isinstance(mark, Withheld):
                self.report.dropped(f"({one['type']})", mark.reason)
                continue
            one["object_marking_refs"] = markings.refs(mark, self.rules.identity)
            for definition in markings.definitions(mark, self.rules.identity):
                kept.setdefault(definition["id"], definition)
            if "created" in one:
                one |= {"created": self.created, "modified": self.modified, "created_by_ref": self.author}
        observables.settle(objects, self.report)
        for one in objects:
            if one["type"] != "identity" and "object_marking_refs" in one:
                kept.setdefault(one["id"], one)
        details.add(self.event, self.clean, kept.values())
        self.report.guessed("Event.date", "created", "MISP keeps no time of creation; the event's date")
        # What contains comes first: a receiver that reads page by page then knows where the rest belongs.
        return sorted(kept.values(), key=_order)

    def _marks(self, objects: list[dict[str, Any]]) -> list[Mark | Withheld]:
        """Return the handling of each object: that of what it was made of, else of what it refers to or is part of."""
        found: dict[str, Mark | Withheld] = {}
        for one in objects:
            if one["type"] in ("report", "grouping") or one["id"][-36:] in self.clean.clusters:
                found[one["id"]] = self.clean.base
            elif one["id"][-36:] in self.clean.marks and not _is_observable(one):
                found[one["id"]] = self.clean.marks[one["id"][-36:]]
        observed: dict[str, list[Mark]] = {}
        for one in objects:
            mark = found.get(one["id"])
            if one["type"] == "observed-data" and isinstance(mark, Mark):
                for ref in one.get("object_refs", []):
                    observed.setdefault(ref, []).append(mark)
        everything = combined([self.clean.base, *self.clean.marks.values()])
        for one in objects:
            if one["id"] not in found:
                # An observable of an object shows what the object says, also where its own attribute says less.
                parts = observed.get(one["id"]) or [
                    mark for ref in _refs(one) if isinstance(mark := found.get(ref), Mark)
                ]
                found[one["id"]] = combined([self.clean.base, *parts]) if parts else everything
        return [found[one["id"]] for one in objects]

    def _rename(self, objects: Iterable[dict[str, Any]]) -> None:
        for one in objects:
            stix_id, name = one["id"], one["id"][-36:]
            if one["type"] == "identity" and name.lower() in self.rules.organisations:
                self.renamed[stix_id] = self.rules.organisations[name.lower()]
            elif name in self.clean.clusters:
                kind = self.clean.clusters[name]
                self.renamed[stix_id] = f"{one['type']}--{uuid.uuid5(NAMESPACE, self.event['uuid'] + ' ' + stix_id)}"
                one.setdefault("external_references", []).append(
                    {"source_name": details.GALAXY, "description": kind, "external_id": name}
                )

    def _identity(self, one: dict[str, Any], kept: dict[str, dict[str, Any]]) -> None:
        """Send an organisation that is no peer, if everybody in the group may hear of it."""
        if one["id"] in self.renamed.values():
            return  # a peer's own identity is published by that peer
        if self.clean.base.audience.recipients is not None:
            self.report.dropped("Orgc.name", "everybody in the group could read it, and the event is not for everybody")
            return
        one |= {"created": FIXED, "modified": FIXED}
        kept.setdefault(one["id"], one)
        self.report.guessed("Orgc", "identity.created", "an organisation of MISP has no time; a fixed one")


_FIRST: Final = {"marking-definition": 0, "identity": 1, "report": 2, "grouping": 2, "relationship": 4}


def _order(one: Mapping[str, Any]) -> int:
    return _FIRST.get(one["type"], 3)


def _is_observable(one: Mapping[str, Any]) -> bool:
    return is_sco(one) and "created" not in one


def _refs(one: Mapping[str, Any]) -> list[str]:
    """Return what an object refers to, its author and markings aside."""
    refs: list[str] = []
    for name, value in one.items():
        if name in ("created_by_ref", "object_marking_refs"):
            continue
        if name.endswith("_ref") and isinstance(value, str):
            refs.append(value)
        elif name.endswith("_refs") and isinstance(value, list):
            refs += value
    return refs


def _with_refs(value: Any, renamed: Mapping[str, str], name: str = "") -> Any:
    """Return a value with every reference in it to something that has a new id turned to that id."""
    if isinstance(value, dict):
        return {key: _with_refs(inner, renamed, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_refs(inner, renamed, name) for inner in value]
    if isinstance(value, str) and (name == "id" or name.endswith(("_ref", "_refs"))):
        return renamed.get(value, value)
    return value
