"""Whole documents: IODEF octets to STIX objects, and STIX objects to IODEF octets, one document per incident."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from connectors.iodef.mapping import incidents
from connectors.iodef.mapping.faults import IodefFault
from connectors.iodef.mapping.graph import Graph, StixObject
from connectors.iodef.mapping.making import stix_id
from connectors.iodef.mapping.reading import read_document
from connectors.iodef.mapping.recipients import marking_for
from connectors.iodef.mapping.to_iodef import incident_of
from connectors.iodef.mapping.to_json import write_json
from connectors.iodef.mapping.to_xml import write_xml
from connectors.sdk.report import Report
from hub.domain.iodef_extension import IODEF_EXTENSION_ID
from hub.domain.tlp import Level

Form = Literal["xml", "json"]

_FILES: Final = uuid.UUID("f0f5b2e1-2c1f-5b53-8f3a-2f6f0c1f4d11")
"""UUIDv5 namespace of file names."""


@dataclass(frozen=True, slots=True)
class ReadIncident:
    """What one incident became. ``created`` is to be given again when a newer version of it comes."""

    id: str
    created: str
    modified: str
    objects: Sequence[StixObject]


@dataclass(frozen=True, slots=True)
class Read:
    """What a document became. :param refused: why some incidents were left out, without content."""

    incidents: Sequence[ReadIncident]
    report: Report
    refused: Sequence[str] = ()

    @property
    def objects(self) -> list[StixObject]:
        """The objects of all incidents, each once."""
        return list({str(obj["id"]): obj for one in self.incidents for obj in one.objects}.values())


def from_iodef(
    data: bytes,
    *,
    identity: str,
    agreed: Level = "amber",
    first_created: Mapping[str, str] | None = None,
    recipients: Sequence[str] = (),
) -> Read:
    """Return the STIX objects of an IODEF document.

    :param identity: in whose name they are published. :param agreed: what the restriction ``default`` stands for.
    :param first_created: the ``created`` of incidents that came before, by their STIX id: it never changes (STIX 3.6).
    :param recipients: STIX identities that may have what is RED, since the hub takes it for named recipients only.
    :raises IodefFault: the document as a whole cannot be read.
    """
    document = read_document(data)
    report = document.report
    found: dict[str, ReadIncident] = {}
    refused = list(document.refused)
    marking = marking_for(recipients, identity)
    for number, value in enumerate(document.incidents, 1):
        own = Report()
        making = incidents.making_of(value, identity, agreed, first_created or {}, own, marking)
        if making.incident_id in found:
            refused.append(f"incident {number}: Incident/IncidentID: it stands in the document twice")
            report.dropped("Incident", "the incident was refused: its number stands in the document twice")
            continue
        incident = incidents.build(making, document.head, value)
        rebuilt = incident_of(incident, Graph(making.objects.values()), making.key[0], Report(), whole=False)
        incidents.remember(making, incident, value, rebuilt)
        found[incident["id"]] = ReadIncident(
            incident["id"], making.created, making.modified, list(making.objects.values())
        )
        report.add(own)
    return Read(list(found.values()), report, refused)


@dataclass(frozen=True, slots=True)
class Written:
    """One IODEF document. :param incident: the STIX id of its incident. :param file_name: is always the same for it."""

    incident: str
    file_name: str
    data: bytes


def file_name(incident: str, form: Form) -> str:
    """Return the name of the file of an incident; no content of it, so that no name can lead anywhere."""
    return f"{uuid.uuid5(_FILES, incident)}.{form}"


def to_iodef(objects: Iterable[StixObject], *, name: str, form: Form) -> tuple[list[Written], Report]:
    """Return a document for each incident, with what belongs to it.

    :param name: the name of the CSIRT (RFC 7970 §3.4: its domain name), for incidents without a number of their own.
    """
    report = Report()
    graph = Graph(objects)
    written = []
    for obj in graph.by_id.values():
        if obj.get("type") != "incident" or obj.get("revoked"):
            continue
        extension = obj.get("extensions", {}).get(IODEF_EXTENSION_ID, {})
        kept = extension.get("document", {}) if isinstance(extension, Mapping) else {}
        head: dict[str, Any] = {"lang": "en", **kept}
        value = incident_of(obj, graph, name, report)
        data = write_xml(head, [value]) if form == "xml" else write_json(head, [value])
        written.append(Written(str(obj["id"]), file_name(str(obj["id"]), form), data))
    if not written:
        report.dropped("objects", "none of them is an incident, and IODEF has nothing else to put them in")
    return written, report


__all__ = ["Form", "IodefFault", "Read", "Written", "file_name", "from_iodef", "stix_id", "to_iodef"]
