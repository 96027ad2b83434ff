"""What is written is valid by the RFCs' own schemas, and the table of classes says what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.iodef.mapping.classes import CLASSES, IMPACTS, SIMPLE
from connectors.iodef.mapping.documents import from_iodef, to_iodef
from connectors.iodef.mapping.reading import read_document
from connectors.iodef.mapping.to_json import write_json
from connectors.iodef.mapping.to_xml import write_xml
from connectors.iodef.mapping.vocabulary import EXTENSION, NOT_IN_XML, VALUES, XML_ONLY
from tests.connectors.conftest import IDENTITY
from tests.connectors.iodef.iodef_schema import json_schema, xml_schema

GOLDEN = Path(__file__).parent / "golden"
DOCUMENTS = sorted(
    path for path in GOLDEN.iterdir() if path.name.endswith((".xml", ".json")) and ".stix." not in path.name
)
INCIDENTS = Path(__file__).parents[2] / "vectors" / "stix" / "incidents"


def json_faults(data: bytes) -> list[str]:
    return [f"{list(error.instance_path)}: {error.message}" for error in json_schema().iter_errors(json.loads(data))]


def xml_faults(data: bytes) -> list[str]:
    return [f"{error.path}: {error.reason}" for error in xml_schema().iter_errors(data.decode())]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_is_written_valid_in_both_forms(path: Path) -> None:
    document = read_document(path.read_bytes())
    assert xml_faults(write_xml(document.head, document.incidents)) == []
    assert json_faults(write_json(document.head, document.incidents)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_comes_back_from_stix_valid_in_both_forms(path: Path) -> None:
    objects = from_iodef(path.read_bytes(), identity=IDENTITY).objects
    for written in to_iodef(objects, name="hub.example", form="xml")[0]:
        assert xml_faults(written.data) == []
    for written in to_iodef(objects, name="hub.example", form="json")[0]:
        assert json_faults(written.data) == []


def test_the_table_has_every_class_attribute_and_value_of_the_schema_in_its_order() -> None:
    schema = xml_schema()
    types = {"Software": "OperatingSystem", "Extension": "AdditionalData", "NameServers": "Nameservers"}
    for name, known in CLASSES.items():
        if name in ("Structured", "Platform", "Scoring", "ReferenceName"):
            continue  # of RFC 7203 and RFC 7495
        element = schema.elements[types.get(name, name)]
        theirs = {key.rpartition("}")[2]: one for key, one in element.attributes.items() if key}
        assert set(known.attributes) == set(theirs), name
        for key, attribute in known.attributes.items():
            enumeration = theirs[key].type.enumeration
            if enumeration and attribute.values:
                spelled = XML_ONLY.get(attribute.values, {})
                ours = {spelled.get(one, one) for one in VALUES[attribute.values]} - NOT_IN_XML.get(
                    attribute.values, set()
                )
                missing = {"rate"} if attribute.values == "counter" else set()  # no word of RFC 8727 for it
                assert ours == set(enumeration) - {EXTENSION} - missing, (name, key)
            else:
                assert not attribute.values or key == "occurrence", (name, key)
        assert _order(known.name) == _element_order(element), name


def _order(name: str) -> list[str]:
    found: list[str] = []
    for child in CLASSES[name].children.values():
        if child.name == "Impact":
            found += IMPACTS
        else:
            found.append("ObservableReference" if child.name == "uid-ref" else child.wrapper or child.xml_name)
    return list(dict.fromkeys(found))


def _element_order(element: Any) -> list[str]:
    if not element.type.has_complex_content():
        return []
    names = [one.local_name for one in element.type.content.iter_elements() if one.name]
    return [name for name in dict.fromkeys(names) if name != "SignatureData"]


def test_every_kind_of_child_is_known() -> None:
    for known in CLASSES.values():
        for child in known.children.values():
            assert child.kind in SIMPLE or child.kind in CLASSES or child.name == "Impact", (known.name, child.name)
