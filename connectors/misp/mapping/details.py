"""What misp-stix has no place for and a MISP on the other side wants back: custom properties ``x_misp_…``.

``x_misp_attribute_details`` of what an Object became lists its attributes: uuid, flags and comment, each found again by
its relation and the hash of its value, so that nothing is said twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.misp.mapping.cleaning import Cleaned
from connectors.misp.mapping.shape import is_set, records
from hub.domain.stix import is_sco

GALAXY: Final = "misp-galaxy"
"""``source_name`` of the external reference that says which cluster an object was made of."""

ATTRIBUTES: Final = "x_misp_attribute_details"
EVENT_FIELDS: Final = {
    "date": "x_misp_date",
    "threat_level_id": "x_misp_threat_level_id",
    "analysis": "x_misp_analysis",
    "extends_uuid": "x_misp_extends_uuid",
}
ATTRIBUTE_FIELDS: Final = {
    "comment": "x_misp_comment",
    "timestamp": "x_misp_timestamp",
    "first_seen": "x_misp_first_seen",
    "last_seen": "x_misp_last_seen",
}
_OF_OBJECTS: Final = (
    "uuid", "object_relation", "type", "category", "to_ids", "comment", "timestamp", "first_seen", "last_seen"
)  # fmt: skip
TAGS: Final = "tags"
TO_IDS: Final = "x_misp_to_ids"
"""Where the STIX type does not say it: a rule that is not to be matched, a vulnerability that is."""

PROPERTIES: Final = frozenset({ATTRIBUTES, TO_IDS, *EVENT_FIELDS.values(), *ATTRIBUTE_FIELDS.values()})


def add(event: Mapping[str, Any], clean: Cleaned, objects: Iterable[dict[str, Any]]) -> None:
    """Add the tags, and what has no other place, to the objects made of each thing; observables stay as they are."""
    things = _things(clean)
    for one in objects:
        if is_sco(one) or one["type"] in ("identity", "marking-definition", "relationship"):
            continue
        name = one["id"][-36:]
        if one["type"] in ("report", "grouping"):
            for source, target in EVENT_FIELDS.items():
                if is_set(event.get(source)):
                    one[target] = str(event[source])
            one["labels"] = list(dict.fromkeys([*one.get("labels", []), *clean.labels.get(name, ())]))
        elif name in things:
            _add_to(one, things[name], clean.labels.get(name, ()), clean.labels)


def _things(clean: Cleaned) -> dict[str, Mapping[str, Any]]:
    return {one["uuid"]: one for kind in ("Attribute", "Object") for one in clean.event[kind]}


def _add_to(
    one: dict[str, Any], thing: Mapping[str, Any], labels: tuple[str, ...], inner: Mapping[str, tuple[str, ...]]
) -> None:
    if labels:
        one["labels"] = list(dict.fromkeys([*one.get("labels", []), *labels]))
    for source, target in ATTRIBUTE_FIELDS.items():
        if is_set(thing.get(source)):
            one[target] = str(thing[source])
    if "to_ids" in thing and one["type"] != "observed-data":
        if one["type"] == "indicator" and one.get("pattern_type") == thing.get("type"):
            # misp-stix puts a rule in brackets, as if it were a STIX pattern; no reader of YARA or Sigma takes that.
            one["pattern"] = thing["value"]
        if _flag(thing["to_ids"]) != (one["type"] == "indicator"):
            one[TO_IDS] = _flag(thing["to_ids"])
    inside = records(thing, "Attribute")
    if inside:
        one[ATTRIBUTES] = [_detail(attribute, inner.get(attribute["uuid"], ())) for attribute in inside]


def _detail(attribute: Mapping[str, Any], tags: tuple[str, ...]) -> dict[str, Any]:
    found = {name: attribute[name] for name in _OF_OBJECTS if is_set(attribute.get(name)) or name == "to_ids"}
    found["to_ids"] = _flag(attribute.get("to_ids"))
    found["value"] = digest(attribute["value"])
    if tags:
        found[TAGS] = list(tags)
    return found


def _flag(value: Any) -> bool:
    return value in (True, 1, "1")


def digest(value: Any) -> str:
    """Return what a value is found again by."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:16]


def restore_attribute(attribute: dict[str, Any], source: Mapping[str, Any]) -> None:
    """Give an attribute back what `add` kept of it."""
    if isinstance(source.get(TO_IDS), bool):
        attribute["to_ids"] = source[TO_IDS]
    for name, kept in ATTRIBUTE_FIELDS.items():
        value = source.get(kept)
        if isinstance(value, str):
            attribute[name] = value
        else:
            attribute.pop(name, None)


def restore_object(thing: dict[str, Any], source: Mapping[str, Any]) -> bool:
    """Give an object's attributes back their uuids, flags and comments; return whether each was found again."""
    waiting: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    listed = source.get(ATTRIBUTES)
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, Mapping):
            waiting.setdefault((str(one.get("object_relation")), str(one.get("value"))), []).append(one)
    restore_attribute(thing, source)
    complete = True
    for attribute in thing.get("Attribute", []):
        found = waiting.get((str(attribute.get("object_relation")), digest(attribute.get("value"))))
        if not found:
            complete = False
            continue
        detail = found.pop(0)
        for name in ATTRIBUTE_FIELDS:
            attribute.pop(name, None)
        attribute |= {name: detail[name] for name in (*_OF_OBJECTS, TAGS) if name in detail}
    return complete and not any(waiting.values())
