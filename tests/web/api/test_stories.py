"""What operators, moderators and administrators do over the API, from the first call to the last; on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator

from hub.client import keyfile
from hub.domain.taxii_time import format_timestamp
from tests.services.cast import DAY, HUB_KEY, VENDOR, Cast, clock_of
from tests.services.desk import Desk
from tests.services.statements import enrolment
from tests.web.api.client import BASE, Client
from tests.web.api.conftest import As

KEY_DIRECTORY = json.loads((Path(__file__).parents[3] / "schemas/hub/key-directory.schema.json").read_text())


def test_an_operator_sets_up_a_group_and_the_new_member_gets_in(who: As) -> None:
    operator = who("operator")
    made = operator.post("/peers", {"handle": "gg", "name": "CIRT GG", "kind": "government", "country": "SE"})
    assert (made.status, made.headers["Location"]) == (201, "/api/v1/peers/gg")
    assert operator.get("/peers/gg").json == made.json
    assert operator.post("/groups", {"slug": "golf", "title": "Golf", "tlp_ceiling": "amber"}).status == 201
    aliases = {row["alias"] for row in operator.get("/groups/golf/collections").json["items"]}
    assert aliases == {"indicators", "incidents"}
    assert operator.put("/groups/golf/members/gg", {"rights": ["read", "write"]}).status == 201
    assert operator.put("/groups/golf/members/gg", {"rights": ["read"]}).status == 200
    issued = operator.post("/peers/gg/credentials", {"kind": "basic", "role": "admin", "label": "first"})
    assert issued.status == 201
    member = Client(operator.app, (issued.json["username"], issued.json["secret"]))
    assert member.get("/whoami").json["groups"] == [{"slug": "golf", "rights": ["read"]}]
    assert [row["slug"] for row in member.get("/groups").json["items"]] == ["golf"]
    assert "secret" not in operator.get(issued.headers["Location"].removeprefix("/api/v1")).json
    assert [line["action"] for line in operator.get("/audit?limit=7").json["items"]] == [
        "credential.add",
        "member.rights",
        "member.add",
        "collection.add",
        "collection.add",
        "group.add",
        "peer.add",
    ]


def test_an_administrator_rotates_his_peers_credentials(who: As) -> None:
    admin = who("admin")
    new = admin.post("/peers/bb/credentials", {"kind": "bearer", "role": "feed", "label": "new", "expires_at": None})
    assert (new.status, new.json["expires_at"], new.json["username"]) == (201, None, None)
    feed = Client(admin.app, ("token", new.json["secret"]))
    assert feed.get("/whoami").json["role"] == "feed"
    assert feed.get("/groups/alpha/keys").status == 200
    assert admin.delete(new.headers["Location"].removeprefix("/api/v1")).status == 204
    assert feed.get("/whoami").status == 401
    listed = admin.get("/peers/bb/credentials").json["items"]
    assert [row["revoked_at"] is not None for row in listed if row["id"] == new.json["id"]] == [True]


def test_an_administrator_gets_no_role_above_his_own_and_enrols_no_certificate(who: As) -> None:
    for part, handle in (("admin", "bb"), ("hub-admin", "hub")):
        client = who(part)
        body = {"kind": "basic", "role": "operator", "label": "more"}
        answer = client.post(f"/peers/{handle}/credentials", body)
        assert (answer.status, answer.json["field"]) == (403, "role")
        body = {"kind": "certificate", "role": "feed", "label": "x", "fingerprint": "ab" * 32}
        assert client.post(f"/peers/{handle}/credentials", body).status == 403


def test_an_administrator_of_the_hubs_own_peer_cannot_revoke_its_operator(who: As, cast: Cast) -> None:
    answer = who("hub-admin").delete(f"/peers/hub/credentials/{cast.ids['operator']}")
    assert answer.status == 403
    assert who("operator").get("/whoami").status == 200


def test_an_operator_credential_belongs_to_the_hub_alone(who: As) -> None:
    body = {"kind": "basic", "role": "operator", "label": "x"}
    answer = who("operator").post("/peers/bb/credentials", body)
    assert (answer.status, answer.json["field"]) == (400, "role")


def test_a_credential_is_found_under_its_own_peer_only(who: As, cast: Cast) -> None:
    """The id of another peer's credential, in a path one may change (MISP CVE-2018-8949 and its like)."""
    for part in ("admin", "operator"):
        assert who(part).delete(f"/peers/bb/credentials/{cast.ids['foreign']}").status == 404
    assert who("foreign").get("/whoami").status == 200
    assert who("admin").put(f"/peers/bb/keys/{cast.kids['cc']}/revocation", {"reason": "compromised"}).status == 404


@pytest.mark.parametrize("username", ["aa.taken", "bb", "token.bb", "operator"])
def test_a_user_name_outside_ones_own_name_space_is_refused_unseen(username: str, who: As) -> None:
    body = {"kind": "basic", "role": "feed", "label": "x", "username": username}
    answer = who("admin").post("/peers/bb/credentials", body)
    assert (answer.status, answer.json["field"]) == (400, "username")


