"""GET versions: the objects' own version texts, oldest added first, with the dates they were added."""

from __future__ import annotations

from tests.web.taxii.world import OBJECTS, STAMPS, Client, address, indicator

VERSIONS = OBJECTS + indicator(1)["id"] + "/versions/"
TLP = {
    "type": "marking-definition",
    "spec_version": "2.1",
    "id": "marking-definition--00000000-0000-4000-8000-000000000001",
    "created": "2026-10-01T00:00:00.000Z",
    "definition_type": "statement",
    "definition": {"statement": "Copyright nobody"},
}


def test_versions_are_the_objects_own_texts_in_the_order_they_were_added(aa: Client) -> None:
    texts = ["2026-10-02T00:00:00.1234567Z", STAMPS[0], "2026-10-03T00:00:00.500000Z"]
    for text in texts:
        aa.add("indicators", indicator(1, text))
    answer = aa.get(VERSIONS)
    assert answer.json == {"more": False, "versions": texts}
    assert answer.dates == ("2026-11-01T00:00:00.000000Z", "2026-11-01T00:00:00.000002Z")


def test_created_stands_in_for_a_missing_modified(aa: Client) -> None:
    aa.add("indicators", TLP)
    assert aa.get(f"{OBJECTS}{TLP['id']}/versions/").json["versions"] == [TLP["created"]]


def test_an_object_without_any_version_keeps_the_date_it_was_added(aa: Client) -> None:
    first = aa.add("indicators", address("198.51.100.7"))
    again = aa.add("indicators", indicator(5), address("198.51.100.7"))
    version = "2026-11-01T00:00:00.000000Z"
    assert aa.get(f"{OBJECTS}{address('198.51.100.7')['id']}/versions/").json["versions"] == [version]
    assert first["successes"][0]["version"] == version
    assert again["successes"][1]["version"] == version


def test_filters_that_exclude_all_versions_leave_no_list(aa: Client) -> None:
    aa.add("indicators", indicator(1))
    for query in ("added_after=2030-01-01T00:00:00Z", "match[spec_version]=2.0"):
        answer = aa.get(f"{VERSIONS}?{query}")
        assert (answer.status, answer.json) == (200, {"more": False})


def test_versions_takes_added_after_and_ignores_what_it_does_not_take(aa: Client) -> None:
    for stamp in STAMPS[:3]:
        aa.add("indicators", indicator(1, stamp))
    first = aa.get(f"{VERSIONS}?limit=1")
    assert aa.get(f"{VERSIONS}?added_after={first.dates[1]}").json["versions"] == STAMPS[1:3]
    assert aa.get(f"{VERSIONS}?match[version]=first&match[type]=tool").json["versions"] == STAMPS[:3]
