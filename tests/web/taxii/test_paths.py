"""Paths as clients write them: without the last slash, with two slashes; served in place and never redirected."""

from __future__ import annotations

import re

import pytest

from tests.web.taxii.test_authentication import ENDPOINTS
from tests.web.taxii.world import OBJECTS, Client, World, indicator

READABLE = [path for method, path in ENDPOINTS if method == "GET" and "9999" not in path and "nowhere" not in path]


def without_id(body: bytes) -> bytes:
    return re.sub(rb'"error_id":"[0-9a-f]+"', b"", body)


@pytest.mark.parametrize("path", READABLE)
def test_the_last_slash_may_be_missing_and_slashes_may_be_doubled(caller: Client, path: str) -> None:
    expected = caller.get(path)
    assert expected.status == 200
    for variant in (path.rstrip("/"), "/" + path, path.replace("/", "//"), path + "/", path.rstrip("/") + "?limit=5"):
        answer = caller.get(variant)
        assert (answer.status, answer.body) == (200, expected.body)
        assert "Location" not in answer.headers


def test_a_post_and_a_delete_without_the_slash_work_too(world: World) -> None:
    answer = world.aa.post(OBJECTS.rstrip("/"), {"objects": [indicator(1)]})
    assert answer.status == 202
    assert world.aa.post("/" + OBJECTS.rstrip("/"), {"objects": [indicator(2)]}).status == 202
    assert world.aa.delete(f"{OBJECTS}{indicator(1)['id']}").status == 200
    *stays, notice = world.aa.get(OBJECTS.rstrip("/")).ids
    assert (stays, notice.partition("--")[0]) == ([indicator(2)["id"]], "note")


@pytest.mark.parametrize(
    "path", ["/alpha/../taxii2/", "/./taxii2/", "/TAXII2/", "/taxii2;x=1/", "/taxii2%2F..%2Falpha/", "/täxii2/"]
)
def test_a_path_means_what_it_says_and_nothing_else(caller: Client, path: str) -> None:
    assert caller.get(path).status == 404
