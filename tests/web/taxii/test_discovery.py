"""GET /taxii2/: the roots this caller can open, absolute, with a default among them."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from hub.store import groups, members
from hub.store.database import Database
from tests.web.taxii.world import PROXY, Client, World, build


def test_discovery_stands_at_taxii2_on_the_root(caller: Client) -> None:
    answer = caller.get("/taxii2/")
    assert answer.status == 200
    assert set(answer.json) == {"title", "description", "default", "api_roots"}
    assert caller.get("/alpha/taxii2/").status == 404


def test_every_root_that_is_advertised_opens_and_no_other_is_advertised(idle: World) -> None:
    expected = {"aa": ["alpha", "empty"], "bb": ["alpha", "bravo"], "cc": ["bravo"]}
    for handle, slugs in expected.items():
        client = idle.client(handle)
        roots = client.get("/taxii2/").json["api_roots"]
        assert roots == [f"https://hub.test/{slug}/" for slug in slugs]
        assert [client.get(urlsplit(root).path).status for root in roots] == [200] * len(roots)


def test_default_is_one_of_the_roots_letter_by_letter(idle: World) -> None:
    for handle in ("aa", "bb", "cc"):
        found = idle.client(handle).get("/taxii2/").json
        assert found["default"] in found["api_roots"]
        assert found["default"].startswith("https://")
        assert found["default"].endswith("/")
        assert urlsplit(found["default"]).query == ""


def test_a_caller_without_groups_gets_neither_default_nor_roots(database: Database) -> None:
    world = build(database)
    with database.write() as tx:
        bravo = groups.by_slug(tx, "bravo")
        assert bravo is not None
        members.suspend(tx, bravo.id, world.peers["cc"].id, world.clock())
    answer = world.client("cc").get("/taxii2/")
    assert answer.status == 200
    assert set(answer.json) == {"title", "description"}
    assert world.client("cc").get("/bravo/").status == 404


def test_the_configured_url_is_advertised_whatever_the_host_header_says(database: Database) -> None:
    world = build(database, public_url="https://cybex.example/")
    answer = world.aa.get("/taxii2/", Host="evil.example")
    assert answer.json["default"] == "https://cybex.example/alpha/"
    assert "evil" not in json.dumps(answer.json)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_without_one_a_trusted_proxy_says_how_the_hub_is_reached(idle: World) -> None:
    forwarded = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "front.example"}
    client = idle.aa
    client.remote = PROXY
    assert client.get("/taxii2/", **forwarded).json["default"] == "https://front.example/alpha/"
    assert idle.aa.get("/taxii2/", **forwarded).json["default"] == "https://hub.test/alpha/"


def test_a_host_that_is_no_host_is_refused(caller: Client) -> None:
    answer = caller.get("/taxii2/", Host='x"><script>')
    assert answer.status == 400
    assert b"<script" not in answer.body
