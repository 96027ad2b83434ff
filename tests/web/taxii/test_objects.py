"""GET objects: an envelope of stored bytes, filtered as the standard says, oldest first."""

from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from hub.domain.canonical import jcs
from hub.domain.taxii_time import format_timestamp
from tests.web.taxii.world import OBJECTS, STAMPS, START, Client, World, address, indicator, indicators, malware


def numbers(answer_ids: list[str]) -> list[int]:
    return [int(each[-12:]) for each in answer_ids]


def test_an_empty_collection_is_an_envelope_without_objects(aa: Client) -> None:
    answer = aa.get(OBJECTS)
    assert (answer.status, answer.body) == (200, b'{"more":false}')
    assert answer.dates == (None, None)


def test_objects_come_out_byte_for_byte_in_the_order_they_were_added(aa: Client) -> None:
    odd = indicator(1, "2026-10-01T00:00:00.1234567Z", x_acme_depth=1e30, x_acme_text="Łódź \u2028 \\ /", confidence=0)
    odd["created"] = "2026-10-01T00:00:00.000Z"
    posted = [odd, *indicators(3, start=2), address("198.51.100.7")]
    aa.add("indicators", *posted)
    answer = aa.get(OBJECTS)
    assert answer.body == b'{"more":false,"objects":[' + b",".join(jcs(each) for each in posted) + b"]}"
    assert answer.dates == (format_timestamp(START), format_timestamp(START + 4))


def test_the_envelope_is_no_bundle_and_more_is_always_said(aa: Client) -> None:
    aa.add("indicators", indicator(1))
    assert set(aa.get(OBJECTS).json) == {"more", "objects"}
    assert aa.get(OBJECTS).json["more"] is False


def test_added_after_is_strict_and_about_the_hub_not_the_object(aa: Client) -> None:
    aa.add("indicators", *indicators(3))
    dates = [each["date_added"] for each in aa.get(OBJECTS.replace("objects", "manifest")).json["objects"]]
    for place, date in enumerate(dates):
        answer = aa.get(f"{OBJECTS}?added_after={date}")
        assert numbers(answer.ids) == [1, 2, 3][place + 1 :]
    assert numbers(aa.get(f"{OBJECTS}?added_after=2026-10-31T00:00:00Z").ids) == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T00:00:00Z",
        "2026-11-01T00:00:00.0Z",
        "2026-11-01T00:00:00.000Z",
        "2026-11-01T00:00:00.000000Z",
        "2026-11-01T00:00:00.0000009Z",
        "2026-11-01T00:00:00+00:00",
        "2026-11-01T00:00:00%2B00:00",
        "2026-11-01T02:00:00+02:00",
        "2026-10-31T19:00:00-05:00",
    ],
)
def test_every_form_of_added_after_that_clients_send_is_the_same_instant(few: Client, text: str) -> None:
    assert numbers(few.get(f"{OBJECTS}?added_after={text}").ids) == [2, 3]


def test_an_empty_page_repeats_the_place_it_was_asked_from(few: Client) -> None:
    answer = few.get(f"{OBJECTS}?added_after=2026-11-02T00:00:00.5Z")
    assert answer.body == b'{"more":false}'
    assert answer.dates == ("2026-11-02T00:00:00.500000Z",) * 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("match[id]=" + indicator(2)["id"], [2]),
        (f"match[id]={indicator(3)['id']},{indicator(1)['id']}", [1, 3]),
        ("match[id]=tool--99999999-9999-4999-8999-999999999999", []),
        ("match[id]=not-an-id", []),
        ("match[type]=malware", [9]),
        ("match[type]=indicator,malware", [1, 2, 3, 9]),
        ("match[type]=tool", []),
        ("match[type]=x-never-heard-of", []),
        ("match%5Btype%5D=malware%2Ctool", [9]),
        ("match[spec_version]=2.1", [1, 2, 3, 9]),
        ("match[spec_version]=2.0,2.1", [1, 2, 3, 9]),
        ("match[spec_version]=2.0", []),
        (f"match[type]=malware&match[id]={indicator(2)['id']}", []),
        (f"match[type]=malware,indicator&match[id]={indicator(2)['id']}&match[spec_version]=2.1", [2]),
        ("match[type]=indicator&added_after=2026-11-01T00:00:00.000000Z", [2, 3]),
        ("match[confidence-gte]=1", [1, 2, 3, 9]),
        ("match[tlp]=red&match[value]=a,b", [1, 2, 3, 9]),
        ("_=1&utm_source=x&added-after=2030-01-01T00:00:00Z", [1, 2, 3, 9]),
        ("next=", [1, 2, 3, 9]),
    ],
)
def test_filters_are_anded_and_their_values_ored(mixed: Client, query: str, expected: list[int]) -> None:
    answer = mixed.get(f"{OBJECTS}?{query}")
    assert answer.status == 200
    assert numbers(answer.ids) == expected


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=abc",
        "limit=1.0",
        "limit=",
        "added_after=garbage",
        "added_after=2026-11-01",
        "added_after=",
        "added_after=2026-11-01T00:00:00Z&added_after=2026-11-01T00:00:00Z",
        "limit=1&limit=2",
        "match[type]=a&match[type]=b",
        "match[id]=a&match%5Bid%5D=b",
        "match[version]=garbage",
        "match[version]=all,last",
        "match[version]=last,last",
        "match[version]=first,first",
        "match[version]=",
        "match[spec_version]=x",
        "match[type]=a,%20b",
        "match[type]=%ff",
        "next=garbage",
        "next=%00",
        "next=a&next=b",
    ],
)
def test_a_malformed_parameter_is_400_and_is_not_repeated(caller: Client, query: str) -> None:
    answer = caller.get(f"{OBJECTS}?{query}")
    assert answer.status == 400
    assert b"garbage" not in answer.body
    if "%ff" not in query:
        assert answer.json["details"]["field"] in query.replace("%5B", "[").replace("%5D", "]")