def test_an_expiry_lies_ahead_and_is_kept(who: As, cast: Cast) -> None:
    now = clock_of(cast.hub).now
    body = {"kind": "basic", "role": "feed", "label": "x"}
    past = who("admin").post("/peers/bb/credentials", body | {"expires_at": format_timestamp(now)})
    assert (past.status, past.json["field"]) == (400, "expires_at")
    ahead = who("admin").post("/peers/bb/credentials", body | {"expires_at": "2026-12-24T12:00:00+02:00"})
    assert ahead.json["expires_at"] == "2026-12-24T10:00:00.000000Z"
    unsaid = who("admin").post("/peers/bb/credentials", body)
    assert unsaid.json["expires_at"] == format_timestamp(now + 400 * DAY)


def test_a_key_is_enrolled_shown_in_the_directory_and_revoked_for_good(who: As, cast: Cast) -> None:
    admin, feed = who("admin"), who("feed")
    pair = keyfile.generate()
    key = pair.public
    pem = f"-----BEGIN PUBLIC KEY-----\n{key.text + '=' * (-len(key.text) % 4)}\n-----END PUBLIC KEY-----\n"
    unproved = admin.post("/peers/bb/keys", {"public_key": pem})
    assert (unproved.status, unproved.json["field"]) == (400, "statement")
    enrolled = admin.post("/peers/bb/keys", {"public_key": pem, "statement": enrolment(cast.hub, "bb", pair)})
    assert (enrolled.status, enrolled.json["kid"], enrolled.json["algorithm"]) == (201, key.kid, "Ed25519")
    assert key.kid in {row["kid"] for row in feed.get("/groups/alpha/keys").json["keys"]}
    again = {"public_key": key.text, "statement": enrolment(cast.hub, "bb", pair)}
    assert admin.post("/peers/bb/keys", again).status == 409
    path = f"/peers/bb/keys/{key.kid}/revocation"
    assert admin.put(path, {"reason": "superseded"}).json["revocation_reason"] == "superseded"
    assert admin.put(path, {"reason": "retired"}).status == 409
    assert admin.put(path, {"reason": "compromised"}).json["revocation_reason"] == "compromised"
    assert admin.put(path, {"reason": "compromised"}).status == 409


@pytest.mark.parametrize(
    "public_key",
    ["MCowBQYDK2VwAyEAubMonBfU9pvIbj5RCiWQLD45Jvu6mKr+kQXjvjW8ZkU", "A" * 60, "-----BEGIN PRIVATE KEY-----" + "A" * 60],
    ids=["published test key", "no key", "private key"],
)
def test_what_is_no_usable_public_key_is_refused(public_key: str, who: As) -> None:
    answer = who("admin").post("/peers/bb/keys", {"public_key": public_key})
    assert (answer.status, answer.json["field"]) == (400, "public_key")
    assert public_key.encode() not in answer.body


def test_the_key_directory_has_the_keys_of_the_hub_and_of_active_members(who: As, cast: Cast) -> None:
    kids = {row["kid"] for row in who("feed").get("/groups/alpha/keys").json["keys"]}
    assert kids == {cast.kids["aa"], cast.kids["bb"], HUB_KEY.public.kid}


@pytest.mark.parametrize("path", ["/groups/alpha/keys", "/groups/alpha/jwks"])
def test_who_has_the_keys_already_is_told_so_until_they_change(path: str, who: As, cast: Cast) -> None:
    feed, operator = who("feed"), who("operator")
    first = feed.get(path)
    assert Draft202012Validator(KEY_DIRECTORY).is_valid(first.json) is path.endswith("keys")
    headers = {"If-None-Match": first.headers["ETag"]}
    asked = feed.app.test_client().get(BASE + path, headers=headers, auth=feed.login)
    assert (asked.status_code, asked.data, asked.headers["ETag"]) == (304, b"", first.headers["ETag"])
    operator.post("/groups/bravo/collections", {"title": "elsewhere"})
    assert feed.get(path).headers["ETag"] == first.headers["ETag"]
    operator.put(f"/peers/bb/keys/{cast.kids['bb']}/revocation", {"reason": "retired"})
    clock_of(cast.hub).now += 1
    changed = feed.app.test_client().get(BASE + path, headers=headers, auth=feed.login)
    assert (changed.status_code, changed.headers["ETag"] == first.headers["ETag"]) == (200, False)


def test_only_who_can_restore_them_sees_suspended_members(who: As) -> None:
    for part, seen in (("moderator", ["aa", "bb", "dd", "ee"]), ("analyst", ["aa", "bb"])):
        assert [row["handle"] for row in who(part).get("/groups/alpha/members").json["items"]] == seen
    assert [row["handle"] for row in who("analyst").get("/peers").json["items"]] == ["aa", "bb"]
    assert [row["handle"] for row in who("lonely").get("/peers").json["items"]] == ["ff"]


