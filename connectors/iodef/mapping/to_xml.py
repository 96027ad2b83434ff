"""Incidents as RFC 8727 has them to XML IODEF (RFC 7970), in the order and the words of its schema."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from connectors.iodef.mapping.classes import CLASSES, IMPACTS, SIMPLE, Attribute, Child, IodefClass
from connectors.iodef.mapping.from_xml import DSIG, ENUM, SCI, namespace_of
from connectors.iodef.mapping.vocabulary import EXTENSION, NOT_IN_XML, XML_ONLY
from connectors.iodef.mapping.xml_parsing import NAMESPACE

_PREFIXES: Final = {NAMESPACE: "", DSIG: "ds:", ENUM: "enum:", SCI: "sci:"}
_HEAD: Final = f'xmlns="{NAMESPACE}" xmlns:ds="{DSIG}" xmlns:enum="{ENUM}" xmlns:sci="{SCI}"'
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 §2.2 cannot hold, not even escaped."""


def write_xml(head: Mapping[str, Any], incidents: list[Mapping[str, Any]]) -> bytes:
    """Return a document in UTF-8."""
    document = {**head, "version": "2.00", "Incident": incidents}
    lines = [f'<?xml version="1.0" encoding="UTF-8"?>\n<IODEF-Document {_HEAD}']
    lines.append(_body(document, CLASSES["IODEF-Document"], "IODEF-Document", 0))
    return "".join(lines).encode() + b"\n"


def _text(value: Any) -> str:
    """Return a value as character data; what XML cannot hold becomes U+FFFD."""
    return escape(_FORBIDDEN.sub("\ufffd", str(value)), {"\r": "&#13;"})


def _quoted(value: Any) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", str(value)), {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def _attributes(value: Mapping[str, Any], known: IodefClass) -> str:
    written = ""
    for name, attribute in known.attributes.items():
        if name in value:
            written += "".join(f" {key}={_quoted(one)}" for key, one in _spelled(attribute, value[name]))
    return written


def _spelled(attribute: Attribute, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield an attribute in the words of the XML Schema; what it has no word for is an extension value."""
    if attribute.name == "lang":
        yield "xml:lang", value
    elif value in NOT_IN_XML.get(attribute.values, ()):
        yield attribute.name, EXTENSION
        yield f"ext-{attribute.name}", value
    else:
        yield attribute.name, XML_ONLY.get(attribute.values, {}).get(value, value)


def _body(value: Mapping[str, Any], known: IodefClass, tag: str, level: int) -> str:
    """Return the rest of an element after its name, indented like its place."""
    start = _attributes(value, known)
    if known.content:
        return f"{start}>{_text(value.get(known.content, ''))}</{tag}>"
    inside = "".join(f"\n{'  ' * (level + 1)}{one}" for one in _children(value, known, level + 1))
    return f"{start}>{inside}\n{'  ' * level}</{tag}>" if inside else f"{start}/>"


def _children(value: Mapping[str, Any], known: IodefClass, level: int) -> Iterator[str]:
    for name, child in known.children.items():
        if name not in value:
            continue
        items = value[name] if child.many else [value[name]]
        if name == "Impact":
            for one in items:
                for impact, body in one.items():
                    yield f"<{impact}{_body(body, CLASSES[IMPACTS[impact]], impact, level)}"
        elif child.wrapper and items:
            inside = "".join(f"\n{'  ' * (level + 1)}{_child(one, child, known, level + 1)}" for one in items)
            yield f"<{child.wrapper}>{inside}\n{'  ' * level}</{child.wrapper}>"
        else:
            yield from (_child(one, child, known, level) for one in items)


def _child(value: Any, child: Child, owner: IodefClass, level: int) -> str:
    tag = _PREFIXES[namespace_of(owner.name, child.xml_name)] + child.xml_name
    if child.name == "uid-ref":
        return f"<ObservableReference uid-ref={_quoted(value)}/>"
    if child.kind not in SIMPLE:
        return f"<{tag}{_body(value, CLASSES[child.kind], tag, level)}"
    if child.name in ("DigestMethod", "CanonicalizationMethod"):
        return f"<{tag} Algorithm={_quoted(value)}/>"
    if child.name == "X509Data":
        return f"<{tag}><ds:X509Certificate>{_text(value)}</ds:X509Certificate></{tag}>"
    if child.kind == "base64":
        return f'<{tag} dtype="xml">{_text(_decoded(value))}</{tag}>'
    if child.kind == "ml" and isinstance(value, Mapping):
        language = f" xml:lang={_quoted(value['lang'])}" if "lang" in value else ""
        translation = f" translation-id={_quoted(value['translation-id'])}" if "translation-id" in value else ""
        return f"<{tag}{language}{translation}>{_text(value['value'])}</{tag}>"
    return f"<{tag}>{_text(value)}</{tag}>"


def _decoded(text: str) -> str:
    """Return what base64 holds when it is text, else the base64 itself: XML has no other way."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
