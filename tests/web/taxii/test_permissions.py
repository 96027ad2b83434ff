"""403 to those who may know of the collection, 404 to those who may not; and the order of all checks."""

from __future__ import annotations

import pytest

from tests.web.taxii.world import Answer, Client, World, indicator

OID = indicator(1)["id"]
READS = ["manifest/", "objects/", f"objects/{OID}/", f"objects/{OID}/versions/"]


@pytest.fixture
def filled(world: World) -> World:
    for alias in ("indicators", "write-only", "read-only", "no-rights"):
        world.bb.add(alias, indicator(1))
    return world


def test_reading_needs_the_right_to_read(filled: World) -> None:
    expected = {"indicators": 200, "read-only": 200, "write-only": 403, "no-rights": 403}
    for alias, status in expected.items():
        for rest in READS:
            assert filled.aa.get(f"/alpha/collections/{alias}/{rest}").status == status


@pytest.mark.parametrize(
    ("alias", "status"), [("indicators", 202), ("write-only", 202), ("read-only", 403), ("no-rights", 403)]
)
def test_adding_needs_the_right_to_write(filled: World, alias: str, status: int) -> None:
    answer = filled.aa.post(f"/alpha/collections/{alias}/objects/", {"objects": [indicator(2)]})
    assert answer.status == status


@pytest.mark.parametrize("alias", ["write-only", "read-only"])
def test_delete_with_one_of_the_two_rights_is_403(filled: World, alias: str) -> None:
    assert filled.aa.delete(f"/alpha/collections/{alias}/objects/{OID}/").status == 403


def test_delete_without_either_right_is_404(filled: World) -> None:
    assert filled.aa.delete(f"/alpha/collections/no-rights/objects/{OID}/").status == 404


def test_rights_are_of_the_caller_not_of_the_collection(filled: World) -> None:
    for alias in ("write-only", "no-rights"):
        assert filled.bb.get(f"/alpha/collections/{alias}/objects/").ids == [OID]


def test_for_who_is_no_member_nothing_exists(filled: World) -> None:
    cc = filled.client("cc")
    for rest in ["", *READS]:
        assert cc.get(f"/alpha/collections/indicators/{rest}").status == 404
    assert cc.post("/alpha/collections/indicators/objects/", {"objects": [indicator(2)]}).status == 404
    assert cc.delete(f"/alpha/collections/indicators/objects/{OID}/").status == 404


def everything_wrong(client: Client, path: str, **fixed: str) -> Answer:
    headers = {"Accept": "text/html", "Content_Type": "text/plain", "Content_Encoding": "br", **fixed}
    return client.post(path, b"{" * 5000, **headers)


def test_checks_of_a_post_come_in_their_order(world: World) -> None:
    world = world.with_bounds(max_content_length=1000)
    good = "/alpha/collections/indicators/objects/"
    accept, content_type, plain = (
        {"Accept": "*/*"},
        {"Content_Type": "application/taxii+json"},
        {"Content_Encoding": ""},
    )
    steps = [
        everything_wrong(world.stranger, "/nowhere/collections/x/objects/"),
        everything_wrong(world.aa, "/nowhere/collections/x/objects/"),
        everything_wrong(world.aa, "/alpha/collections/read-only/objects/"),
        everything_wrong(world.aa, good),
        everything_wrong(world.aa, good, **accept),
        everything_wrong(world.aa, good, **accept, **content_type),
        everything_wrong(world.aa, good, **accept, **content_type, **plain),
        world.aa.post(good, b"{", **accept, **content_type),
        world.aa.post(good, b"{}", **accept, **content_type),
        world.aa.post(good, {"objects": [indicator(1)]}, **accept, **content_type),
    ]
    assert [answer.status for answer in steps] == [401, 404, 403, 406, 415, 415, 413, 400, 422, 202]


def test_checks_of_a_read_come_in_their_order(filled: World) -> None:
    def path(slug: str, ref: str, query: str = "?limit=0") -> str:
        return f"/{slug}/collections/{ref}/objects/{query}"

    steps = [
        filled.stranger.get(path("nowhere", "x"), Accept="text/html"),
        filled.aa.get(path("nowhere", "x"), Accept="text/html"),
        filled.aa.get(path("alpha", "x"), Accept="text/html"),
        filled.aa.get(path("alpha", "write-only"), Accept="text/html"),
        filled.aa.get(path("alpha", "indicators"), Accept="text/html"),
        filled.aa.get(path("alpha", "indicators")),
        filled.aa.get(path("alpha", "indicators", "")),
    ]
    assert [answer.status for answer in steps] == [401, 404, 404, 403, 406, 400, 200]


def test_checks_of_a_delete_come_in_their_order(filled: World) -> None:
    def path(ref: str, query: str = "?match[version]=garbage") -> str:
        return f"/alpha/collections/{ref}/objects/{OID}/{query}"

    steps = [
        filled.stranger.delete(path("no-rights"), Accept="text/html"),
        filled.aa.delete(path("no-rights"), Accept="text/html"),
        filled.aa.delete(path("read-only"), Accept="text/html"),
        filled.bb.delete(path("indicators"), Accept="text/html"),
        filled.bb.delete(path("indicators")),
        filled.bb.delete(path("indicators", "")),
    ]
    assert [answer.status for answer in steps] == [401, 404, 403, 406, 400, 200]
