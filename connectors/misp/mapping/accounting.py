"""The report of an event field by field: every field that says something is counted once, with what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.misp.mapping.cleaning import Cleaned
from connectors.misp.mapping.shape import is_set, named, records
from connectors.sdk.report import Report

_SERVER: Final = "a number of that server only"
_AUDIENCE: Final = "with those of what it belongs to: who may see it"
_EVENT: Final[Mapping[str, tuple[str, str]]] = {
    "uuid": ("kept", "id"),
    "info": ("kept", "name"),
    "timestamp": ("kept", "modified"),
    "publish_timestamp": ("kept", "report.published"),
    "published": ("kept", "report or grouping"),
    "date": ("kept", "x_misp_date"),
    "threat_level_id": ("kept", "x_misp_threat_level_id"),
    "analysis": ("kept", "x_misp_analysis"),
    "extends_uuid": ("kept", "x_misp_extends_uuid"),
    "Orgc": ("kept", "created_by_ref"),
    "distribution": ("merged", _AUDIENCE),
    "sharing_group_id": ("dropped", _SERVER),
    "SharingGroup": ("merged", _AUDIENCE),
    "id": ("dropped", _SERVER),
    "org_id": ("dropped", _SERVER),
    "orgc_id": ("dropped", _SERVER),
    "Org": ("dropped", "who keeps the event on that server is not its author"),
    "attribute_count": ("dropped", "it can be counted"),
    "event_creator_email": ("dropped", "a person's address is not passed on"),
    "user_id": ("dropped", _SERVER),
    "locked": ("dropped", "a state of that server only"),
    "proposal_email_lock": ("dropped", "a state of that server only"),
    "disable_correlation": ("dropped", "a state of that server only"),
    "sighting_timestamp": ("dropped", "the sightings say their time"),
    "RelatedEvent": ("dropped", "that server's own correlation"),
    "Feed": ("dropped", "that server's own correlation"),
    "Server": ("dropped", "that server's own correlation"),
    "CryptographicKey": ("dropped", "it signs the event, not what is made of it"),
    "protected": ("dropped", "it protects the event, not what is made of it"),
}
_ATTRIBUTE: Final[Mapping[str, tuple[str, str]]] = {
    "uuid": ("kept", "id"),
    "type": ("kept", "labels"),
    "category": ("kept", "labels"),
    "comment": ("kept", "x_misp_comment"),
    "timestamp": ("kept", "x_misp_timestamp"),
    "first_seen": ("kept", "first_observed, valid_from"),
    "last_seen": ("kept", "last_observed, valid_until"),
    "data": ("kept", "artifact.payload_bin"),
    "object_relation": ("kept", "the property of the observable"),
    "distribution": ("merged", _AUDIENCE),
    "SharingGroup": ("merged", _AUDIENCE),
    "id": ("dropped", _SERVER),
    "event_id": ("dropped", _SERVER),
    "object_id": ("dropped", _SERVER),
    "sharing_group_id": ("dropped", _SERVER),
    "disable_correlation": ("dropped", "a setting of that server's correlation"),
}
_OBJECT: Final[Mapping[str, tuple[str, str]]] = {
    **{name: _ATTRIBUTE[name] for name in ("uuid", "comment", "timestamp", "first_seen", "last_seen")},
    **{name: _ATTRIBUTE[name] for name in ("distribution", "SharingGroup", "id", "event_id", "sharing_group_id")},
    "name": ("kept", "labels"),
    "meta-category": ("kept", "labels"),
    "ObjectReference": ("kept", "relationship"),
    "description": ("dropped", "the text of the template, the same for every such object"),
    "template_uuid": ("dropped", "the name says which template"),
    "template_version": ("dropped", "the name says which template"),
}
_ELSEWHERE: Final = frozenset(
    {"Tag", "Galaxy", "Sighting", "ShadowAttribute", "EventReport", "Note", "Opinion", "Attribute", "Object", "deleted",
     "type", "value", "to_ids", "EventTag", "AttributeTag"}
)  # fmt: skip


def account(event: Mapping[str, Any], clean: Cleaned, objects: Sequence[Mapping[str, Any]], report: Report) -> None:
    """Add a line for every field of what was converted; what `cleaning` left out is in there already."""
    made: dict[str, list[str]] = {}
    for one in objects:
        made.setdefault(one["id"][-36:], []).append(one["type"])
    _fields(event, "Event", _EVENT, report)
    if "Attribute" in event or "Object" in event:
        sent = {one["uuid"]: one for one in (*clean.event["Attribute"], *clean.event["Object"])}
        for attribute in records(event, "Attribute"):
            if attribute["uuid"] in sent:
                _attribute(attribute, made.get(attribute["uuid"], []), report)
        for thing in records(event, "Object"):
            if thing["uuid"] in sent:
                _object(thing, sent[thing["uuid"]], made.get(thing["uuid"], []), report)


def _fields(thing: Mapping[str, Any], where: str, table: Mapping[str, tuple[str, str]], report: Report) -> None:
    for name, value in thing.items():
        if name in _ELSEWHERE or not is_set(value):
            continue
        fate, text = table.get(name, ("dropped", "STIX has no place for it"))
        line = f"{where}.{named(name)}"
        if fate == "kept":
            report.kept(line, text)
        elif fate == "merged":
            report.merged(line, "object_marking_refs", text)
        else:
            report.dropped(line, text)


def _attribute(attribute: Mapping[str, Any], made: Sequence[str], report: Report) -> None:
    where = f"Attribute.{named(attribute['type'])}"
    if not made:
        report.dropped(where, "misp-stix could not convert it")
        return
    report.kept(f"{where}.value", " and ".join(sorted(set(made))))
    report.kept(f"{where}.to_ids", "indicator or none")
    _fields(attribute, "Attribute", _ATTRIBUTE, report)


def _object(thing: Mapping[str, Any], sent: Mapping[str, Any], made: Sequence[str], report: Report) -> None:
    where = f"Object.{named(thing.get('name'))}"
    if not made:
        report.dropped(where, "misp-stix could not convert it")
        return
    report.kept(where, " and ".join(sorted(set(made))))
    _fields(thing, "Object", _OBJECT, report)
    kept = {one["uuid"] for one in sent["Attribute"]}
    for attribute in records(thing, "Attribute"):
        if attribute["uuid"] in kept:
            line = f"{where}.Attribute.{named(attribute['type'])}"
            report.kept(f"{line}.value", " and ".join(sorted(set(made))))
            report.kept(f"{line}.to_ids", "x_misp_attribute_details")
            _fields(attribute, "Object.Attribute", _ATTRIBUTE, report)