VERSIONED = [indicator(1, stamp) for stamp in STAMPS[:3]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [2]),
        ("match[version]=last", [2]),
        ("match[version]=first", [0]),
        ("match[version]=all", [0, 1, 2]),
        ("match[version]=first,last", [0, 2]),
        (f"match[version]={STAMPS[1]}", [1]),
        (f"match[version]=first,{STAMPS[1]},last", [0, 1, 2]),
        (f"match[version]={STAMPS[1].replace('.000Z', 'Z')}", [1]),
        (f"match[version]={STAMPS[1].replace('.000Z', '.000000Z')}", [1]),
        (f"match[version]={STAMPS[4]}", []),
        ("match[version]=all&match[spec_version]=2.0", []),
    ],
)
def test_versions_are_chosen_as_asked_and_compared_as_instants(
    versioned: Client, query: str, expected: list[int]
) -> None:
    answer = versioned.get(f"{OBJECTS}?{query}")
    assert [each["modified"] for each in answer.json.get("objects", [])] == [STAMPS[place] for place in expected]


def test_last_is_the_last_that_matches_the_rest_of_the_request(aa: Client) -> None:
    aa.add("indicators", indicator(1, STAMPS[2]))
    late = aa.get(OBJECTS).dates[1]
    aa.add("indicators", indicator(1, STAMPS[0]))
    assert [each["modified"] for each in aa.get(OBJECTS).json["objects"]] == [STAMPS[2]]
    # an incremental poller is given the older version that arrived late: it is the latest of what matches
    answer = aa.get(f"{OBJECTS}?added_after={late}")
    assert [each["modified"] for each in answer.json["objects"]] == [STAMPS[0]]


def test_an_answer_is_compressed_when_the_client_asks(many: Client) -> None:
    plain = many.get(OBJECTS)
    zipped = many.get(OBJECTS, Accept_Encoding="gzip, deflate")
    packed = many.get(OBJECTS, Accept_Encoding="gzip, zstd")
    assert "Content-Encoding" not in plain.headers
    assert (zipped.headers["Content-Encoding"], packed.headers["Content-Encoding"]) == ("gzip", "zstd")
    assert gzip.decompress(zipped.body) == zstandard.decompress(packed.body) == plain.body
    assert len(zipped.body) * 5 < len(plain.body)
    for answer in (plain, zipped, packed):
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert int(answer.headers["Content-Length"]) == len(answer.body)


def test_a_small_answer_is_not_worth_compressing(caller: Client) -> None:
    assert "Content-Encoding" not in caller.get("/alpha/", Accept_Encoding="gzip").headers


@pytest.fixture
def few(aa: Client) -> Client:
    aa.add("indicators", *indicators(3))
    return aa


@pytest.fixture
def mixed(few: Client) -> Client:
    few.add("indicators", malware(9))
    return few


@pytest.fixture
def versioned(aa: Client) -> Client:
    for each in VERSIONED:
        aa.add("indicators", each)
    return aa


@pytest.fixture
def many(aa: Client) -> Client:
    aa.add("indicators", *indicators(50))
    return aa


def test_every_object_is_read_by_its_author_and_by_others_alike(world: World) -> None:
    world.aa.add("indicators", *indicators(2))
    assert world.aa.get(OBJECTS).body == world.bb.get(OBJECTS).body
    assert json.loads(world.bb.get(OBJECTS).body)["objects"] == indicators(2)