def test_a_suspended_member_is_out_at_once_and_back_with_his_rights(who: As) -> None:
    moderator, admin = who("moderator"), who("admin")
    assert moderator.patch("/groups/alpha/members/bb", {"suspended": True}).json["suspended"] is True
    assert admin.get("/groups/alpha").status == 404
    assert admin.get("/groups").json["items"] == []
    assert moderator.patch("/groups/alpha/members/bb", {"suspended": False}).json["rights"] == ["read", "write"]
    assert admin.get("/groups/alpha").status == 200


def test_a_suspended_peer_is_out_at_once(who: As) -> None:
    assert who("operator").patch("/peers/bb", {"suspended": True}).status == 200
    assert who("admin").get("/whoami").status == 401
    assert who("operator").patch("/peers/bb", {"suspended": False}).status == 200
    assert who("admin").get("/whoami").status == 200


def test_a_collections_rights_are_narrowed_and_given_back(who: As) -> None:
    moderator, admin = who("moderator"), who("admin")
    path = "/groups/alpha/collections/indicators/rights/bb"
    set_ = moderator.put(path, {"can_read": None, "can_write": False})
    assert set_.json["effective"] == {"can_read": True, "can_write": False}
    assert admin.get("/groups/alpha/collections/indicators").json["can_write"] is False
    assert moderator.delete(path).status == 204
    assert admin.get("/groups/alpha/collections/indicators").json["can_write"] is True


def test_a_group_changes_only_in_what_is_named(who: As) -> None:
    before = who("operator").get("/groups/alpha").json
    after = who("operator").patch("/groups/alpha", {"tlp_ceiling": "amber+strict", "description": "North"}).json
    assert after == before | {"tlp_ceiling": "amber+strict", "description": "North"}
    answer = who("operator").patch("/groups/alpha", {"tlp_ceiling": "green"})
    assert (answer.status, answer.json["field"]) == (400, "default_tlp")
    assert who("operator").patch("/groups/alpha", {"description": None}).json["description"] is None


def test_relay_rights_are_granted_once_and_revoked(who: As) -> None:
    operator = who("operator")
    path = f"/groups/alpha/relay-rights/aa/{VENDOR}"
    assert [operator.put(path).status, operator.put(path).status] == [201, 200]
    assert [row["handle"] for row in who("moderator").get("/groups/alpha/relay-rights").json["items"]] == ["aa", "bb"]
    assert [operator.delete(path).status, operator.delete(path).status] == [204, 404]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/peers", "handle"),
        ("/peers/bb/credentials", "id"),
        ("/groups", "slug"),
        ("/groups/alpha/members", "handle"),
        ("/groups/alpha/collections", "id"),
        ("/groups/alpha/collections/indicators/rights", "handle"),
        ("/audit", "at"),
    ],
)
def test_a_list_is_read_page_by_page_without_loss(path: str, name: str, who: As) -> None:
    operator = who("operator")
    whole = operator.get(f"{path}?limit=1000").json["items"]
    paged, after = [], ""
    while True:
        page = operator.get(f"{path}?limit=2{after}").json
        assert len(page["items"]) <= 2
        paged += page["items"]
        if not page["more"]:
            assert "next" not in page
            break
        after = f"&after={page['next']}"
    assert paged == whole
    assert len(whole) >= 2
    assert all(name in row for row in whole)


def test_what_exists_already_is_a_conflict(who: As) -> None:
    operator = who("operator")
    assert operator.post("/peers", {"handle": "aa", "name": "AA", "kind": "national"}).status == 409
    assert operator.post("/groups", {"slug": "alpha", "title": "A"}).status == 409
    assert operator.post("/groups/alpha/collections", {"title": "A", "alias": "indicators"}).status == 409
    assert operator.patch("/peers/hub", {"suspended": True}).status == 409


def test_a_moderator_withdraws_in_an_emergency_and_lifts_it_again(who: As, desk: Desk) -> None:
    incident = desk.incident("bb")
    desk.share("bb", incident)
    place = f"/groups/alpha/collections/incidents/withdrawals/{incident['id']}"
    assert who("admin").put(place, {"reason": "it names a victim"}).status == 403
    moderator = who("moderator")
    assert moderator.put(place, {"reason": ""}).status == 400
    assert moderator.put(place, {"reason": "it names a victim"}).json == {"object": incident["id"], "versions": 1}
    (notice,) = desk.seen("ee")
    assert (notice["object_refs"], "it names a victim" in notice["content"]) == ([incident["id"]], True)
    refused = desk.post("bb", *desk.sign("bb", {**incident, "modified": desk.stamp(1)}))
    assert "moderator" in refused.failures[0]["message"]
    assert moderator.put(place, {"reason": "again"}).status == 404
    assert moderator.delete(place).status == 204
    assert moderator.delete(place).status == 404
    assert not desk.post("bb", *desk.sign("bb", {**incident, "modified": desk.stamp(2)})).failures


def test_the_hubs_own_key_is_not_rotated_like_a_peers(who: As) -> None:
    kid = HUB_KEY.public.kid
    answer = who("operator").post(f"/peers/hub/keys/{kid}/rotation", {"public_key": keyfile.generate().public.text})
    assert (answer.status, "secrets" in answer.json["detail"]) == (409, True)
