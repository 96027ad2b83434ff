"""Documents in a real hub: what another member may read of them, and that it is IODEF again."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.csaf.mapping.advisories import from_csaf
from connectors.csaf.schema import csaf_faults
from connectors.iodef.mapping.documents import from_iodef, to_iodef
from connectors.iodef.mapping.reading import read_document
from hub.domain import tlp
from hub.domain.membership import Right
from hub.services import members
from hub.store.database import Database
from tests.services.cast import OPERATOR, make_cast
from tests.services.desk import Desk, make_desk

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def desk(database: Database) -> Desk:
    """The cast at work, on each database."""
    return make_desk(make_cast(database))


def test_an_iodef_incident_goes_through_a_hub_and_comes_out_as_it_went_in(desk: Desk) -> None:
    data = (GOLDEN / "rfc7970-campaign.xml").read_bytes()
    desk.share("aa", *from_iodef(data, identity=desk.identity["aa"]).objects)
    written, _ = to_iodef(desk.seen("bb"), name="hub.example", form="xml")
    before, after = read_document(data).incidents, read_document(written[0].data).incidents
    before[0]["GenerationTime"] = "2015-10-02T16:18:00Z"  # the same moment
    before[0]["Indicator"][0]["StartTime"] = "2014-12-02T16:18:00Z"
    assert after == before


def test_what_is_red_in_a_document_is_refused_for_want_of_recipients_and_the_rest_is_read(desk: Desk) -> None:
    data = (GOLDEN / "everything.xml").read_bytes()
    objects = from_iodef(data, identity=desk.identity["aa"]).objects
    posted = desk.post("aa", *desk.sign("aa", *objects))
    red = {obj["id"] for obj in objects if tlp.IDS["red"] in obj["object_marking_refs"]}
    assert {line["id"] for line in posted.failures} == red
    seen = desk.seen("bb")
    names = {obj.get("name") for obj in seen}
    assert "2026-117@csirt.example.org" in names
    assert "2026-118@csirt.example.org" not in names  # private, since it says nothing
    assert "Bank <A> & Co" not in names
    written, _ = to_iodef(seen, name="hub.example", form="json")
    assert len(written) == 1
    assert b"Bank" not in written[0].data
    assert b"192.0.2.58" in written[0].data


@pytest.mark.parametrize("name", ["rfc7970-minimal.xml", "rfc8727-minimal.json"])
def test_a_private_incident_is_read_by_the_recipients_that_are_named_and_by_nobody_else(desk: Desk, name: str) -> None:
    members.put(desk.hub, OPERATOR, "alpha", "cc", {Right.READ})
    data = (GOLDEN / name).read_bytes()
    objects = from_iodef(data, identity=desk.identity["aa"], recipients=[desk.identity["bb"]]).objects
    desk.share("aa", *objects)
    seen = [obj for obj in desk.seen("bb") if obj["type"] != "jss-signature"]
    assert {obj["id"] for obj in seen} == {obj["id"] for obj in objects}
    assert not {obj["id"] for obj in desk.seen("cc")} & {obj["id"] for obj in objects}
    written, _ = to_iodef(seen, name="hub.example", form="xml")
    before, after = read_document(data).incidents, read_document(written[0].data).incidents
    before[0]["GenerationTime"] = "2015-07-18T14:00:00Z"  # the same moment
    assert after == before


def test_a_csaf_advisory_is_taken_by_a_hub(desk: Desk) -> None:
    data = (GOLDEN.parent.parent / "csaf" / "golden" / "rhsa-2022_0011.json").read_bytes()
    advisory = from_csaf(data, identity=desk.identity["aa"], faults=csaf_faults())
    desk.share("aa", *advisory.objects)
    assert {obj["id"] for obj in desk.seen("bb") if obj["type"] != "jss-signature"} == {
        obj["id"] for obj in advisory.objects
    }
