"""GET collections and one collection: the caller's own rights, ascending ids, aliases."""

from __future__ import annotations

import re
import uuid

import pytest

from tests.web.taxii.world import COLLECTIONS, IDS, UNKNOWN_UUID, Client, World

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_collections_are_listed_by_id_each_time(caller: Client) -> None:
    lists = [[each["id"] for each in caller.get("/alpha/collections/").json["collections"]] for _ in range(3)]
    assert lists[0] == sorted(IDS.values())
    assert lists == [lists[0]] * 3


def test_ids_are_lower_case_version_4_uuids(caller: Client) -> None:
    for each in caller.get("/alpha/collections/").json["collections"]:
        assert UUID4.fullmatch(each["id"])
        assert uuid.UUID(each["id"]).version == 4


@pytest.mark.parametrize(("ref", "alias", "rights"), COLLECTIONS, ids=[alias for _, alias, _ in COLLECTIONS])
def test_a_collection_shows_the_rights_of_the_one_who_asks(
    idle: World, ref: str, alias: str, rights: tuple[bool, bool]
) -> None:
    answer = idle.aa.get(f"/alpha/collections/{ref}/")
    assert answer.status == 200
    assert answer.json == {
        "id": ref,
        "title": alias.title(),
        "alias": alias,
        "can_read": rights[0],
        "can_write": rights[1],
        "media_types": ["application/stix+json;version=2.1"],
    }
    other = idle.bb.get(f"/alpha/collections/{ref}/").json
    assert (other["can_read"], other["can_write"]) == (True, True)


def test_the_list_and_the_single_collection_agree(caller: Client) -> None:
    for each in caller.get("/alpha/collections/").json["collections"]:
        assert caller.get(f"/alpha/collections/{each['id']}/").json == each


def test_an_alias_stands_for_the_id_in_every_url(caller: Client) -> None:
    for rest in ("", "manifest/", "objects/"):
        by_alias = caller.get(f"/alpha/collections/indicators/{rest}")
        by_id = caller.get(f"/alpha/collections/{IDS['indicators']}/{rest}")
        assert by_alias.status == 200
        assert by_alias.body == by_id.body


def test_the_same_alias_in_another_group_is_another_collection(idle: World) -> None:
    alpha = idle.bb.get("/alpha/collections/indicators/").json["id"]
    bravo = idle.bb.get("/bravo/collections/indicators/").json
    assert alpha != bravo["id"]
    assert bravo["description"] == "The other group"
    assert idle.bb.get(f"/bravo/collections/{alpha}/").status == 404


def test_a_group_without_collections_has_no_list(caller: Client) -> None:
    answer = caller.get("/empty/collections/")
    assert answer.status == 200
    assert answer.body == b"{}"


@pytest.mark.parametrize(
    "ref", [UNKNOWN_UUID, "nowhere", "INDICATORS", "%00", "a" * 300, "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b"]
)
@pytest.mark.parametrize("rest", ["", "manifest/", "objects/", f"objects/tool--{UNKNOWN_UUID}/"])
def test_an_unknown_collection_is_404(caller: Client, ref: str, rest: str) -> None:
    assert caller.get(f"/alpha/collections/{ref}/{rest}").status == 404


def test_query_parameters_on_collections_are_ignored(caller: Client) -> None:
    assert caller.get("/alpha/collections/?limit=0&match[type]=x").status == 200
