"""What every part of the way from IODEF to STIX shares: ids, times, markings, and the account of what was used."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.iodef.mapping import limits
from connectors.iodef.mapping.restriction import level_of, marking_refs, within
from connectors.iodef.mapping.values import has_zone, instant, plain, stix_time
from connectors.sdk.report import Report
from hub.domain.canonical import jcs
from hub.domain.sco_id import deterministic_id
from hub.domain.tlp import Level

_NAMESPACE: Final = uuid.UUID("6c7b9e3a-5f44-5d0e-9f0b-2f6f1b0f7f3e")
"""UUIDv5 namespace of STIX objects made of IODEF classes; never that of cyber-observables."""

LABEL: Final = "iodef:"
"""Labels of ours start so: ``iodef:purpose=watch``."""


def stix_id(kind: str, identity: str, *parts: Any) -> str:
    """Return the id of an object: the same source and the same connector give the same id."""
    return f"{kind}--{uuid.uuid5(_NAMESPACE, jcs([kind, identity, *parts]).decode())}"


@dataclass(slots=True)
class Making:
    """The objects made of one incident so far.

    :param key: identifies the incident: the name of the CSIRT and the number it gave.
    :param created: and ``modified`` are those of every object, as STIX writes them. :param level: of the incident.
    :param agreed: what the restriction ``default`` stands for.
    """

    identity: str
    key: tuple[str, str]
    created: str
    modified: str
    level: Level
    agreed: Level
    report: Report
    recipients: Mapping[str, Any] | None = None
    """The marking-definition that names who may have what is RED."""
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    observables: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    """What carries an ``observable-id``: its class and itself."""
    observable_levels: dict[str, Level] = field(default_factory=dict)
    """The strictest level of the part of the incident in which each of those stands."""
    judged: set[int] = field(default_factory=set)
    """The parts whose restriction the report has spoken of, by their identity in memory."""
    used: Counter[str] = field(default_factory=Counter)
    """How often a member at a class path arrived with its meaning."""

    @property
    def incident_id(self) -> str:
        """The id of the incident object."""
        return stix_id("incident", self.identity, *self.key)

    def level_of(self, value: Mapping[str, Any], outer: Level, place: str) -> Level:
        """Return the level of a class that stands inside another; the report says it once."""
        if id(value) in self.judged:
            return within(value, outer, self.agreed, place, Report())
        self.judged.add(id(value))
        level = within(value, outer, self.agreed, place, self.report)
        if "restriction" in value and level == level_of(value, self.agreed, place):
            self.kept(f"{place}/@restriction", "object_marking_refs")
        return level

    def add(self, kind: str, parts: list[Any], level: Level, **properties: Any) -> dict[str, Any]:
        """Add a domain object or relationship and return it; empty properties are left out.

        :param parts: what tells it from others of its type in this incident.
        """
        obj: dict[str, Any] = {
            "type": kind,
            "spec_version": "2.1",
            "id": stix_id(kind, self.identity, *self.key, *parts),
            "created_by_ref": self.identity,
            "created": self.created,
            "modified": self.modified,
            "object_marking_refs": self._marked(level),
            **{name: value for name, value in properties.items() if value not in (None, "", [], {})},
        }
        self.objects[obj["id"]] = obj
        return obj

    def relate(self, source: str, kind: str, target: str, level: Level, description: str | None = None) -> None:
        """Add a relationship between two objects."""
        self.add(
            "relationship",
            [source, kind, target, description],
            level,
            relationship_type=kind,
            source_ref=source,
            target_ref=target,
            description=description,
        )

    def observe(self, obj: dict[str, Any], level: Level) -> str:
        """Add a cyber-observable, and return the id that everybody gives it."""
        body = {**obj, "spec_version": "2.1"}
        name = deterministic_id(body) or stix_id(obj["type"], self.identity, obj)
        self.objects.setdefault(name, {**body, "id": name, "object_marking_refs": self._marked(level)})
        return name

    def _marked(self, level: Level) -> list[str]:
        """Return the markings of a level; what is RED names its recipients too, where the configuration does."""
        refs = marking_refs(level)
        if level != "red" or self.recipients is None:
            return refs
        marking = str(self.recipients["id"])
        if marking not in self.objects:
            self.report.guessed("@restriction", "recipient_refs", "IODEF names no recipients: those of the settings")
        self.objects.setdefault(marking, dict(self.recipients))
        return [*refs, marking]

    def time(self, value: Mapping[str, Any], name: str, place: str, became: str) -> str | None:
        """Return a time of a class as STIX writes it, and note where it went."""
        text = value.get(name)
        moment = instant(text) if isinstance(text, str) else None
        if moment is None or not isinstance(text, str):
            return None
        if not has_zone(text):
            self.report.guessed(f"{place}/{name}", became, "a time without a zone is taken as UTC")
        self.kept(f"{place}/{name}", became)
        return stix_time(moment)

    def first_text(self, value: Mapping[str, Any], name: str, place: str, became: str) -> str | None:
        """Return the first of some texts; the others stay in the extension."""
        texts = value.get(name)
        if not texts:
            return None
        words = plain(texts[0])
        if len(words) > limits.TEXT:
            return None
        self.kept(f"{place}/{name}", became)
        return words

    def kept(self, place: str, became: str) -> None:
        """Note that a member arrived with its meaning."""
        self.used[place] += 1
        self.report.kept(place, became)
