"""IndicatorData of IODEF as indicators of STIX, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.iodef.mapping import patterns
from connectors.iodef.mapping.account import leaves, references
from connectors.iodef.mapping.assessments import confidence, confidence_of
from connectors.iodef.mapping.making import Making
from connectors.iodef.mapping.patterns import NoPattern
from connectors.iodef.mapping.restriction import strictest_inside
from connectors.iodef.mapping.values import iodef_time
from hub.domain import limits
from hub.domain.stix import version_key
from hub.domain.tlp import Level, strictest

_PLACE = "Incident/IndicatorData/Indicator"


def indicators(making: Making, values: list[Mapping[str, Any]], outer: Level) -> None:
    """Add the indicators that STIX has a pattern for; the others stay in the extension, and the report says why."""
    known: dict[str, str] = {}
    for number, value in enumerate(values):
        level = _level(making, value, making.level_of(value, outer, _PLACE))
        try:
            pattern = _pattern(making, value, known)
            if len(pattern) > limits.MAX_PATTERN_LENGTH:
                raise NoPattern("its pattern would be longer than the hub takes")
        except NoPattern as reason:
            making.report.dropped(_PLACE, str(reason))
            continue
        identifier = value.get("IndicatorID", {})
        if "id" in identifier:
            known[str(identifier["id"])] = pattern
        _add(making, value, pattern, number, level)


def _level(making: Making, value: Mapping[str, Any], level: Level) -> Level:
    """Return the strictest level of what the pattern is made of: an indicator cannot be cut."""
    inside = [strictest_inside(value, "Indicator", making.agreed)]
    inside += [making.observable_levels[name] for name in references(value) if name in making.observables]
    return strictest([level, *(one for one in inside if one)]) or level


def _pattern(making: Making, value: Mapping[str, Any], known: Mapping[str, str]) -> str:
    """Return the pattern of one indicator, stricter markings inside it included. Raises NoPattern."""
    if "Observable" in value:
        return patterns.observed(value["Observable"])
    if "uid-ref" in value:
        return patterns.referred(str(value["uid-ref"]), making.observables)
    if "IndicatorExpression" in value:
        return patterns.expressed(value["IndicatorExpression"], making.observables, known)
    raise NoPattern("it refers to an indicator elsewhere, or observes nothing")


def _add(making: Making, value: Mapping[str, Any], pattern: str, number: int, level: Level) -> None:
    identifier = value.get("IndicatorID", {})
    name, issuer = str(identifier.get("id", "")), str(identifier.get("name", ""))
    start = making.time(value, "StartTime", _PLACE, "indicator.valid_from")
    end = making.time(value, "EndTime", _PLACE, "indicator.valid_until")
    if start is None:
        start = making.modified
        making.report.guessed(f"{_PLACE}/StartTime", "indicator.valid_from", "the time of the report stands for it")
    if end is not None and version_key(end) <= version_key(start):
        making.report.dropped(f"{_PLACE}/EndTime", "it is not after the start")
        end = None
    references = []
    if name and issuer:
        references.append(
            {"source_name": issuer, "external_id": name, "description": f"version {identifier.get('version', '')}"}
        )
        for part in ("", "/@name", "/@version"):
            making.kept(f"{_PLACE}/IndicatorID{part}", "indicator.external_references")
    for member in ("Observable", "IndicatorExpression"):
        if member in value:
            for path in leaves(value[member], member, f"{_PLACE}/{member}"):
                making.kept(path, "indicator.pattern")
    if "uid-ref" in value:
        making.kept(f"{_PLACE}/uid-ref", "indicator.pattern")
    made = making.add(
        "indicator",
        ["indicator", issuer, name] if name else ["indicator", number],
        level,
        name=f"{name}@{issuer}" if name and issuer else "IODEF indicator",
        description=making.first_text(value, "Description", _PLACE, "indicator.description"),
        pattern=pattern,
        pattern_type="stix",
        valid_from=start,
        valid_until=end,
        confidence=confidence(value.get("Confidence")),
        external_references=references,
    )
    if "confidence" in made:
        making.kept(f"{_PLACE}/Confidence/@rating", "indicator.confidence")
    making.relate(made["id"], "related-to", making.incident_id, level)


def indicator_of(obj: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the Indicator that an indicator of STIX is.

    :param name: of the CSIRT, for indicators that nobody has numbered.
    """
    result: dict[str, Any] = {"IndicatorID": _identifier(obj, name)}
    texts = [str(obj[member]) for member in ("description", "name") if obj.get(member)]
    if texts:
        result["Description"] = texts[:1]
    result["StartTime"] = iodef_time(str(obj["valid_from"]))
    if obj.get("valid_until"):
        result["EndTime"] = iodef_time(str(obj["valid_until"]))
    rating = confidence_of(obj.get("confidence"))
    if rating:
        result["Confidence"] = rating
    if obj.get("pattern_type") == "stix":
        result["Observable"] = patterns.observable_of(str(obj["pattern"]))
    else:
        kind = str(obj.get("pattern_type"))
        extra = {"name": f"{kind}-pattern", "dtype": "string", "meaning": "a pattern", "value": str(obj["pattern"])}
        result["Observable"] = {"AdditionalData": [extra]}
    return result


def _identifier(obj: Mapping[str, Any], name: str) -> dict[str, str]:
    for reference in obj.get("external_references", ()):
        description = str(reference.get("description", ""))
        if description.startswith("version ") and reference.get("external_id"):
            issuer, number = str(reference["source_name"]), str(reference["external_id"])
            return {"id": number, "name": issuer, "version": description.removeprefix("version ") or "1"}
    return {"id": str(obj["id"]), "name": name, "version": str(obj["modified"])}
