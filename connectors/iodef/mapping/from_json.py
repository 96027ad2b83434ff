"""JSON IODEF (RFC 8727) checked class by class: what comes out has the same shape as what is read from XML."""

from __future__ import annotations

from typing import Any

from connectors.iodef.mapping import limits
from connectors.iodef.mapping.classes import CLASSES, IMPACTS, SIMPLE, Child, completed
from connectors.iodef.mapping.from_xml import SIGNATURE, UNKNOWN
from connectors.iodef.mapping.values import attribute_value, simple
from connectors.sdk.report import Report


def read_class(value: dict[str, Any], kind: str, place: str, report: Report, depth: int = 0) -> dict[str, Any]:
    """Return a class with what can be read of it; the rest is noted and left out."""
    known = CLASSES[kind]
    result: dict[str, Any] = {}
    for name, raw in value.items():
        if name in known.attributes:
            result |= attribute_value(known.attributes[name], raw, place, report)
        elif name == known.content:
            _put(result, name, known.content_kind, raw, place, report)
        elif name == "Impact" and kind == "Assessment":
            _read_impacts(result, raw, place, report, depth)
        elif name in known.children:
            _read_child(result, known.children[name], raw, place, report, depth)
        else:
            report.dropped(
                f"{place}/{name if name == 'Signature' else '*'}", SIGNATURE if name == "Signature" else UNKNOWN
            )
    return completed(result, kind)


def _read_impacts(result: dict[str, Any], raw: Any, place: str, report: Report, depth: int) -> None:
    for one in raw if isinstance(raw, list) else [raw]:
        for name, body in one.items() if isinstance(one, dict) else ():
            if name in IMPACTS and isinstance(body, dict):
                impact = read_class(body, IMPACTS[name], f"{place}/{name}", report, depth)
                result.setdefault("Impact", []).append({name: impact})
            else:
                report.dropped(f"{place}/Impact/*", UNKNOWN)


def _read_child(result: dict[str, Any], child: Child, raw: Any, place: str, report: Report, depth: int) -> None:
    where = f"{place}/{child.wrapper}/{child.name}" if child.wrapper else f"{place}/{child.name}"
    found: list[Any] = []
    depth += child.name in ("EventData", "Contact", "IndicatorExpression", "Incident")
    for one in raw if isinstance(raw, list) else [raw]:
        if child.kind in SIMPLE:
            holder: dict[str, Any] = {}
            _put(holder, child.name, child.kind, one, where, report)
            found += holder.values()
        elif not isinstance(one, dict):
            report.dropped(where, "it is not an object")
        elif depth > limits.NESTED:
            report.dropped(where, f"it stands in itself more than {limits.NESTED} times")
        else:
            found.append(read_class(one, child.kind, where, report, depth))
    if not child.many and len(found) > 1:
        report.dropped(where, "it stands more than once where one is foreseen", len(found) - 1)
    if found:
        result[child.name] = found if child.many else found[0]


def _put(result: dict[str, Any], name: str, kind: str, raw: Any, place: str, report: Report) -> None:
    try:
        result[name] = simple(kind, raw)
    except ValueError as fault:
        report.dropped(place, str(fault))
