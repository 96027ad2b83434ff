"""Octets to incidents, in either form: a document that cannot be read is refused whole, an incident by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.iodef.mapping import from_json, from_xml, limits
from connectors.iodef.mapping.faults import IodefFault
from connectors.iodef.mapping.xml_parsing import Element, parse
from connectors.sdk.report import Report
from hub.domain import canonical
from hub.errors import MalformedJson

_VERSIONS: Final = frozenset({"2.00", "2.0", "2"})
"""RFC 7970 §3.1 wants 2.00, and every example of RFC 8727 says 2.0."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was read of a document.

    :param head: the members of IODEF-Document besides the incidents. :param incidents: as RFC 8727 writes them.
    :param refused: why the others were not read, without content.
    """

    head: dict[str, Any]
    incidents: list[dict[str, Any]]
    report: Report
    refused: list[str] = field(default_factory=list)


def read_document(data: bytes) -> Document:
    """Return the incidents of a document, whichever form it has.

    :raises IodefFault: the document as a whole cannot be read.
    """
    if len(data) > limits.DOCUMENT_BYTES:
        raise IodefFault("", f"it is longer than {limits.DOCUMENT_BYTES} octets; ask for smaller documents")
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    report = Report()
    if start == b"{":
        return _document(*_from_json(data, report), report)
    return _document(*_from_xml(data, report), report)


def _from_xml(data: bytes, report: Report) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    root = parse(data)
    incidents: list[Element] = []
    others: list[Element] = []
    for child in root.children:
        is_incident = child.name == "Incident" and child.namespace == root.namespace
        (incidents if is_incident else others).append(child)
    root.children = others
    head = from_xml.read_class(root, "IODEF-Document", "IODEF-Document", report)
    _few(len(incidents))
    return head, (from_xml.read_class(one, "Incident", "Incident", report) for one in incidents)


def _from_json(data: bytes, report: Report) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    try:
        value = canonical.parse(data.removeprefix(b"\xef\xbb\xbf"), max_depth=limits.DEPTH)
    except MalformedJson as broken:
        raise IodefFault("", f"it is not I-JSON: {broken.detail}") from broken
    incidents = value.pop("Incident", None) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(incidents, list):
        raise IodefFault("", "it is not an IODEF document of RFC 8727: it has no list Incident")
    head = from_json.read_class(value, "IODEF-Document", "IODEF-Document", report)
    _few(len(incidents))
    return head, (
        from_json.read_class(one if isinstance(one, dict) else {}, "Incident", "Incident", report) for one in incidents
    )


def _few(count: int) -> None:
    if count > limits.INCIDENTS:
        raise IodefFault("", f"it has more than {limits.INCIDENTS} incidents; ask for smaller documents")
    if not count:
        raise IodefFault("", "it has no incident")


def _document(head: dict[str, Any], incidents: Iterator[dict[str, Any]], report: Report) -> Document:
    version = head.get("version", "2.00")
    if version not in _VERSIONS:
        raise IodefFault("IODEF-Document/@version", "only version 2.00 is read; ask the sender for it")
    document = Document(head, [], report)
    for number, incident in enumerate(incidents, 1):
        try:
            _must_have(incident)
        except IodefFault as fault:
            document.refused.append(f"incident {number}: {fault}")
            report.dropped(fault.place, f"the incident was refused: {fault.reason}")
        else:
            document.incidents.append(incident)
    return document


def _must_have(incident: dict[str, Any]) -> None:
    """Refuse an incident without what identifies and dates it: RFC 7970 §3.2 requires both."""
    identifier = incident.get("IncidentID", {})
    if not identifier.get("id") or not identifier.get("name"):
        raise IodefFault("Incident/IncidentID", "an identifier and the name of the CSIRT that gave it must be there")
    if not incident.get("GenerationTime"):
        raise IodefFault("Incident/GenerationTime", "a date and time of RFC 3339 must be there")
