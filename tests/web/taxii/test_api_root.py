"""GET {root}/: what a trust group says of itself, and that other groups do not exist."""

from __future__ import annotations

import pytest

from hub.domain import limits
from tests.web.taxii.world import TAXII, Client, World


def test_the_information_of_a_group_is_complete(caller: Client) -> None:
    assert caller.get("/alpha/").json == {
        "title": "Group alpha",
        "versions": ["application/taxii+json;version=2.1"],
        "max_content_length": limits.MAX_CONTENT_LENGTH,
    }


def test_versions_holds_the_exact_media_type(idle: World) -> None:
    for handle, slug in (("aa", "alpha"), ("bb", "bravo"), ("aa", "empty")):
        assert idle.client(handle).get(f"/{slug}/").json["versions"] == [TAXII]


def test_max_content_length_is_the_bound_of_this_hub(idle: World) -> None:
    assert idle.with_bounds(max_content_length=4096).aa.get("/alpha/").json["max_content_length"] == 4096


@pytest.mark.parametrize("rest", ["", "collections/", "collections/indicators/", "collections/indicators/objects/"])
def test_an_unknown_root_and_a_foreign_one_are_the_same_404(caller: Client, rest: str) -> None:
    bodies = []
    for slug in ("api3", "bravo", "ALPHA", "x" * 200, "%00", "..", "taxii2"):
        answer = caller.get(f"/{slug}/{rest}")
        if slug == "taxii2" and not rest:
            continue
        assert answer.status == 404
        body = answer.json
        del body["error_id"]
        bodies.append((slug, body))
    texts = {str(body) for slug, body in bodies if slug not in ("%00",)}
    assert len(texts) == 1
