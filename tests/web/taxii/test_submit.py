"""POST objects: 202 with a line for every object; what is not an envelope is refused before anything is stored."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import zstandard

from hub.services import work
from tests.web.taxii.world import MANIFEST, OBJECTS, TAXII, Client, World, address, indicator, indicators


def test_every_object_of_a_good_envelope_is_a_success(aa: Client) -> None:
    answer = aa.post(OBJECTS, {"objects": [indicator(1), indicator(2)]})
    assert answer.status == 202
    status = answer.json
    counts = [status[f"{name}_count"] for name in ("total", "success", "failure", "pending")]
    assert (status["status"], counts) == ("complete", [2, 2, 0, 0])
    assert [each["id"] for each in status["successes"]] == [indicator(1)["id"], indicator(2)["id"]]
    assert "failures" not in status
    assert "pendings" not in status


def test_custom_properties_are_ignored_on_the_way_in_and_sent_on_the_way_out(aa: Client) -> None:
    answer = aa.post(OBJECTS, {"x_acme_test_client": {"any": ["thing"]}, "objects": [indicator(1)]})
    assert answer.status == 202
    assert answer.json["x_cybex_hub"]["software"] == "cybex"
    assert aa.get(OBJECTS).json["objects"] == [indicator(1)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b'{"objects":[{"a":1,"a":2}]}',
        b'{"objects":[NaN]}',
        b"\xff",
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
    ],
    ids=["empty", "cut", "text", "duplicate names", "NaN", "not UTF-8", "deep", "byte order mark"],
)
def test_bytes_that_are_not_json_are_400(caller: Client, body: bytes) -> None:
    answer = caller.post(OBJECTS, body)
    assert answer.status == 400
    assert caller.get(OBJECTS).ids == []


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        1,
        "x",
        {"objects": []},
        {"objects": {}},
        {"more": True},
        [indicator(1)],
        indicator(1),
        {"type": "bundle"},
    ],
    ids=lambda value: json.dumps(value)[:20],
)
def test_json_that_brings_no_objects_is_422(caller: Client, value: Any) -> None:
    answer = caller.post(OBJECTS, value)
    assert answer.status == 422
    assert answer.json["error_code"] == "unprocessable"


def test_one_bad_object_is_one_failure_and_the_rest_is_stored(aa: Client) -> None:
    bad: list[Any] = [
        {"id": "not-stix"},
        7,
        {**indicator(3), "spec_version": "2.0"},
        {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": [indicator(4)]},
        {**indicator(5), "pattern": "[not a pattern"},
        {name: value for name, value in indicator(6).items() if name != "valid_from"},
    ]
    answer = aa.post(OBJECTS, {"objects": [indicator(1), *bad, indicator(2)]})
    status = answer.json
    assert answer.status == 202
    assert (status["total_count"], status["success_count"], status["failure_count"]) == (8, 2, 6)
    assert len(status["failures"]) == 6
    assert all(each["id"] and each["version"] and each["message"] for each in status["failures"])
    assert aa.get(OBJECTS).ids == [indicator(1)["id"], indicator(2)["id"]]


def test_a_duplicate_is_a_success_that_says_so_and_changes_nothing(aa: Client) -> None:
    first = aa.add("indicators", indicator(1), address("198.51.100.7"))
    before = aa.get(MANIFEST).body
    again = aa.add("indicators", address("198.51.100.7"), indicator(1))
    assert [each.get("message") for each in again["successes"]] == ["already stored", "already stored"]
    assert {each["version"] for each in again["successes"]} == {each["version"] for each in first["successes"]}
    assert aa.get(MANIFEST).body == before


def test_the_same_envelope_again_is_answered_with_the_same_status(aa: Client) -> None:
    body = json.dumps({"objects": indicators(2)}).encode()
    assert aa.post(OBJECTS, body).json == aa.post(OBJECTS, body).json


def test_one_version_has_one_content(aa: Client) -> None:
    aa.add("indicators", indicator(1))
    answer = aa.post(OBJECTS, {"objects": [{**indicator(1), "name": "another"}]})
    assert answer.status == 202
    assert (answer.json["success_count"], answer.json["failure_count"]) == (0, 1)
    assert aa.get(OBJECTS).json["objects"] == [indicator(1)]


def test_many_digits_in_a_version_can_be_stored_and_read_back(aa: Client) -> None:
    text = "2026-10-05T00:00:00.123456789012Z"
    aa.add("indicators", indicator(1, text), indicator(2))
    assert aa.get(OBJECTS).json["objects"][0]["modified"] == text
    assert aa.get(MANIFEST).json["objects"][0]["version"] == text


def padded(length: int) -> bytes:
    """Return an envelope of exactly so many octets."""
    body = json.dumps({"objects": [indicator(1)], "x_acme_padding": ""}).encode()
    return body[:-2] + b"p" * (length - len(body)) + body[-2:]


def test_exactly_max_content_length_passes_and_one_more_is_413(world: World) -> None:
    aa = world.with_bounds(max_content_length=2_000).aa
    limit = aa.get("/alpha/").json["max_content_length"]
    for chunked in (False, True):
        assert aa.post(OBJECTS, padded(limit + 1), chunked=chunked).status == 413
        assert aa.post(OBJECTS, padded(limit), chunked=chunked).status == 202
        assert aa.post(OBJECTS, padded(limit - 1), chunked=chunked).status == 202


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_compressed_body_is_taken_and_its_decoded_length_counts(world: World, coding: str) -> None:
    aa = world.with_bounds(max_content_length=2_000).aa
    pack = gzip.compress if coding == "gzip" else zstandard.compress
    assert aa.post(OBJECTS, pack(padded(2_001)), Content_Encoding=coding).status == 413
    assert aa.post(OBJECTS, pack(padded(2_000)), Content_Encoding=coding).status == 202
    assert aa.post(OBJECTS, b"plain", Content_Encoding=coding).status == 400
    assert aa.post(OBJECTS, padded(500), Content_Encoding="br").status == 415


def test_too_many_objects_are_refused_before_any_is_stored(world: World) -> None:
    aa = world.with_bounds(max_objects=2).aa
    assert aa.post(OBJECTS, {"objects": indicators(3)}).status == 422
    assert aa.get(OBJECTS).ids == []
    assert aa.post(OBJECTS, {"objects": indicators(2)}).status == 202


def test_a_large_envelope_is_pending_until_the_worker_has_been(world: World) -> None:
    world = world.with_bounds(sync_content_length=100)
    answer = world.aa.post(OBJECTS, {"objects": [indicator(1), {"id": "not-stix"}]})
    status = answer.json
    assert (answer.status, status["status"], status["pending_count"]) == (202, "pending", 2)
    assert world.aa.get(f"/alpha/status/{status['id']}/").json == status
    assert world.aa.get(OBJECTS).ids == []
    while work.run_once(world.hub):
        pass
    later = world.aa.get(f"/alpha/status/{status['id']}/").json
    assert (later["status"], later["success_count"], later["failure_count"], later["pending_count"]) == (
        "complete",
        1,
        1,
        0,
    )
    assert world.aa.get(OBJECTS).ids == [indicator(1)["id"]]


def test_a_large_body_that_is_no_envelope_is_refused_at_once(world: World) -> None:
    aa = world.with_bounds(sync_content_length=10).aa
    assert aa.post(OBJECTS, b"{" * 100).status == 400
    assert aa.post(OBJECTS, {"objects": {}, "x_acme": "p" * 100}).status == 422


def test_a_form_that_curl_sends_by_default_is_415(caller: Client) -> None:
    answer = caller.post(OBJECTS, b"objects=1", Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 415
    assert answer.headers["Content-Type"] == TAXII
