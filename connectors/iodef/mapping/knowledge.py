"""Methods, threat actors and campaigns of IODEF as objects of STIX, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectors.iodef.mapping.making import Making
from hub.domain.tlp import Level

_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,10}", re.IGNORECASE)
_CAPEC: Final = re.compile(r"CAPEC-[0-9]{1,6}", re.IGNORECASE)
_CWE: Final = re.compile(r"CWE-[0-9]{1,6}", re.IGNORECASE)
CVE_INDEX: Final = 1
"""The number of CVE in the registry of RFC 7495 §5."""

MMDEF: Final = "urn:ietf:params:xml:ns:mile:mmdef:1.2"
"""The one registered specification (RFC 7203 §7); ours below are told by their ContentID."""


def methods(making: Making, method: Mapping[str, Any], place: str, outer: Level) -> list[dict[str, str]]:
    """Add what a Method names, and return the external references it gives the incident."""
    level = making.level_of(method, outer, place)
    references: list[dict[str, str]] = []
    for reference in method.get("Reference", ()):
        name = str(reference.get("ReferenceName", {}).get("ID", ""))
        if _CVE.fullmatch(name):
            _vulnerability(making, name.upper(), level)
            making.kept(f"{place}/Reference/ReferenceName/ID", "vulnerability.external_references")
        if level != making.level:
            continue  # the references stand in the incident, which more people may see
        for url in reference.get("URL", ()):
            references.append({"source_name": "reference", "url": str(url)})
            making.kept(f"{place}/Reference/URL", "incident.external_references")
    for kind in ("Vulnerability", "AttackPattern", "Weakness"):
        for one in method.get(kind, ()):
            content = str(one.get("ContentID", "")).strip()
            if kind == "Vulnerability" and _CVE.fullmatch(content):
                _vulnerability(making, content.upper(), level)
                making.kept(f"{place}/{kind}/@ContentID", "vulnerability.external_references")
            elif kind == "AttackPattern" and _CAPEC.fullmatch(content):
                _attack_pattern(making, content.upper(), level)
                making.kept(f"{place}/{kind}/@ContentID", "attack-pattern.external_references")
            elif kind == "Weakness" and _CWE.fullmatch(content) and level == making.level:
                references.append({"source_name": "cwe", "external_id": content.upper()})
                making.kept(f"{place}/{kind}/@ContentID", "incident.external_references")
    return references


def _vulnerability(making: Making, name: str, level: Level) -> None:
    references = [{"source_name": "cve", "external_id": name}]
    made = making.add("vulnerability", [name], level, name=name, external_references=references)
    making.relate(making.incident_id, "related-to", made["id"], level)


def _attack_pattern(making: Making, name: str, level: Level) -> None:
    references = [{"source_name": "capec", "external_id": name}]
    made = making.add("attack-pattern", [name], level, name=name, external_references=references)
    making.relate(making.incident_id, "related-to", made["id"], level)


def actors(making: Making, activity: Mapping[str, Any], place: str, number: int, outer: Level) -> None:
    """Add the threat actors and campaigns of a RelatedActivity; the incident is ``attributed-to`` them."""
    activity_level = making.level_of(activity, outer, place)
    for kind, member, stix_type in (
        ("ThreatActor", "ThreatActorID", "threat-actor"),
        ("Campaign", "CampaignID", "campaign"),
    ):
        for index, one in enumerate(activity.get(kind, ())):
            where = f"{place}/{kind}"
            level = making.level_of(one, activity_level, where)
            names = [str(name) for name in one.get(member, ())]
            description = making.first_text(one, "Description", where, f"{stix_type}.description")
            name = names[0] if names else description
            if not name:
                continue
            if names:
                making.kept(f"{where}/{member}", f"{stix_type}.name")
            for _ in names[1:]:
                making.kept(f"{where}/{member}", f"{stix_type}.aliases")
            references = [{"source_name": "reference", "url": str(url)} for url in one.get("URL", ())]
            for _ in references:
                making.kept(f"{where}/URL", f"{stix_type}.external_references")
            made = making.add(
                stix_type,
                [number, index],
                level,
                name=name,
                aliases=names[1:],
                description=description,
                external_references=references,
            )
            making.relate(making.incident_id, "attributed-to", made["id"], level)


def related_ids(activity: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the name and number of every incident that a RelatedActivity names."""
    for one in activity.get("IncidentID", ()):
        if one.get("id") and one.get("name"):
            yield str(one["name"]), str(one["id"])


def method_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Method that names a vulnerability or attack pattern: by its registered number, else in words."""
    for reference in obj.get("external_references", ()):
        external = reference.get("external_id") if isinstance(reference, Mapping) else None
        if not isinstance(external, str):
            continue
        if _CVE.fullmatch(external):
            return {"Reference": [{"ReferenceName": {"specIndex": CVE_INDEX, "ID": external.upper()}}]}
        if _CAPEC.fullmatch(external):
            return {"AttackPattern": [{"SpecID": "private", "ContentID": external.upper()}]}
    texts = [str(obj[name]) for name in ("name", "description") if obj.get(name)]
    return {"Description": texts[:1] or ["unnamed"]}


def actor_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ThreatActor or Campaign that an object is."""
    member = "ThreatActorID" if obj["type"] == "threat-actor" else "CampaignID"
    aliases = [name for name in obj.get("aliases", ()) if isinstance(name, str)]
    result: dict[str, Any] = {member: [str(obj.get("name", "unnamed")), *aliases]}
    references = [one for one in obj.get("external_references", ()) if isinstance(one, Mapping)]
    urls = [str(one["url"]) for one in references if isinstance(one.get("url"), str)]
    if urls:
        result["URL"] = urls
    if obj.get("description"):
        result["Description"] = [str(obj["description"])]
    return result
