"""One CSAF 2.0 document to STIX: a report, its vulnerabilities, what to do, and the products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.csaf.mapping import limits, products, vulnerabilities
from connectors.csaf.mapping.faults import CsafFault
from connectors.csaf.mapping.making import Making, stix_time
from connectors.sdk.exchange import StixObject
from connectors.sdk.report import Report
from hub.domain import canonical, tlp
from hub.domain.stix_language import is_language_tag
from hub.errors import MalformedJson

_LABELS: Final[Mapping[str, tlp.Level]] = {
    "WHITE": "clear",
    "CLEAR": "clear",
    "GREEN": "green",
    "AMBER": "amber",
    "AMBER+STRICT": "amber+strict",
    "RED": "red",
}
"""TLP labels of CSAF 2.0 and, with CLEAR and AMBER+STRICT, of 2.1."""

_WITHDRAWN: Final = "csaf_withdrawn"
"""The category of CSAF 2.1 for advisories that are taken back; 2.0 has none, but allows any name."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """What an advisory became.

    :param key: its publisher's namespace and its number. :param status: draft, interim or final.
    :param withdrawn: the publisher takes it back; there are no objects then.
    :param says_withdrawn: the member by which it does. :param says_version: the member that tells its versions apart.
    """

    key: tuple[str, str]
    modified: str
    status: str
    withdrawn: bool
    objects: Sequence[StixObject]
    report: Report
    says_withdrawn: str = "document/category"
    says_version: str = "document/tracking"


Faults = Callable[[Any], list[str]]
"""Returns the places at which a value does not keep the schema of CSAF."""


def from_csaf(data: bytes, *, identity: str, faults: Faults, default: tlp.Level = "amber") -> Advisory:
    """Return the STIX objects of an advisory.

    :param identity: in whose name they are published. :param faults: checks it against the schema of CSAF 2.0.
    :param default: the level of an advisory that names none.
    :raises CsafFault: it is no CSAF 2.0, or not valid.
    """
    return from_value(parsed(data), identity=identity, faults=faults, default=default)


def from_value(value: Any, *, identity: str, faults: Faults, default: tlp.Level) -> Advisory:
    """Return the STIX objects of an advisory that is parsed. Raises CsafFault as `from_csaf` does."""
    document = _document(value, faults)
    head = document["document"]
    tracking, publisher = head["tracking"], head["publisher"]
    report = Report()
    created, modified = stix_time(tracking["initial_release_date"]), stix_time(tracking["current_release_date"])
    if created is None or modified is None:
        raise CsafFault("document/tracking: a release date is no date of RFC 3339")
    level = _level(head, default, report)
    key = (str(publisher["namespace"]), str(tracking["id"]))
    making = Making(identity, key, min(created, modified), modified, level, report)
    status = str(tracking["status"])
    if head["category"] == _WITHDRAWN:
        return Advisory(key, modified, status, True, (), report)
    publisher_id = _publisher(making, publisher)
    found = products.read(making, document.get("product_tree", {}))
    made = [
        vulnerabilities.vulnerability(making, value, number, found)
        for number, value in enumerate(document.get("vulnerabilities", ()))
    ]
    _report(making, head, found, made or list(found.software.values())[:1] or [publisher_id], publisher_id)
    return Advisory(key, modified, status, False, list(making.objects.values()), report)


def parsed(data: bytes) -> Any:
    """Return a document as JSON values. Raises CsafFault: it is too long, or no I-JSON."""
    if len(data) > limits.DOCUMENT_BYTES:
        raise CsafFault(f"it is longer than {limits.DOCUMENT_BYTES} octets")
    try:
        return canonical.parse(data.removeprefix(b"\xef\xbb\xbf"), max_depth=limits.DEPTH)
    except MalformedJson as broken:
        raise CsafFault(f"it is not I-JSON: {broken.detail}") from broken


def _document(value: Any, faults: Faults) -> dict[str, Any]:
    head = value.get("document") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(head, dict) or "csaf_version" not in head:
        raise CsafFault("it is not a CSAF document: it has no document/csaf_version")
    if head["csaf_version"] != "2.0":
        raise CsafFault("document/csaf_version: only CSAF 2.0 is read; ask the publisher for it")
    wrong = faults(value)
    if wrong:
        raise CsafFault(f"it does not keep the schema of CSAF 2.0, first at {wrong[0]}; tell the publisher")
    return value


def _level(head: Mapping[str, Any], default: tlp.Level, report: Report) -> tlp.Level:
    distribution = head.get("distribution", {})
    if "text" in distribution:
        reason = "words about distribution stand in the report: no program can follow them"
        report.merged("document/distribution/text", "report.description", reason)
    label = distribution.get("tlp", {}).get("label")
    if label is None:
        report.guessed("document/distribution/tlp", "object_marking_refs", f"none is there: {tlp.label(default)}")
        return default
    report.kept("document/distribution/tlp/label", "object_marking_refs")
    return _LABELS.get(str(label), "red")


def _publisher(making: Making, publisher: Mapping[str, Any]) -> str:
    properties: dict[str, Any] = {
        "name": str(publisher["name"]),
        "identity_class": "organization",
        "roles": [f"csaf-{publisher['category']}"],
        "external_references": [{"source_name": "csaf-publisher", "url": str(publisher["namespace"])}],
    }
    for member, became in (("contact_details", "contact_information"), ("issuing_authority", "description")):
        if publisher.get(member):
            properties[became] = str(publisher[member])
            making.report.kept(f"document/publisher/{member}", f"identity.{became}")
    for member in ("name", "category", "namespace"):
        making.report.kept(f"document/publisher/{member}", "identity")
    return making.publisher(properties)


def _language(head: Mapping[str, Any], report: Report) -> str | None:
    """Return the language, if it is one that STIX knows (RFC 5646)."""
    if "lang" not in head:
        return None
    if not is_language_tag(str(head["lang"])):
        report.dropped("document/lang", "it is no language tag of RFC 5646")
        return None
    report.kept("document/lang", "report.lang")
    return str(head["lang"])


def _report(
    making: Making, head: Mapping[str, Any], found: products.Products, refs: list[str], publisher_id: str
) -> None:
    report, tracking = making.report, head["tracking"]
    texts = []
    for note in head.get("notes", ()):
        texts.append(f"{note['title']}: {note['text']}" if note.get("title") else str(note["text"]))
        report.merged("document/notes", "report.description", "all notes are one text")
    texts += vulnerabilities.acknowledgments(making, head, "document", "report.description")
    if "text" in head.get("distribution", {}):
        texts.append(f"Distribution: {head['distribution']['text']}")
    references = [{"source_name": str(head["publisher"]["name"]), "external_id": str(tracking["id"])}]
    for alias in tracking.get("aliases", ()):
        references.append({"source_name": "alias", "external_id": str(alias)})
        report.kept("document/tracking/aliases", "report.external_references")
    references += vulnerabilities.references(making, head, "document", "report.external_references")
    references += [
        {"source_name": "purl", "external_id": purl, "description": name} for purl, name in dict(found.purls).items()
    ]
    labels = [f"csaf:category={head['category']}"]
    labels += [f"csaf:{member}={tracking[member]}" for member in ("status", "version")]
    if "aggregate_severity" in head:
        labels.append(f"csaf:severity={head['aggregate_severity']['text']}")
        report.kept("document/aggregate_severity/text", "report.labels")
    making.add(
        "report",
        [],
        name=str(head["title"]),
        description=making.text("document/notes", texts),
        report_types=["vulnerability"],
        published=making.created,
        lang=_language(head, report),
        object_refs=list(dict.fromkeys([*refs, publisher_id])),
        external_references=references,
        labels=labels,
    )
    for member, became in (("id", "external_references"), ("status", "labels"), ("version", "labels")):
        report.kept(f"document/tracking/{member}", f"report.{became}")
    for member, became in (("title", "name"), ("category", "labels")):
        report.kept(f"document/{member}", f"report.{became}")
    report.kept("document/tracking/initial_release_date", "created")
    report.kept("document/tracking/current_release_date", "modified")
    revisions = len(tracking["revision_history"])
    report.dropped("document/tracking/revision_history", "only the version and the dates are kept", revisions)
    if "generator" in tracking:
        report.dropped("document/tracking/generator", "it says nothing of the advisory")
    if "source_lang" in head:
        report.dropped("document/source_lang", "a report of STIX has one language")
