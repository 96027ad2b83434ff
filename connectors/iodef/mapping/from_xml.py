"""Elements of XML IODEF (RFC 7970) to the members of RFC 8727, class by class."""

from __future__ import annotations

import base64
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from connectors.iodef.mapping import limits
from connectors.iodef.mapping.classes import CLASSES, IMPACTS, SIMPLE, Child, IodefClass, completed
from connectors.iodef.mapping.values import attribute_value, simple
from connectors.iodef.mapping.vocabulary import XML_ONLY
from connectors.iodef.mapping.xml_parsing import NAMESPACE, Element
from connectors.sdk.report import Report

DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
ENUM: Final = "urn:ietf:params:xml:ns:iodef-enum-1.0"
SCI: Final = "urn:ietf:params:xml:ns:iodef-sci-1.0"
XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_SCHEMA_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_NAMESPACES: Final = {
    **dict.fromkeys(("AttackPattern", "Vulnerability", "Weakness", "RawData", "Platform", "Scoring"), SCI),
    **dict.fromkeys(("DigestMethod", "DigestValue", "CanonicalizationMethod", "X509Data"), DSIG),
    "ReferenceName": ENUM,
}
"""Elements that other specifications define; those within ReferenceName too."""

UNKNOWN: Final = "it is not in the IODEF schema"
SIGNATURE: Final = "a signature over XML does not survive another form"


def namespace_of(owner: str, name: str) -> str:
    """Return the namespace in which an element stands within a class."""
    return ENUM if owner == "ReferenceName" else _NAMESPACES.get(name, NAMESPACE)


def read_class(element: Element, kind: str, place: str, report: Report, depth: int = 0) -> dict[str, Any]:
    """Return an element as RFC 8727 has it; what cannot be read is noted and left out."""
    known = CLASSES[kind]
    result: dict[str, Any] = {}
    for raw_name, raw in element.attributes.items():
        name = "lang" if raw_name == XML_LANG else raw_name
        if raw_name.startswith(_SCHEMA_INSTANCE):
            continue
        if name not in known.attributes:
            report.dropped(f"{place}/@*", UNKNOWN)
            continue
        attribute = known.attributes[name]
        spelled = {theirs: ours for ours, theirs in XML_ONLY.get(attribute.values, {}).items()}
        result |= attribute_value(attribute, raw, place, report, spelled=spelled)
    if known.content:
        text = inner_xml(element) if kind == "Extension" and element.children else element.all_text()
        _put_simple(result, known.content, known.content_kind, text, place, report)
    if kind != "Extension":
        _read_children(element, known, result, place, report, depth)
    return completed(result, kind)


def _read_children(
    element: Element, known: IodefClass, result: dict[str, Any], place: str, report: Report, depth: int
) -> None:
    by_name = {child.xml_name: child for child in known.children.values() if not child.wrapper}
    by_name.pop("Impact", None)  # a list of RFC 8727 that no element is called by
    by_wrapper = {child.wrapper: child for child in known.children.values() if child.wrapper}
    for found in element.children:
        expected = namespace_of(known.name, found.name)
        if found.namespace != expected:
            report.dropped(f"{place}/*", UNKNOWN)
        elif known.name == "Assessment" and found.name in IMPACTS:
            impact = read_class(found, IMPACTS[found.name], f"{place}/{found.name}", report, depth)
            result.setdefault("Impact", []).append({found.name: impact})
        elif found.name == "ObservableReference" and "uid-ref" in known.children:
            _add(result, known.children["uid-ref"], found.attributes.get("uid-ref", ""), place, report)
        elif found.name in by_wrapper:
            child = by_wrapper[found.name]
            for inner in found.children:
                if inner.name == child.xml_name and inner.namespace == NAMESPACE:
                    _read_child(inner, child, result, f"{place}/{found.name}", report, depth)
                else:
                    report.dropped(f"{place}/{found.name}/*", UNKNOWN)
        elif found.name == "SignatureData":
            report.dropped(f"{place}/SignatureData", SIGNATURE)
        elif found.name in by_name:
            _read_child(found, by_name[found.name], result, place, report, depth)
        else:
            report.dropped(f"{place}/*", UNKNOWN)


def _read_child(element: Element, child: Child, result: dict[str, Any], place: str, report: Report, depth: int) -> None:
    where = f"{place}/{child.name}"
    if child.kind in SIMPLE:
        _add(result, child, _raw(element, child), place, report)
        return
    depth += child.name in ("EventData", "Contact", "IndicatorExpression", "Incident")
    if depth > limits.NESTED:
        report.dropped(where, f"it stands in itself more than {limits.NESTED} times")
        return
    body = read_class(element, child.kind, where, report, depth)
    if child.many:
        result.setdefault(child.name, []).append(body)
    elif child.name in result:
        report.dropped(where, "it stands more than once where one is foreseen")
    else:
        result[child.name] = body


def _raw(element: Element, child: Child) -> Any:
    """Return a simple element's value as text, or as RFC 8727's object for a text with a language."""
    if child.kind == "ml":
        return {
            "value": element.all_text(),
            "lang": element.attributes.get(XML_LANG),
            "translation-id": element.attributes.get("translation-id"),
        }
    if child.name in ("DigestMethod", "CanonicalizationMethod"):
        return element.attributes.get("Algorithm", "")
    if child.name == "X509Data":
        certificates = [inner.text for inner in element.children if inner.name == "X509Certificate"]
        return certificates[0] if certificates else ""
    if child.kind == "base64":
        return base64.b64encode(inner_xml(element).strip().encode()).decode()
    return element.all_text()


def _add(result: dict[str, Any], child: Child, raw: Any, place: str, report: Report) -> None:
    if not child.many and child.name in result:
        report.dropped(f"{place}/{child.name}", "it stands more than once where one is foreseen")
        return
    found: dict[str, Any] = {}
    _put_simple(found, child.name, child.kind, raw, f"{place}/{child.name}", report)
    if found:
        if child.many:
            result.setdefault(child.name, []).append(found[child.name])
        else:
            result[child.name] = found[child.name]


def _put_simple(result: dict[str, Any], name: str, kind: str, raw: Any, place: str, report: Report) -> None:
    if kind in ("int", "real") and isinstance(raw, str) and not raw.strip():
        return  # an optional number that is not there, such as that of a Confidence with a word
    try:
        result[name] = simple(kind, raw)
    except ValueError as fault:
        report.dropped(place, str(fault))


def inner_xml(element: Element) -> str:
    """Return what stands in an element as text: its text, or its children written out with their namespaces."""
    if not element.children:
        return element.text
    return escape(element.text.strip()) + "".join(_written(child) for child in element.children)


def _written(element: Element) -> str:
    attributes = "".join(f" {name.rpartition('}')[2]}={quoteattr(value)}" for name, value in element.attributes.items())
    namespace = f" xmlns={quoteattr(element.namespace)}" if element.namespace else ""
    return f"<{element.name}{namespace}{attributes}>{inner_xml(element)}</{element.name}>"
