"""One record of the CVE List (CVE JSON 5) to STIX: a vulnerability, what is to be done about it, and the products.

The schema of the CVE project comes without a licence, so the record is checked here, member by member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.csaf.mapping.affected import affected
from connectors.csaf.mapping.faults import CsafFault
from connectors.csaf.mapping.making import Making, stix_time
from connectors.csaf.mapping.members import maps, said, text, texts
from connectors.csaf.mapping.vulnerabilities import link
from connectors.sdk.report import Report

NAMESPACE: Final = "https://www.cve.org/"
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")
_CWE: Final = re.compile(r"CWE-[0-9]{1,9}")
_CAPEC: Final = re.compile(r"CAPEC-[0-9]{1,9}")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]+")
_VERSION: Final = re.compile(r"5\.[0-9]+(\.[0-9]+)?")
_PIECES: Final = ("title", "descriptions", "configurations", "exploits", "timeline", "credits", "replacedBy")
_READ: Final = frozenset(
    {*_PIECES, "providerMetadata", "affected", "cpeApplicability", "references", "problemTypes", "impacts", "metrics"}
) | {"solutions", "workarounds", "tags"}
_KEPT: Final = "vulnerability.external_references"


def is_record(value: Any) -> bool:
    """Say whether a document calls itself a CVE record."""
    return isinstance(value, Mapping) and value.get("dataType") == "CVE_RECORD"


def head_of(value: Mapping[str, Any], report: Report) -> tuple[str, str, str, bool]:
    """Return the CVE number of a record, when it was made and changed, and whether it was rejected.

    :raises CsafFault: it is no CVE record of version 5.
    """
    meta, containers = value.get("cveMetadata"), value.get("containers")
    if not isinstance(meta, Mapping) or not isinstance(containers, Mapping):
        raise CsafFault("it is not a CVE record: cveMetadata and containers must be objects")
    if not isinstance(containers.get("cna"), Mapping):
        raise CsafFault("it is not a CVE record: containers/cna must be an object")
    if not _VERSION.fullmatch(str(value.get("dataVersion"))):
        raise CsafFault("dataVersion: only CVE JSON 5 is read; take the record from the CVE List")
    number, state = meta.get("cveId"), meta.get("state")
    if not isinstance(number, str) or not _CVE.fullmatch(number):
        raise CsafFault("cveMetadata/cveId: it must be a CVE number")
    if state not in ("PUBLISHED", "REJECTED"):
        raise CsafFault("cveMetadata/state: it must be PUBLISHED or REJECTED")
    provider = containers["cna"].get("providerMetadata")
    modified = _time(meta, "dateUpdated")
    if modified is None and isinstance(provider, Mapping):
        modified = _time(provider, "dateUpdated")
        reason = "the record does not say it: the time of its CNA is taken"
        report.guessed("cveMetadata/dateUpdated", "modified", reason)
    if modified is None:
        raise CsafFault("cveMetadata/dateUpdated: a date and time of RFC 3339 must be there")
    created = _time(meta, "datePublished")
    if created is None:
        report.guessed("cveMetadata/datePublished", "created", "the record does not say it: its dateUpdated is taken")
    return number, min(created or modified, modified), modified, state == "REJECTED"


def fill(making: Making, value: Mapping[str, Any]) -> None:
    """Add the objects of a published record. Raises CsafFault when it has no description."""
    report, number = making.report, making.key[1]
    containers = list(_containers(value, report))
    cna = containers[0][1]
    title = text(cna, "title", "containers/cna", report)
    pieces = [title] if title else []
    if title:
        report.merged("containers/cna/title", "vulnerability.description", "the CVE number is the name")
    references = [{"source_name": "cve", "external_id": number}]
    labels = _assigner(value["cveMetadata"], report)
    vulnerability_id = making.stix_id("vulnerability", number)
    described = False
    for place, one in containers:
        found = said(one, "descriptions", place, report)
        described = described or bool(found)
        pieces += found + _pieces(one, place, report)
        references += _references(one, place, report) + _weaknesses(one, place, report)
        scores, words = _metrics(one, place, report)
        references, labels = references + scores, labels + words + _tags(one, place, report)
        references += affected(making, one, place, vulnerability_id)
        _unknown(one, place, report)
    if not described:
        raise CsafFault("containers/cna/descriptions: a published record must have one")
    report.merged("containers/cna/descriptions", "vulnerability.description", "all texts are one")
    making.add(
        "vulnerability",
        [number],
        name=number,
        description=making.text("containers/cna/descriptions", pieces),
        external_references=list({tuple(sorted(one.items())): one for one in references}.values()),
        labels=list(dict.fromkeys(labels)),
    )
    report.kept("cveMetadata/cveId", "vulnerability.name")
    report.kept("cveMetadata/dateUpdated", "modified")
    for place, one in containers:
        _remedies(making, one, place, vulnerability_id)


def _containers(value: Mapping[str, Any], report: Report) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "containers/cna", value["containers"]["cna"]
    for one in maps(value["containers"], "adp", "containers", report):
        yield "containers/adp", one


def _time(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    return stix_time(found) if isinstance(found, str) else None


def _assigner(meta: Mapping[str, Any], report: Report) -> list[str]:
    name = text(meta, "assignerShortName", "cveMetadata", report)
    if name is None:
        return []
    report.kept("cveMetadata/assignerShortName", "vulnerability.labels")
    return [f"cve:assigner={name}"]


def _pieces(container: Mapping[str, Any], place: str, report: Report) -> list[str]:
    found = []
    for member, title in (("configurations", "Configuration"), ("exploits", "Exploits"), ("credits", "Credit")):
        listed = said(container, member, place, report)
        found += [f"{title}: {one}" for one in listed]
        if listed:
            report.merged(f"{place}/{member}", "vulnerability.description", "all texts are one")
    for one in maps(container, "timeline", place, report):
        when, what = (text(one, name, f"{place}/timeline", report) for name in ("time", "value"))
        found.append(f"{when}: {what}")
        report.merged(f"{place}/timeline", "vulnerability.description", "all texts are one")
    return found


def _references(container: Mapping[str, Any], place: str, report: Report) -> list[dict[str, str]]:
    found = []
    for one in maps(container, "references", place, report):
        url = text(one, "url", f"{place}/references", report)
        if url is None or not _URL.fullmatch(url):
            report.dropped(f"{place}/references", "it has no address, or one that is no URL")
            continue
        reference = {"source_name": "external", "url": url}
        name = text(one, "name", f"{place}/references", report)
        found.append(reference | ({"description": name} if name else {}))
        report.kept(f"{place}/references", _KEPT)
        if texts(one, "tags", f"{place}/references", report):
            report.dropped(f"{place}/references/tags", "a reference of STIX has no place for them")
    return found


def _weaknesses(container: Mapping[str, Any], place: str, report: Report) -> list[dict[str, str]]:
    """Return the CWE and CAPEC numbers."""
    found: list[dict[str, str]] = []
    for kind in maps(container, "problemTypes", place, report):
        for one in maps(kind, "descriptions", f"{place}/problemTypes", report):
            number, words = (text(one, name, f"{place}/problemTypes", report) for name in ("cweId", "description"))
            if number is None or not _CWE.fullmatch(number):
                report.dropped(f"{place}/problemTypes", "it has no CWE number")
                continue
            found.append({"source_name": "cwe", "external_id": number} | ({"description": words} if words else {}))
            report.kept(f"{place}/problemTypes", _KEPT)
    for one in maps(container, "impacts", place, report):
        number = text(one, "capecId", f"{place}/impacts", report)
        if number is None or not _CAPEC.fullmatch(number):
            report.dropped(f"{place}/impacts", "it has no CAPEC number")
            continue
        words = next(iter(said(one, "descriptions", f"{place}/impacts", report)), None)
        found.append({"source_name": "capec", "external_id": number} | ({"description": words} if words else {}))
        report.kept(f"{place}/impacts", _KEPT)
    return found


def _metrics(container: Mapping[str, Any], place: str, report: Report) -> tuple[list[dict[str, str]], list[str]]:
    """Return CVSS vectors as references and as labels, as those of CSAF; and SSVC and KEV as labels."""
    references, labels, where = [], [], f"{place}/metrics"
    for metric in maps(container, "metrics", place, report):
        scenarios = " ".join(said(metric, "scenarios", where, report))
        for member in ("cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"):
            score = metric.get(member)
            if not isinstance(score, Mapping):
                continue
            vector, severity = (text(score, name, where, report) for name in ("vectorString", "baseSeverity"))
            version, base = member[5:].replace("_", "."), score.get("baseScore")
            if vector is None or isinstance(base, bool) or not isinstance(base, int | float):
                report.dropped(f"{where}/{member}", "it has no vector, or no score")
                continue
            words = " ".join(part for part in (f"{version}={base}", severity, scenarios) if part)
            references.append({"source_name": "cvss", "external_id": vector, "description": words})
            labels.append(f"cve:cvss={version}={base}")
            report.kept(f"{where}/{member}", _KEPT)
        other = metric.get("other")
        if isinstance(other, Mapping):
            found = _other(other)
            labels += found
            if found:
                report.kept(f"{where}/other", "vulnerability.labels", len(found))
            else:
                report.dropped(f"{where}/other", "only CVSS, SSVC and KEV have a place")
    return references, labels


def _other(metric: Mapping[str, Any]) -> list[str]:
    content = metric.get("content")
    if not isinstance(content, Mapping):
        return []
    if metric.get("type") == "kev" and isinstance(content.get("dateAdded"), str):
        return [f"cve:kev={content['dateAdded'][:10]}"]
    options = content.get("options")
    if metric.get("type") != "ssvc" or not isinstance(options, list):
        return []
    pairs = [pair for one in options[:20] if isinstance(one, Mapping) for pair in one.items()]
    return [f"cve:ssvc:{name}={word}"[:250] for name, word in pairs if isinstance(word, str)]


def _tags(container: Mapping[str, Any], place: str, report: Report) -> list[str]:
    found = [f"cve:tag={one}" for one in texts(container, "tags", place, report)]
    if found:
        report.kept(f"{place}/tags", "vulnerability.labels", len(found))
    return found


def _remedies(making: Making, container: Mapping[str, Any], place: str, vulnerability_id: str) -> None:
    """Add a course of action for each solution and workaround."""
    for member, title in (("solutions", "Solution"), ("workarounds", "Workaround")):
        for words in said(container, member, place, making.report):
            action = making.add(
                "course-of-action",
                [vulnerability_id, member, words],
                name=f"{title} for {making.key[1]}",
                description=making.text(f"{place}/{member}", [words]),
                labels=[f"cve:remediation={title.lower()}"],
            )
            link(making, str(action["id"]), "mitigates", vulnerability_id)
            making.report.kept(f"{place}/{member}", "course-of-action")


def _unknown(container: Mapping[str, Any], place: str, report: Report) -> None:
    for name in container:
        if name == "source" or name.startswith(("x_", "date")) or name == "taxonomyMappings":
            report.dropped(
                f"{place}/{name if name in _NAMED else 'x_*'}", "a vulnerability of STIX has no place for it"
            )
        elif name not in _READ:
            report.dropped(f"{place}/*", "CVE JSON 5 does not know it")


_NAMED: Final = frozenset({"source", "datePublic", "dateAssigned", "taxonomyMappings"})
