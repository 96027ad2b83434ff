"""Documents that mean harm, or are simply broken: one clear sentence, nothing half done, the others still read."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.iodef.mapping import limits
from connectors.iodef.mapping.documents import from_iodef, to_iodef
from connectors.iodef.mapping.faults import IodefFault
from tests.connectors.conftest import IDENTITY
from tests.connectors.iodef.test_schemas import xml_faults

GOLDEN = Path(__file__).parent / "golden"
MINIMAL = (GOLDEN / "rfc7970-minimal.xml").read_text()
_BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
_XXE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_EXTERNAL = '<!DOCTYPE x SYSTEM "http://203.0.113.1/evil.dtd">'
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (MINIMAL.replace(_DECLARATION, _DECLARATION + _BOMB).replace("492382", "&c;"), "document type"),
        (MINIMAL.replace(_DECLARATION, _DECLARATION + _XXE).replace("492382", "&a;"), "document type"),
        (MINIMAL.replace(_DECLARATION, _DECLARATION + _EXTERNAL), "document type"),
        (MINIMAL.replace("492382", "&undefined;"), "not well-formed"),
        (MINIMAL.replace("<Contact", "<a>" * 60 + "<Contact").replace("</Incident>", "</a>" * 60), "deeper"),
        (MINIMAL[:200], "not well-formed"),
        ("", "not well-formed"),
        ("\x00\x01\x02", "not well-formed"),
        (MINIMAL.replace('encoding="UTF-8"', 'encoding="klingon"'), "not well-formed"),
        (MINIMAL.replace("iodef-2.0", "iodef-1.0"), "version 1"),
        (MINIMAL.replace('version="2.00"', 'version="1.00"'), "version 1"),
        (MINIMAL.replace('version="2.00"', 'version="3.00"'), "version 2.00"),
        (MINIMAL.replace("urn:ietf:params:xml:ns:iodef-2.0", "urn:example"), "not an IODEF-Document"),
        (MINIMAL.replace("IODEF-Document", "Report"), "not an IODEF-Document"),
        (MINIMAL.split("<Incident")[0] + "</IODEF-Document>", "no incident"),
        ('{"version": "2.00", "Incident": []}', "no incident"),
        ('{"version": "2.00"}', "no list Incident"),
        ('{"version": "2.00", "version": "2.00", "Incident": []}', "I-JSON"),
        ("[" * 100, "not well-formed"),
        ('{"a":' * 100 + "1" + "}" * 100, "I-JSON"),
        ('{"Incident": [NaN]}', "I-JSON"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_in_words(data: str, says: str) -> None:
    with pytest.raises(IodefFault, match=says) as caught:
        from_iodef(data.encode(), identity=IDENTITY)
    assert "passwd" not in str(caught.value)


def test_a_document_that_is_too_long_or_has_too_many_elements_is_refused() -> None:
    with pytest.raises(IodefFault, match="longer than"):
        from_iodef(b"<" * (limits.DOCUMENT_BYTES + 1), identity=IDENTITY)
    many = MINIMAL.replace("</Incident>", "<a/>" * (limits.ELEMENTS + 1) + "</Incident>")
    with pytest.raises(IodefFault, match="elements"):
        from_iodef(many.encode(), identity=IDENTITY)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2015-07-18T09:00:00-05:00", "yesterday", "Incident/GenerationTime"),
        ("2015-07-18T09:00:00-05:00", "2015-02-30T09:00:00Z", "Incident/GenerationTime"),
        ("2015-07-18T09:00:00-05:00", "0000-01-01T00:00:00Z", "Incident/GenerationTime"),
        ("2015-07-18T09:00:00-05:00", "9999-12-31T24:00:00Z", "Incident/GenerationTime"),
        ("<GenerationTime>2015-07-18T09:00:00-05:00</GenerationTime>", "", "Incident/GenerationTime"),
        ('<IncidentID name="csirt.example.com">492382</IncidentID>', "", "Incident/IncidentID"),
        (' name="csirt.example.com"', "", "Incident/IncidentID"),
        ("492382", "  ", "Incident/IncidentID"),
    ],
)
def test_a_broken_incident_is_refused_and_the_others_are_read(old: str, new: str, says: str) -> None:
    good = MINIMAL[MINIMAL.index("<Incident ") : MINIMAL.index("</Incident>") + 11].replace("492382", "7")
    text = MINIMAL.replace(old, new).replace("</IODEF-Document>", good + "</IODEF-Document>")
    read = from_iodef(text.encode(), identity=IDENTITY)
    assert [one.startswith(f"incident 1: {says}") for one in read.refused] == [True]
    assert [obj["name"] for obj in read.objects if obj["type"] == "incident"] == ["7@csirt.example.com"]


def test_the_same_number_twice_in_a_document_is_refused_the_second_time() -> None:
    twice = MINIMAL[MINIMAL.index("<Incident ") : MINIMAL.index("</Incident>") + 11]
    read = from_iodef(MINIMAL.replace("</IODEF-Document>", twice + "</IODEF-Document>").encode(), identity=IDENTITY)
    assert len(read.incidents) == 1
    assert read.refused == ["incident 2: Incident/IncidentID: it stands in the document twice"]


def test_what_the_schema_does_not_know_is_noted_without_its_name() -> None:
    text = MINIMAL.replace("<Contact", '<Secret xmlns="urn:x">s</Secret><Impact>9</Impact><Contact leak="1"')
    read = from_iodef(text.encode(), identity=IDENTITY)
    fields = [line.field for line in read.report.lines]
    assert "Incident/*" in fields
    assert "Incident/Contact/@*" in fields
    assert not any("Secret" in field or "leak" in field for field in fields)


@pytest.mark.parametrize("name", ["]]>", "<b>", "&amp;", "a\x00b", "\ud800x", "'\"", "\ufffe", "line\r\nbreak"])
def test_hostile_text_is_written_as_text(name: str) -> None:
    moment = "2026-11-20T10:00:00.000Z"
    incident = {
        "type": "incident",
        "id": "incident--00000000-0000-4000-8000-000000000001",
        "created": moment,
        "modified": moment,
        "name": "n",
        "description": f"x {name} y",
    }
    written, _ = to_iodef([incident], name=f"csirt {name}", form="xml")
    assert xml_faults(written[0].data) == []
    assert b"<b>" not in written[0].data
    assert "/" not in written[0].file_name


def _cut(length: int) -> bytes:
    return MINIMAL[:length].encode()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.integers(0, len(MINIMAL)).map(_cut))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(IodefFault):  # any other error is a fault of ours
        from_iodef(data, identity=IDENTITY)
