"""GET manifest: one record per version, with the same filters, order and dates as the objects."""

from __future__ import annotations

from tests.web.taxii.world import IDS, MANIFEST, OBJECTS, STAMPS, Client, World, address, indicator, malware


def test_a_record_has_the_id_the_date_the_objects_own_version_and_the_media_type(aa: Client) -> None:
    precise = indicator(1, "2026-10-05T00:00:00.1234567Z")
    status = aa.add("indicators", precise, address("198.51.100.7"))
    answer = aa.get(MANIFEST)
    assert answer.status == 200
    first, second = answer.json["objects"]
    assert first == {
        "id": precise["id"],
        "date_added": "2026-11-01T00:00:00.000000Z",
        "version": "2026-10-05T00:00:00.1234567Z",
        "media_type": "application/stix+json;version=2.1",
    }
    assert second["version"] == second["date_added"] == "2026-11-01T00:00:00.000001Z"
    assert [each["version"] for each in status["successes"]] == [first["version"], second["version"]]
    assert answer.dates == (first["date_added"], second["date_added"])
    assert first["media_type"] in aa.get("/alpha/collections/indicators/").json["media_types"]


def test_an_empty_manifest_has_no_list(caller: Client) -> None:
    answer = caller.get(MANIFEST)
    assert (answer.status, answer.json) == (200, {"more": False})


def test_filters_apply_to_the_objects_underneath(aa: Client) -> None:
    aa.add("indicators", indicator(1, STAMPS[0]), malware(2))
    aa.add("indicators", indicator(1, STAMPS[1]))
    for query in ("", "match[type]=malware", "match[version]=all", "match[version]=first", "match[spec_version]=2.0"):
        assert aa.get(f"{MANIFEST}?{query}").ids == aa.get(f"{OBJECTS}?{query}").ids
    assert len(aa.get(f"{MANIFEST}?match[version]=all").ids) == 3
    assert aa.get(f"{MANIFEST}?match[type]=malware").ids == [malware(2)["id"]]


def test_the_same_object_has_a_date_in_each_collection(world: World) -> None:
    world.aa.add("indicators", indicator(1))
    world.clock.advance(60)
    world.aa.add("incidents", indicator(1))
    dates = [
        world.aa.get(f"/alpha/collections/{IDS[alias]}/manifest/").json["objects"][0]["date_added"]
        for alias in ("indicators", "incidents")
    ]
    assert dates == ["2026-11-01T00:00:00.000000Z", "2026-11-01T00:01:00.000000Z"]


def test_dates_rise_even_when_the_clock_does_not(world: World) -> None:
    world.clock.advance(60)
    world.aa.add("indicators", indicator(1))
    world.clock.advance(-120)
    world.aa.add("indicators", indicator(2))
    dates = [each["date_added"] for each in world.aa.get(MANIFEST).json["objects"]]
    assert dates == sorted(set(dates))
