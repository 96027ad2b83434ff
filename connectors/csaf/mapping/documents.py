"""A document of either form: a CSAF 2.0 advisory or a CVE record, told apart by what it calls itself."""

from __future__ import annotations

from connectors.csaf.mapping import records
from connectors.csaf.mapping.advisories import Advisory, Faults, from_value, parsed
from connectors.csaf.mapping.making import Making
from connectors.sdk.report import Report
from hub.domain import tlp


def from_document(data: bytes, *, identity: str, faults: Faults, default: tlp.Level = "amber") -> Advisory:
    """Return the STIX objects of an advisory or of a CVE record.

    A CVE record is public, or it would not be in the CVE List: it is TLP:CLEAR, whatever the default is.

    :param identity: in whose name they are published. :param faults: checks a CSAF advisory against its schema.
    :param default: the level of an advisory that names none.
    :raises CsafFault: it is neither, or not valid.
    """
    value = parsed(data)
    if not records.is_record(value):
        return from_value(value, identity=identity, faults=faults, default=default)
    report = Report()
    number, created, modified, rejected = records.head_of(value, report)
    making = Making(identity, (records.NAMESPACE, number), created, modified, "clear", report)
    if not rejected:
        report.guessed("cveMetadata/state", "object_marking_refs", "what the CVE List has is public: TLP:CLEAR")
        records.fill(making, value)
    objects = list(making.objects.values())
    return Advisory(making.key, modified, "final", rejected, objects, report, "cveMetadata/state", "cveMetadata")
