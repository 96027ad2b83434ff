"""XML octets to elements, by a parser that knows no entities, no document types and no bottomless documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from connectors.iodef.mapping import limits
from connectors.iodef.mapping.faults import IodefFault

NAMESPACE: Final = "urn:ietf:params:xml:ns:iodef-2.0"
_FIRST_VERSION: Final = "urn:ietf:params:xml:ns:iodef-1.0"


@dataclass(slots=True)
class Element:
    """An element of XML: names in Clark notation, text before the first child."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    @property
    def name(self) -> str:
        """The name without the namespace."""
        return self.tag.rpartition("}")[2]

    @property
    def namespace(self) -> str:
        """The namespace, or empty."""
        return self.tag[1:].rpartition("}")[0] if self.tag.startswith("{") else ""

    def all_text(self) -> str:
        """Return the text of the element and of all below it; comments are none."""
        return self.text + "".join(child.all_text() for child in self.children)


class _Builder:
    """Takes what the parser finds, and counts it."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > limits.ELEMENTS:
            raise IodefFault("", f"it has more than {limits.ELEMENTS} elements; ask for smaller documents")
        if len(self._open) >= limits.DEPTH:
            raise IodefFault("", f"it is nested deeper than {limits.DEPTH} levels, as no IODEF document is")
        element = Element(tag, dict(attributes))
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def data(self, data: str) -> None:
        if self._open:
            self._open[-1].text += data

    def close(self) -> Element | None:
        return self.root


def parse(data: bytes) -> Element:
    """Return the root of an IODEF v2 document.

    :raises IodefFault: it is too large, not well-formed, has a document type, or is not IODEF v2.
    """
    parser: Any = DefusedXMLParser(target=_Builder(), forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element | None = parser.close()
    except DefusedXmlException as refused:
        raise IodefFault(
            "", "it has a document type or entities, which IODEF needs not and the hub refuses"
        ) from refused
    except (ParseError, ValueError, LookupError) as broken:
        raise IodefFault("", "it is not well-formed XML") from broken
    if root is None:
        raise IodefFault("", "it is not well-formed XML")
    if root.namespace == _FIRST_VERSION or root.attributes.get("version", "").startswith("1"):
        raise IodefFault("", "it is IODEF version 1 (RFC 5070); ask the sender for version 2.00 (RFC 7970)")
    if root.name != "IODEF-Document" or root.namespace != NAMESPACE:
        raise IodefFault("", f"it is not an IODEF-Document in the namespace {NAMESPACE}")
    return root
