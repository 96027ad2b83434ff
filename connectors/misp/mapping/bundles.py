"""The bundle that misp-stix is given: one report and what it contains, without what is handled elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.misp.mapping import details
from connectors.sdk.exchange import StixObject
from hub.domain.canonical import parse

FROM_MISP: Final = 'misp:tool="MISP-STIX-Converter"'
"""The label by which misp-stix knows its own work."""

_HANDLED: Final = frozenset(
    {"object_marking_refs", "granular_markings", "signatures", "extensions", *details.PROPERTIES}
)
_KEPT_EXTENSIONS: Final = frozenset({"file", "network-traffic", "process", "user-account", "windows-registry-key"})
_UNKNOWN: Final = frozenset({"incident", "event", "task", "impact", "language-content", "infrastructure"})
"""Types misp-stix cannot load; some would end the conversion of all others."""


Made = tuple[dict[str, Any], Mapping[str, Any], Mapping[str, Any]]
"""An event, and what misp-stix warned of and failed at."""


class Unconvertible(ValueError):
    """misp-stix fails on an object; the text names the kind of failure."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A bundle with one report.

    :param internal: it was made of a MISP event, by misp-stix.
    :param report: as the hub has it, or what stands for it.
    """

    objects: list[dict[str, Any]]
    report: dict[str, Any]
    internal: bool


def prepare(
    container: StixObject | None,
    members: Sequence[StixObject],
    *,
    title: str,
    day: str,
    author: StixObject | None,
) -> Prepared:
    """Return the bundle for an event."""
    internal = container is not None and FROM_MISP in container.get("labels", [])
    objects = [_plain(one) for one in members if one["type"] not in _UNKNOWN and not (internal and is_cluster(one))]
    present = {one["id"] for one in objects}
    objects = [one for one in objects if one["type"] != "relationship" or _both_there(one, present)]
    report = _report(container, objects, title, day, author)
    head = [_plain(author)] if author is not None and author["id"] not in present else []
    return Prepared(
        [*head, {key: value for key, value in report.items() if key not in _HANDLED}, *objects], report, internal
    )


def converted(prepared: Prepared) -> Made:
    """Return the MISP event that misp-stix makes of a bundle, and what it warns of and fails at.

    Raises Unconvertible when it makes none.
    """
    from misp_stix_converter import (  # type: ignore[import-untyped] # it has no types
        ExternalSTIX2toMISPParser,
        InternalSTIX2toMISPParser,
    )
    from misp_stix_converter.tools.stix2_loading_helpers import (  # type: ignore[import-untyped] # it has no types
        load_stix2_content,
    )

    parser = InternalSTIX2toMISPParser() if prepared.internal else ExternalSTIX2toMISPParser()
    name = uuid.uuid5(uuid.NAMESPACE_URL, prepared.report["id"])
    bundle = {"type": "bundle", "id": f"bundle--{name}", "objects": prepared.objects}
    try:
        parser.load_stix_bundle(load_stix2_content(bundle))
        parser.parse_stix_bundle(single_event=True, galaxies_as_tags=True)
        event = parse(parser.misp_event.to_json().encode())
    except Exception as error:  # noqa: BLE001 - a library that is given foreign content can fail in any way
        raise Unconvertible(type(error).__name__) from None
    if not isinstance(event, dict):
        raise Unconvertible("no event")
    return event, parser.warnings, parser.errors


def is_cluster(one: StixObject) -> bool:
    """Say whether an object was made of a galaxy cluster, which is in the labels as a tag already."""
    references = one.get("external_references", [])
    return any(isinstance(ref, Mapping) and ref.get("source_name") == details.GALAXY for ref in references)


def _both_there(relationship: Mapping[str, Any], present: set[str]) -> bool:
    return relationship.get("source_ref") in present and relationship.get("target_ref") in present


def _plain(one: StixObject) -> dict[str, Any]:
    """Return an object without markings, signatures and what `details` brings back: all handled outside misp-stix."""
    plain = {key: value for key, value in one.items() if key not in _HANDLED}
    if one["type"] in _KEPT_EXTENSIONS and isinstance(one.get("extensions"), Mapping):
        standard = {key: value for key, value in one["extensions"].items() if key.endswith("-ext")}
        if standard:
            plain["extensions"] = standard
    return plain


def _report(
    container: StixObject | None, objects: Sequence[StixObject], title: str, day: str, author: StixObject | None
) -> dict[str, Any]:
    """Return a report with all the objects: the container itself where it is one."""
    refs = [one["id"] for one in objects]
    if container is None:
        created = f"{day}T00:00:00.000Z"
        name = uuid.uuid5(uuid.NAMESPACE_URL, title + day)
        made: dict[str, Any] = {"id": f"report--{name}", "created": created, "modified": created, "name": title}
        if author is not None:
            made["created_by_ref"] = author["id"]
    else:
        made = {key: value for key, value in container.items() if key not in ("signatures", "extensions")}
    made |= {"type": "report", "spec_version": "2.1", "id": f"report--{made['id'][-36:]}"}
    made.setdefault("name", title or "Without a name")
    made.setdefault("published", made["created"])
    made.pop("context", None)
    # A report must contain something; of an event without attributes this is its author, or itself.
    made["object_refs"] = refs or [made.get("created_by_ref", made["id"])]
    return made
