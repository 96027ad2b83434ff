"""The report of what was delivered to MISP, property by property: what can be found in the event was kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connectors.misp.mapping.bundles import is_cluster
from connectors.misp.mapping.restraint import Restraint
from connectors.misp.mapping.shape import named
from connectors.sdk.exchange import StixObject
from connectors.sdk.report import Report
from hub.domain.stix import is_sco

_FRAME: Final = frozenset({"type", "id", "spec_version", "object_refs", "extensions"})
_NAMED: Final = {
    "created_by_ref": "Event.Orgc",
    "object_marking_refs": "Tag, distribution",
    "modified": "timestamp",
    "pattern": "Attribute.value, to_ids",
    "labels": "Tag",
}
_DROPPED: Final = {
    "signatures": "the signature is over the STIX object and cannot be checked in MISP",
    "created": "MISP keeps one time",
    "granular_markings": "they count for the whole object",
}
_AROUND: Final = frozenset({"identity", "marking-definition", "extension-definition", "language-content"})


def account(
    container: StixObject | None,
    members: Sequence[StixObject],
    event: Mapping[str, Any],
    allowed: Mapping[str, Restraint],
    report: Report,
) -> None:
    """Add a line for every property of every object."""
    places = _places(event)
    if container is not None:
        _properties(container, places.get("", set()), report)
    for one in members:
        if one["type"] in _AROUND:
            continue
        if is_cluster(one):
            report.merged(f"({one['type']})", "Event.Tag", "made of a galaxy cluster, which the tag names")
            continue
        if is_sco(one):
            if one["id"][-36:] in places:
                report.kept(f"({one['type']})", "Attribute or Object")
            else:
                report.merged(f"({one['type']})", "Attribute", "with the object that refers to it")
            continue
        place = _place(one, places)
        if one["type"] == "relationship":
            _relationship(one, places, report)
        elif place is None and not _tagged(one, places):
            report.dropped(f"({one['type']})", "MISP has no place for it, or misp-stix none")
        else:
            report.kept(f"({one['type']})", "Attribute or Object" if place is not None else "Tag")
            _properties(one, (place or set()) | places[""], report)
    guessed = sum(1 for restraint in allowed.values() if restraint.guessed)
    if guessed:
        report.guessed("object_marking_refs", "Tag.tlp", "no TLP marking; the configured default", guessed)


def without_place(members: Iterable[StixObject], event: Mapping[str, Any]) -> list[str]:
    """Return the ids of objects that say something of their own and left nothing in the event."""
    places = _places(event)
    return [
        one["id"]
        for one in members
        if one["type"] not in _AROUND
        and one["type"] not in ("relationship", "sighting", "note", "opinion")
        and not is_sco(one)
        and not is_cluster(one)
        and _place(one, places) is None
        and not _tagged(one, places)
    ]


def _properties(one: StixObject, texts: set[str], report: Report) -> None:
    for name, value in one.items():
        if name in _FRAME or name.startswith("x_misp_"):
            continue
        line = f"{one['type']}.{named(name)}"
        if name in _NAMED:
            report.kept(line, _NAMED[name])
        elif name in _DROPPED:
            report.dropped(line, _DROPPED[name])
        elif any(_found(text, texts) for text in _texts(value)):
            report.kept(line, "Attribute, Tag or comment")
        else:
            report.dropped(line, "MISP has no place for it, or misp-stix none")


def _relationship(one: StixObject, places: Mapping[str, set[str]], report: Report) -> None:
    ends = {one["source_ref"][-36:], one["target_ref"][-36:]}
    if any(f"{place} -> {other}" in places[""] for place in ends for other in ends):
        report.kept("(relationship)", "ObjectReference")
    elif len(ends) == 1:
        report.merged("(relationship)", "Attribute", "indicator and observation are one attribute")
    else:
        report.dropped("(relationship)", "in MISP only objects refer to something, and tags to nothing")


def _places(event: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the texts of each attribute, object and note by uuid; of the event itself under the empty name."""
    places: dict[str, set[str]] = {"": set()}
    for name, value in event.items():
        if name not in ("Attribute", "Object"):
            places[""].update(_texts(value))
    for kind in ("Attribute", "Object", "EventReport", "Note", "Opinion"):
        for one in event.get(kind, []):
            places.setdefault(one["uuid"], set()).update(_texts(one))
            for inner in ("Note", "Opinion", "Sighting"):
                for note in one.get(inner, []):
                    places.setdefault(str(note.get("uuid")), set()).update(_texts(note))
            for reference in one.get("ObjectReference", []):
                places[""].add(f"{reference['object_uuid']} -> {reference['referenced_uuid']}")
            for attribute in one.get("Attribute", []):
                places[""].update(tag["name"] for tag in attribute.get("Tag", []))
    for attribute in event.get("Attribute", []):
        places[""].update(tag["name"] for tag in attribute.get("Tag", []))
    return places


def _place(one: StixObject, places: Mapping[str, set[str]]) -> set[str] | None:
    """Return the texts of what an object became: of its observables where those took its place."""
    own = places.get(one["id"][-36:])
    if own is not None or one["type"] != "observed-data":
        return own
    found = [places[ref[-36:]] for ref in one.get("object_refs", []) if ref[-36:] in places]
    return {text for texts in found for text in texts} if found else None


def _tagged(one: StixObject, places: Mapping[str, set[str]]) -> bool:
    name = one.get("name")
    return isinstance(name, str) and any(
        f'"{name}"' in text or f'"{name} - ' in text for text in places[""] if "=" in text
    )


def _texts(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {text for inner in value.values() for text in _texts(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in _texts(inner)}
    return set() if value is None or isinstance(value, bool) else {str(value)}


def _found(text: str, texts: set[str]) -> bool:
    return text in texts or (len(text) > 3 and any(text in other for other in texts))
