"""GET one object: its latest version in an envelope; unknown is 404, filtered away is empty."""

from __future__ import annotations

from hub.domain.canonical import jcs
from tests.web.taxii.world import OBJECTS, STAMPS, UNKNOWN_UUID, Client, World, indicator

SINGLE = OBJECTS + indicator(1)["id"] + "/"


def test_the_latest_version_comes_in_an_envelope_byte_for_byte(aa: Client) -> None:
    for stamp in (STAMPS[0], STAMPS[2], STAMPS[1]):
        aa.add("indicators", indicator(1, stamp))
    answer = aa.get(SINGLE)
    assert answer.body == b'{"more":false,"objects":[' + jcs(indicator(1, STAMPS[2])) + b"]}"
    assert answer.dates == ("2026-11-01T00:00:00.000001Z",) * 2


def test_other_versions_come_when_they_are_asked_for(aa: Client) -> None:
    for stamp in STAMPS[:3]:
        aa.add("indicators", indicator(1, stamp))
    expected = {
        "match[version]=all": STAMPS[:3],
        "match[version]=first": STAMPS[:1],
        f"match[version]={STAMPS[1]}": STAMPS[1:2],
        "match[version]=all&match[spec_version]=2.1": STAMPS[:3],
        "match[id]=ignored-here&match[type]=tool": STAMPS[2:3],
    }
    for query, stamps in expected.items():
        assert [each["modified"] for each in aa.get(f"{SINGLE}?{query}").json["objects"]] == stamps


def test_an_unknown_object_is_404(caller: Client) -> None:
    for oid in (f"tool--{UNKNOWN_UUID}", "not-an-id", "%00", "x" * 5000, "indicator--", f"TOOL--{UNKNOWN_UUID}"):
        for rest in ("", "versions/"):
            assert caller.get(f"{OBJECTS}{oid}/{rest}").status == 404
        assert caller.delete(f"{OBJECTS}{oid}/").status == 404


def test_a_known_object_that_filters_exclude_is_an_empty_envelope(aa: Client) -> None:
    aa.add("indicators", indicator(1))
    for query in (
        "match[spec_version]=2.0",
        f"match[version]={STAMPS[4]}",
        "added_after=2030-01-01T00:00:00Z",
    ):
        answer = aa.get(f"{SINGLE}?{query}")
        assert (answer.status, answer.body) == (200, b'{"more":false}')


def test_a_malformed_filter_is_400(caller: Client) -> None:
    assert caller.get(f"{SINGLE}?match[version]=all,first").status == 400
    assert caller.get(f"{SINGLE}versions/?limit=0").status == 400


def test_only_what_is_sent_counts_as_served(world: World) -> None:
    aa, buffer = world.aa, world.hub.deliveries
    aa.add("indicators", indicator(1))
    for path in (SINGLE, OBJECTS):
        aa.call("HEAD", path)
        aa.get(f"{path}?limit=0")
        aa.get(f"{path}?match[spec_version]=2.0")
        assert buffer.take() == []
        aa.get(path)
        assert len(buffer.take()) == 1
