"""The products of a CVE record as software, and what is said of each version of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors.csaf.mapping import limits
from connectors.csaf.mapping.making import Making
from connectors.csaf.mapping.members import maps, text, texts
from connectors.csaf.mapping.products import cpe_name
from connectors.csaf.mapping.vulnerabilities import link

_LINKS: Final[Mapping[str, str]] = {
    "affected": "has",
    "unaffected": "not-affecting",
    "unknown": "under-investigation-in",
}
"""Statuses of a version and the relationship each becomes, as those of CSAF."""

_DETAILS: Final[Mapping[str, str]] = {
    "platforms": "Platforms",
    "modules": "Modules",
    "programFiles": "Files",
}
_PLACES: Final[Mapping[str, str]] = {"collectionURL": "Collection", "packageName": "Package", "repo": "Repository"}
_ALL: Final = frozenset({"*", "all"})
_RANGE: Final = (("lessThan", "<"), ("lessThanOrEqual", "<="))


def affected(making: Making, container: Mapping[str, Any], place: str, vulnerability_id: str) -> list[dict[str, str]]:
    """Add the software of a container and join it to the vulnerability; return the package URLs as references."""
    found: list[dict[str, str]] = []
    where = f"{place}/affected"
    for entry in maps(container, "affected", place, making.report):
        product = text(entry, "product", where, making.report) or text(entry, "packageName", where, making.report)
        if product is None:
            making.report.dropped(where, "it names no product")
            continue
        making.report.kept(f"{where}/product", "software.name")
        _entry(making, entry, where, product, vulnerability_id)
        purl = text(entry, "packageURL", where, making.report)
        if purl is not None:
            reason = "a software of STIX has no place for it: it is a reference of the vulnerability"
            making.report.merged(f"{where}/packageURL", "vulnerability.external_references", reason)
            found.append({"source_name": "purl", "external_id": purl, "description": product})
    if "cpeApplicability" in container:
        making.report.dropped(f"{place}/cpeApplicability", "STIX has no place for configurations of products")
    return found


def _entry(making: Making, entry: Mapping[str, Any], where: str, product: str, vulnerability_id: str) -> None:
    report = making.report
    software: dict[str, Any] = {"type": "software", "name": product}
    vendor = text(entry, "vendor", where, report)
    if vendor is not None:
        software["vendor"] = vendor
        report.kept(f"{where}/vendor", "software.vendor")
    details = _details(making, entry, where)
    names = _cpes(making, entry, where)
    if len(names) == 1:
        software["cpe"] = names[0]
    states = list(_versions(making, entry, where))
    default = text(entry, "defaultStatus", where, report)
    if default is not None and states:
        report.merged(f"{where}/defaultStatus", "relationship.description", "it is about versions nobody lists")
        details = [*details, f"Versions that are not listed: {default}"]
    elif default is not None:
        report.kept(f"{where}/defaultStatus", "relationship")
        states = [(default, {}, "")]
    states = states or [("affected", {}, "")]
    for status, own, words in states:
        _join(making, {**software, **_named(product, own)}, status, [words, *details], where, vulnerability_id)
    overall = "affected" if any(status == "affected" for status, _, _ in states) else states[0][0]
    for name in names if len(names) > 1 else ():
        _join(making, {**software, "cpe": name}, overall, details, where, vulnerability_id)


def _named(product: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return the properties by which software of one version differs; a range stands in the name only."""
    version, upto = own.get("version"), own.get("range")
    if upto is not None:
        return {"name": f"{product} {upto}"}
    return {} if version is None else {"name": f"{product} {version}", "version": version}


def _versions(making: Making, entry: Mapping[str, Any], where: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield the status, the version or the range, and the words, of each version of an entry."""
    report, inner = making.report, f"{where}/versions"
    for one in maps(entry, "versions", where, report):
        version = text(one, "version", inner, report)
        status = text(one, "status", inner, report) or "unknown"
        ends = [f"{sign}{end}" for name, sign in _RANGE if (end := text(one, name, inner, report))]
        changes = [
            f"at {text(change, 'at', inner, report)} {text(change, 'status', inner, report)}"
            for change in maps(one, "changes", inner, report)
        ]
        if changes:
            report.merged(f"{inner}/changes", "relationship.description", "STIX has no place for changes in a range")
        if "versionType" in one:
            report.dropped(f"{inner}/versionType", "STIX does not compare versions")
        words = "; ".join(["Status changes: " + ", ".join(changes)] if changes else [])
        if ends or changes:
            report.merged(f"{inner}/lessThan", "software.name", "STIX has no version ranges: it is in the name only")
            start = [] if version in (None, "0") else [f">={version}"]
            yield status, {"range": " ".join([*start, *ends]) or "*"}, words
        elif version is None or version.lower() in _ALL:
            yield status, {}, words
        else:
            report.kept(f"{inner}/version", "software.version")
            yield status, {"version": version}, words


def _join(
    making: Making, software: dict[str, Any], status: str, words: list[str], where: str, vulnerability_id: str
) -> None:
    if len(making.objects) >= limits.RECORD_OBJECTS:
        making.report.dropped(where, f"a record may bring {limits.RECORD_OBJECTS} objects")
        return
    kind = _LINKS.get(status)
    if kind is None:
        making.report.guessed(f"{where}/versions/status", "relationship", "a status that nobody knows is unknown")
        kind = _LINKS["unknown"]
    name = making.observe(software)
    ends = (name, vulnerability_id) if kind == "has" else (vulnerability_id, name)
    link(making, ends[0], kind, ends[1], ". ".join(["CVE status: " + status, *filter(None, words)])[: limits.TEXT])
    making.report.kept(f"{where}/versions/status", f"relationship {kind}")


def _details(making: Making, entry: Mapping[str, Any], where: str) -> list[str]:
    """Return as sentences what a software of STIX has no property for."""
    found = []
    for member, title in _DETAILS.items():
        listed = texts(entry, member, where, making.report)
        if listed:
            found.append(f"{title}: {', '.join(listed)}")
    for member, title in _PLACES.items():
        one = text(entry, member, where, making.report)
        if one is not None:
            found.append(f"{title}: {one}")
    routines = [
        name
        for one in maps(entry, "programRoutines", where, making.report)
        if (name := text(one, "name", f"{where}/programRoutines", making.report))
    ]
    if routines:
        found.append(f"Routines: {', '.join(routines)}")
    for member in (*_DETAILS, *_PLACES, "programRoutines"):
        if member in entry:
            making.report.merged(f"{where}/{member}", "relationship.description", "a software has no place for it")
    return found


def _cpes(making: Making, entry: Mapping[str, Any], where: str) -> list[str]:
    """Return the CPE names of an entry as CPE 2.3 names, each once."""
    found: list[str] = []
    for one in texts(entry, "cpes", where, making.report):
        name = cpe_name(one)
        if name is None:
            making.report.dropped(f"{where}/cpes", "it cannot be written as a CPE 2.3 name")
        elif name not in found:
            found.append(name)
            making.report.kept(f"{where}/cpes", "software.cpe")
    return found
