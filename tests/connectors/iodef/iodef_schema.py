"""The schemas of the RFCs, with what is read otherwise in them and why; nothing is fetched."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any, Final

import xmlschema
from jsonschema_rs import Draft4Validator

SCHEMAS: Final = Path(__file__).parents[3] / "schemas" / "iodef"
_SHIPPED: Final = Path(xmlschema.__file__).parent / "schemas" / "DSIG" / "xmldsig-core-schema.xsd"

_XML: Final = (
    # A Confidence that is numeric has its number as content (RFC 7970 §3.12.5, "the element content contains a
    # number"); the schema gives it none.
    (
        '<xs:element name="Confidence">\n    <xs:complexType>',
        '<xs:element name="Confidence">\n    <xs:complexType mixed="true">',
    ),
    # A SoftwareReference of dtype string is a string (§2.15.1); the schema has room for elements only.
    (
        '<xs:element name="SoftwareReference">\n    <xs:complexType>',
        '<xs:element name="SoftwareReference">\n    <xs:complexType mixed="true">',
    ),
    # ThreatActor has zero or more URL (§3.7) and AttackPhase too (§3.29.8), as the example of §7.2 has it.
    (
        '<xs:element ref="iodef:URL" maxOccurs="unbounded"/>',
        '<xs:element ref="iodef:URL" minOccurs="0" maxOccurs="unbounded"/>',
    ),
    # A BulkObservable has an attribute ext-type, which makes sense with ext-value only (§3.29.3.1).
    ('<xs:enumeration value="user-name"/>', '<xs:enumeration value="user-name"/><xs:enumeration value="ext-value"/>'),
)
_SCI: Final = (
    ("<sequence>", "<xsd:sequence>"),  # the RFC forgets the prefix
    ("</sequence>", "</xsd:sequence>"),
    ("iodef-1.0", "iodef-2.0"),  # RFC 7203 extends version 1, RFC 7970 takes it over for version 2
)


def amended(text: str, amendments: tuple[tuple[str, str], ...]) -> str:
    """Return a schema with every amendment made; one that finds nothing to amend is a mistake."""
    for old, new in amendments:
        if old not in text:
            raise AssertionError(f"nothing to amend: {old}")
        text = text.replace(old, new)
    return text


@cache
def xml_schema() -> Any:
    """Return the XML Schema of RFC 7970 with those it imports."""
    texts = [
        amended((SCHEMAS / "iodef-2.0.xsd").read_text(), _XML),
        amended((SCHEMAS / "iodef-sci-1.0.xsd").read_text(), _SCI),
        (SCHEMAS / "iodef-enum-1.0.xsd").read_text(),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", xmlschema.XMLSchemaImportWarning)  # the addresses of the imports are not asked
        schema = xmlschema.XMLSchema10(
            texts, locations={"http://www.w3.org/2000/09/xmldsig#": str(_SHIPPED)}, allow="local", build=False
        )
        schema.build()
    return schema


@cache
def json_schema() -> Draft4Validator:
    """Return the JSON Schema of RFC 8727 appendix B, which is informative.

    1. ``SpecID`` is one of two names there, and every other specification needs another, as its own §2.2.5 has it.
    2. An empty list of required members, which draft 4 forbids, is left out.
    """
    schema = json.loads((SCHEMAS / "iodef.schema.json").read_text())
    schema["$schema"] = "http://json-schema.org/draft-04/schema#"
    schema["definitions"]["SpecID"] = {"type": "string"}
    for definition in schema["definitions"].values():
        if definition.get("required") == []:
            del definition["required"]
    return Draft4Validator(schema)
