"""The vulnerabilities of an advisory, what is to be done about them, and which products they concern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from connectors.csaf.mapping import limits
from connectors.csaf.mapping.making import Making
from connectors.csaf.mapping.products import Products

_PLACE: Final = "vulnerabilities"
STATUS: Final[Mapping[str, str]] = {
    "first_affected": "has",
    "known_affected": "has",
    "last_affected": "has",
    "first_fixed": "fixed-in",
    "fixed": "fixed-in",
    "recommended": "fixed-in",
    "known_not_affected": "not-affecting",
    "under_investigation": "under-investigation-in",
}
"""Product statuses and the relationship each becomes: a product ``has`` it, and it is ``fixed-in`` another product."""

_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")
_NOTED: Final = ("description", "summary", "general", "details")


def vulnerability(making: Making, value: Mapping[str, Any], number: int, products: Products) -> str:
    """Add a vulnerability with its remediations and products, and return its id."""
    report = making.report
    name = _name(making, value, number)
    references = _references(making, value) + _scores(making, value, products)
    texts = _notes(making, value)
    for one in value.get("threats", ()):
        texts.append(f"{_title(one['category'])}: {one['details']} {products.listed(products.of(one))}")
        report.merged(f"{_PLACE}/threats", "vulnerability.description", "STIX has no place for threats of an advisory")
    texts += acknowledgments(making, value, _PLACE, "vulnerability.description")
    labels = [f"csaf:cvss={one['description'].split(' ')[0]}" for one in references if one["source_name"] == "cvss"]
    for flag in value.get("flags", ()):
        labels.append(f"csaf:flag={flag['label']}")
        report.merged(f"{_PLACE}/flags", "vulnerability.labels", "it is said of products, not of the vulnerability")
    for field in ("discovery_date", "release_date", "involvements"):
        if field in value:
            report.dropped(f"{_PLACE}/{field}", "a vulnerability of STIX has no place for it")
    made = making.add(
        "vulnerability",
        [value.get("cve") or _first_id(value) or ["number", number]],
        name=name,
        description=making.text(f"{_PLACE}/notes", texts),
        external_references=references,
        labels=list(dict.fromkeys(labels)),
    )
    _remediations(making, value, made, products)
    _status(making, value, made["id"], products)
    return str(made["id"])


def _first_id(value: Mapping[str, Any]) -> list[str] | None:
    ids = value.get("ids")
    return [str(ids[0]["system_name"]), str(ids[0]["text"])] if ids else None


def _name(making: Making, value: Mapping[str, Any], number: int) -> str:
    if "cve" in value:
        making.report.kept(f"{_PLACE}/cve", "vulnerability.name")
        if "title" in value:
            making.report.merged(f"{_PLACE}/title", "vulnerability.description", "the CVE number is the name")
        return str(value["cve"])
    if "title" in value:
        making.report.kept(f"{_PLACE}/title", "vulnerability.name")
        return str(value["title"])
    found = _first_id(value)
    if found:
        return found[1]
    making.report.guessed(f"{_PLACE}/title", "vulnerability.name", "it has no name but the advisory's number")
    return f"{making.key[1]} #{number + 1}"


def _references(making: Making, value: Mapping[str, Any]) -> list[dict[str, str]]:
    report = making.report
    found: list[dict[str, str]] = []
    if "cve" in value:
        found.append({"source_name": "cve", "external_id": str(value["cve"])})
        report.kept(f"{_PLACE}/cve", "vulnerability.external_references")
    for one in value.get("ids", ()):
        # A CVE number under another name would not be one to STIX 2.1 §2.6.
        source = "cve" if _CVE.fullmatch(str(one["text"])) else str(one["system_name"])
        reference = {"source_name": source, "external_id": str(one["text"])}
        if reference not in found:
            found.append(reference)
        report.kept(f"{_PLACE}/ids", "vulnerability.external_references")
    if "cwe" in value:
        found.append(
            {"source_name": "cwe", "external_id": str(value["cwe"]["id"]), "description": str(value["cwe"]["name"])}
        )
        report.kept(f"{_PLACE}/cwe", "vulnerability.external_references")
    return found + references(making, value, _PLACE, "vulnerability.external_references")


def references(making: Making, value: Mapping[str, Any], place: str, became: str) -> list[dict[str, str]]:
    """Return the references of the advisory or of a vulnerability as external references."""
    found = []
    for one in value.get("references", ()):
        source = "self" if one.get("category") == "self" else "external"
        found.append({"source_name": source, "description": str(one["summary"]), "url": str(one["url"])})
        making.report.kept(f"{place}/references", became)
    return found


def _scores(making: Making, value: Mapping[str, Any], products: Products) -> list[dict[str, str]]:
    """Return the CVSS vectors as references ``cvss``; STIX 2.1 has no property for a score."""
    found = []
    for one in value.get("scores", ()):
        for member in ("cvss_v3", "cvss_v2"):
            score = one.get(member)
            if score is None:
                continue
            severity = f" {score['baseSeverity']}" if "baseSeverity" in score else ""
            version = str(score.get("version", member[-1]))
            text = f"{version}={score['baseScore']}{severity} {products.listed(list(one.get('products', ())))}"
            found.append(
                {"source_name": "cvss", "external_id": str(score["vectorString"]), "description": text.strip()}
            )
            making.report.kept(f"{_PLACE}/scores/{member}", "vulnerability.external_references")
    return found


def _notes(making: Making, value: Mapping[str, Any]) -> list[str]:
    texts = [str(value["title"])] if "title" in value and "cve" in value else []
    for note in sorted(
        value.get("notes", ()), key=lambda one: _NOTED.index(one["category"]) if one["category"] in _NOTED else 9
    ):
        title = f"{note['title']}: " if note.get("title") else ""
        texts.append(f"{title}{note['text']}")
        making.report.merged(f"{_PLACE}/notes", "vulnerability.description", "all notes are one text")
    return texts


def acknowledgments(making: Making, value: Mapping[str, Any], place: str, became: str) -> list[str]:
    """Return who is thanked, as sentences."""
    texts = []
    for one in value.get("acknowledgments", ()):
        who = ", ".join([*one.get("names", ()), *([one["organization"]] if "organization" in one else [])])
        texts.append(f"Acknowledged: {who} {one.get('summary', '')} {' '.join(one.get('urls', ()))}".strip())
        making.report.merged(f"{place}/acknowledgments", became, "STIX has no place for thanks but a text")
    return texts


def _title(category: str) -> str:
    return str(category).replace("_", " ").capitalize()


def _remediations(making: Making, value: Mapping[str, Any], made: Mapping[str, Any], products: Products) -> None:
    """Add a course of action for each remediation; those that say there is none stand in its words too."""
    for index, one in enumerate(value.get("remediations", ())):
        texts = [str(one["details"]), products.listed(products.of(one))]
        texts += [str(text) for text in one.get("entitlements", ())]
        if "restart_required" in one:
            restart = one["restart_required"]
            texts.append(f"Restart required: {restart['category']}. {restart.get('details', '')}")
        references = [{"source_name": "remediation", "url": str(one["url"])}] if "url" in one else []
        action = making.add(
            "course-of-action",
            [made["id"], index],
            name=f"{_title(one['category'])} for {made['name']}",
            description=making.text(f"{_PLACE}/remediations/details", texts),
            external_references=references,
            labels=[f"csaf:remediation={one['category']}"],
        )
        for member in ("category", "details", "url", "entitlements", "restart_required"):
            if member in one:
                making.report.kept(f"{_PLACE}/remediations/{member}", "course-of-action")
        for member in ("product_ids", "group_ids"):
            if member in one:
                reason = "the products stand in the text"
                making.report.merged(f"{_PLACE}/remediations/{member}", "course-of-action.description", reason)
        if "date" in one:
            making.report.dropped(f"{_PLACE}/remediations/date", "a course of action has no date of its own")
        if one["category"] not in ("none_available", "no_fix_planned"):
            link(making, str(action["id"]), "mitigates", str(made["id"]))
        else:
            link(making, str(action["id"]), "related-to", str(made["id"]))


def link(making: Making, source: str, kind: str, target: str, description: str | None = None) -> None:
    """Add a relationship."""
    making.add(
        "relationship",
        [source, kind, target],
        relationship_type=kind,
        source_ref=source,
        target_ref=target,
        description=description,
    )


def _status(making: Making, value: Mapping[str, Any], vulnerability_id: str, products: Products) -> None:
    """Join the products to the vulnerability, as their status says."""
    said: dict[tuple[str, str], list[str]] = {}
    for status, members in value.get("product_status", {}).items():
        kind = STATUS.get(status)
        if kind is None:
            making.report.dropped(f"{_PLACE}/product_status/*", "a status that CSAF 2.0 does not know")
            continue
        for product_id in members:
            said.setdefault((kind, str(product_id)), []).append(status)
    made = sum(one["type"] == "relationship" for one in making.objects.values())
    for (kind, product_id), statuses in said.items():
        place = f"{_PLACE}/product_status/{statuses[0]}"
        software = products.software.get(product_id)
        if software is None:
            making.report.dropped(place, "it names a product that is not in the product tree")
        elif made >= limits.LINKS:
            making.report.dropped(place, f"an advisory may bring {limits.LINKS} relationships")
        else:
            made += 1
            ends = (software, vulnerability_id) if kind == "has" else (vulnerability_id, software)
            link(making, ends[0], kind, ends[1], f"CSAF product status: {', '.join(sorted(statuses))}")
            making.report.kept(place, f"relationship {kind}")
