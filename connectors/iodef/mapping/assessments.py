"""Assessments of IODEF as impacts, types and confidence of STIX, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.iodef.mapping.classes import RATINGS
from connectors.iodef.mapping.making import LABEL, Making
from connectors.iodef.mapping.values import plain
from hub.domain.stix_amendments import IMPACT
from hub.domain.tlp import Level

_SEVERITIES: Final = {"none": 0, "low": 15, "medium": 50, "high": 85}
_PARTLY: Final = "partial-modification"
_INFORMATION: Final = {
    "breach-proprietary": "proprietary",
    "breach-privacy": "pii",
    "breach-credential": "credentials-user",
    "breach-configuration": "system",
}
_INTEGRITY: Final = frozenset({"integrity-data", "integrity-configuration", "damaged-data", "loss-of-integrity"})
_PHYSICAL: Final = frozenset({"damaged-system", "cps-damage", "integrity-hardware", "asset-damage"})
_AVAILABILITY: Final = frozenset(
    {"availability-data", "availability-account", "availability-service", "availability-system", "loss-of-service"}
)
_MONETARY: Final = frozenset({"theft-financial", "theft-service", "extortion"})
_EXTERNAL: Final = {"degraded-reputation": "public-confidence", "legal": "legal"}
_BACK: Final = {
    "availability": "loss-of-service",
    "integrity": "loss-of-integrity",
    "physical": "asset-damage",
    "confidentiality": "breach-proprietary",
    "external": "degraded-reputation",
    "monetary": "theft-financial",
}
_LOW, _HIGH = 33, 66
"""Up to the first a score is low, from the second on it is high (STIX 2.1 Appendix A, None/Low/Med/High)."""


def details(kind: str, severity: str, succeeded: bool) -> tuple[str, dict[str, Any]] | None:
    """Return the category of an impact and its members (incident suite), None when the suite has none for it."""
    if kind in _AVAILABILITY:
        return "availability", {"availability_impact": _SEVERITIES.get(severity, 50)}
    if kind in _INFORMATION:
        loss = "confirmed-loss" if succeeded else "suspected-loss"
        return "confidentiality", {"information_type": _INFORMATION[kind], "loss_type": loss}
    if kind in _INTEGRITY:
        return "integrity", {
            "information_type": "system",
            "alteration": _PARTLY if succeeded else "potential-modification",
        }
    if kind in _PHYSICAL:
        return "physical", {"asset_type": "system", "impact_type": "damaged-functional"}
    if kind in _MONETARY:
        return "monetary", {"variety": kind}
    if kind in _EXTERNAL:
        return "external", {"impact_type": _EXTERNAL[kind]}
    return None


def impacts(making: Making, assessment: Mapping[str, Any], place: str, number: int, outer: Level) -> list[str]:
    """Add the impacts of an Assessment and return their ids."""
    level = making.level_of(assessment, outer, place)
    found: list[str] = []
    for index, one in enumerate(assessment.get("Impact", ())):
        for name, body in one.items():
            made = None
            if name in ("SystemImpact", "BusinessImpact"):
                made = _impact(making, name, body, f"{place}/{name}", [number, index], level)
            elif name == "MonetaryImpact":
                made = _money(making, body, f"{place}/{name}", [number, index], level)
            if made:
                found.append(made)
    return found


def _impact(
    making: Making, name: str, body: Mapping[str, Any], place: str, parts: list[Any], level: Level
) -> str | None:
    kind, severity = str(body.get("type", "unknown")), str(body.get("severity", ""))
    made = details(kind, severity, body.get("completion", "succeeded") == "succeeded")
    if made is None:
        return None
    category, members = made
    making.kept(f"{place}/@type", f"impact.extensions.{category}")
    if severity in _SEVERITIES:
        making.kept(f"{place}/@severity", "impact.criticality")
    if "completion" in body:
        making.kept(f"{place}/@completion", "impact.labels")
    labels = [f"{LABEL}{name}={kind}"]
    if "completion" in body:
        labels.append(f"{LABEL}completion={body['completion']}")
    return _add(
        making,
        category,
        members,
        parts,
        level,
        criticality=_SEVERITIES.get(severity),
        description=making.first_text(body, "Description", place, "impact.description"),
        labels=labels,
    )


def _money(making: Making, body: Mapping[str, Any], place: str, parts: list[Any], level: Level) -> str | None:
    amount, currency = body.get("value"), body.get("currency")
    if not isinstance(amount, int | float) or amount < 0 or not isinstance(currency, str):
        return None
    making.kept(place, "impact.extensions.monetary")
    making.kept(f"{place}/@currency", "impact.extensions.monetary.currency")
    severity = _SEVERITIES.get(str(body.get("severity")))
    if severity is not None:
        making.kept(f"{place}/@severity", "impact.criticality")
    members = {"variety": "estimated-cost", "currency": currency, "min_amount": amount, "max_amount": amount}
    return _add(
        making,
        "monetary",
        members,
        parts,
        level,
        criticality=severity,
        labels=[f"{LABEL}MonetaryImpact=estimated-cost"],
    )


def _add(
    making: Making, category: str, members: dict[str, Any], parts: list[Any], level: Level, **properties: Any
) -> str:
    extensions = {IMPACT: {"extension_type": "new-sdo"}, category: members}
    made = making.add(
        "impact", ["impact", *parts], level, impact_category=category, extensions=extensions, **properties
    )
    return str(made["id"])


def confidence(value: Mapping[str, Any] | None) -> int | None:
    """Return a Confidence on the scale of STIX; a number counts when it is on that scale already."""
    if not value:
        return None
    number = value.get("value")
    if value.get("rating") == "numeric" and isinstance(number, int | float):
        return round(number) if 0 <= number <= 100 else None
    return RATINGS.get(str(value.get("rating")))


def confidence_of(number: Any) -> dict[str, Any] | None:
    """Return a confidence of STIX as a Confidence: in words where a word says the same."""
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    word = next((word for word, value in RATINGS.items() if value == number), None)
    return {"rating": word} if word else {"rating": "numeric", "value": number}


def impact_of(obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an impact of STIX as an element of the list Impact; None for a category that IODEF has no class for."""
    labels = dict(
        label.removeprefix(LABEL).split("=", 1)
        for label in obj.get("labels", ())
        if isinstance(label, str) and label.startswith(LABEL) and "=" in label
    )
    category = str(obj.get("impact_category", "")).removesuffix("-ext")
    extensions = obj.get("extensions")
    members = extensions.get(category, extensions.get(f"{category}-ext", {})) if isinstance(extensions, Mapping) else {}
    severity = _word(obj.get("criticality"))
    body: dict[str, Any] = {"severity": severity} if severity else {}
    amount = members.get("max_amount") if isinstance(members, Mapping) else None
    if category in ("monetary", "economic") and isinstance(amount, int | float) and "currency" in members:
        if severity == "none":
            del body["severity"]
        return {"MonetaryImpact": {**body, "currency": str(members["currency"]), "value": amount}}
    name = next((name for name in ("SystemImpact", "BusinessImpact") if name in labels), "BusinessImpact")
    kind = labels.get(name) or _BACK.get("monetary" if category == "economic" else category)
    if kind is None:
        return None
    if name == "SystemImpact":
        if severity == "none":
            del body["severity"]
        if "completion" in labels:
            body["completion"] = labels["completion"]
    description = obj.get("description")
    texts = {"Description": [plain(description)]} if description else {}
    return {name: {**body, "type": kind, **texts}}


def _word(number: Any) -> str | None:
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    if number == 0:
        return "none"
    return "low" if number <= _LOW else "high" if number >= _HIGH else "medium"
