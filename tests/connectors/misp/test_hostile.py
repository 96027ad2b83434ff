"""Whatever stands in an event, it is converted or refused by name; nothing else happens, and nothing is quoted."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.misp.mapping.event_to_stix import event_to_stix
from connectors.misp.mapping.shape import MalformedEvent
from connectors.misp.mapping.stix_to_event import Draft, event_uuid, stix_to_event
from tests.connectors.misp.conftest import THEN, attribute, event, named
from tests.connectors.misp.golden import OUT, rules
from tests.connectors.misp.test_target import AUTHOR, indicator, report

JUNK = st.sampled_from(
    [None, True, False, 0, -1, 10**30, 1.5, "", "x", "../../etc/passwd", "\x00", "\ud7ff", "9" * 40, "a" * 3000, [], {},
     [None], [[]], [{}], {"": None}, {"uuid": None}, "<script>", "2026-01-01T00:00:00", "{{7*7}}", "tlp:red"]
)  # fmt: skip


def rich() -> dict[str, Any]:
    """Return an event with one of everything."""
    sighting = {
        "uuid": named("s"),
        "type": "0",
        "date_sighting": str(THEN),
        "Organisation": {"uuid": named("o"), "name": "O"},
    }
    cluster = {
        "uuid": named("c"),
        "value": "C",
        "type": "threat-actor",
        "tag_name": "t",
        "description": "d",
        "meta": {},
    }
    galaxy = {"uuid": named("g"), "type": "threat-actor", "name": "G", "description": "d", "GalaxyCluster": [cluster]}
    note = {"uuid": named("n"), "note": "text", "created": "2026-01-01 00:00:00", "modified": "2026-01-01 00:00:00"}
    inside = attribute("x.exe", "filename", object_relation="filename")
    thing = {"uuid": named("f"), "name": "file", "meta-category": "file", "timestamp": str(THEN), "distribution": "5",
             "Attribute": [inside], "ObjectReference": [{"uuid": named("r"), "object_uuid": named("f"),
             "referenced_uuid": attribute()["uuid"], "relationship_type": "drops"}]}  # fmt: skip
    one = attribute(
        Tag=[{"name": "a"}], Galaxy=[galaxy], Sighting=[sighting], Note=[note], first_seen="2026-01-01T00:00:00"
    )
    text = {"uuid": named("er"), "name": "R", "content": "c", "timestamp": str(THEN), "distribution": "5"}
    return event("rich", one, Object=[thing], Galaxy=[galaxy], EventReport=[text], Note=[note])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every value in a document."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


PLACES = places(rich())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
def test_an_event_with_junk_anywhere_is_converted_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = copy.deepcopy(rich())
    for path, junk in changes:
        place: Any = document
        for key in path[:-1]:
            if (
                not isinstance(place, dict | list)
                or (isinstance(place, list) and len(place) <= key)
                or (isinstance(place, dict) and key not in place)
            ):
                break
            place = place[key]
        else:
            if isinstance(place, dict) or (isinstance(place, list) and len(place) > path[-1]):
                place[path[-1]] = junk
    try:
        conversion = event_to_stix(document, rules())
    except MalformedEvent:
        return
    assert "script" not in json.dumps(conversion.report.to_json())
    made = [one for one in conversion.objects if one["type"] not in ("identity", "marking-definition")]
    assert all(one.get("object_marking_refs") for one in made), "nothing leaves without its marking"


LABELS = ['misp:tool="MISP-STIX-Converter"', "Threat-Report"]
DETAILS = st.dictionaries(
    st.sampled_from(["x_misp_comment", "x_misp_timestamp", "x_misp_to_ids", "x_misp_attribute_details", "x_misp_date",
                     "x_misp_extends_uuid", "x_misp_analysis", "labels", "external_references", "description"]),
    JUNK, max_size=4,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DETAILS, DETAILS, st.booleans())
def test_an_object_that_pretends_to_come_from_a_misp_harms_nothing(
    mine: dict[str, Any], its: dict[str, Any], internal: bool
) -> None:
    one = indicator() | {key: value for key, value in its.items() if key not in ("labels", "external_references")}
    case = report("Case", one) | mine | ({"labels": LABELS} if internal else {"labels": ["x"]})
    case.pop("external_references", None)
    case["description"] = "text"
    drawn = stix_to_event(Draft(event_uuid(case["id"]), case, [one], {}, AUTHOR), OUT)
    assert drawn.event is not None
    assert drawn.event["distribution"] == "2"
    assert [tag["name"] for tag in drawn.event["Tag"] if tag["name"].startswith("tlp:")] == ["tlp:green"]


def test_an_object_name_is_no_path() -> None:
    source = rich()
    source["Object"][0]["name"] = "../../../../etc/passwd"
    conversion = event_to_stix(source, rules())
    assert "root:" not in json.dumps(list(conversion.objects))
    assert any(line.field == "Object.(other)" for line in conversion.report.lines)
