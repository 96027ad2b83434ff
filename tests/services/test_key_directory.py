"""The directory of a group: signed, whole for its reader, and telling no more than he may know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.client import keyfile
from hub.domain.key_directory import Directory, read_signed
from hub.errors import InvalidRequest, SignatureError
from hub.services import groups, key_directory, keys, members
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.actor import Actor
from hub.services.context import Hub
from hub.store import key_shown, key_statements
from hub.store import keys as key_store
from hub.store import pseudonyms as pseudonym_store
from hub.store.tables import WHOLE_GROUP_ID
from tests.services.cast import HUB_KEY, Cast
from tests.services.desk import Desk, marked


def directory(hub: Hub, actor: Actor, slug: str = "alpha") -> Directory:
    """Return the directory as a client reads it."""
    return read_signed(json.loads(json.dumps(key_directory.signed(hub, actor, slug).document)))


def kids(found: Directory) -> set[str]:
    return {item.key.kid for item in found.listed}


def test_it_is_signed_by_the_hub_and_its_serial_is_the_size_of_the_log(cast: Cast) -> None:
    first = directory(cast.hub, cast.caller("analyst"))
    assert first.signer is not None
    assert (first.signer.kid, first.group, first.issued_at) == (HUB_KEY.public.kid, "alpha", cast.hub.clock())
    keys.revoke(cast.hub, OPERATOR, "bb", cast.kids["bb"], reason="retired")
    after = directory(cast.hub, cast.caller("analyst"))
    assert after.serial > first.serial
    assert {one["action"] for one in after.statements if one["kid"] == cast.kids["bb"]} == {"enrol", "revoke"}


def changed(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**document, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": 10**6},
        {"keys": []},
        {"statements": []},
        {"group": "bravo"},
        {"hub": "identity--00000000-0000-4000-8000-000000000000"},
        {"signatures": []},
        {"issued_at": "2030-01-01T00:00:00Z"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_whoever_changes_it_is_found_out(changes: dict[str, Any], cast: Cast) -> None:
    document = json.loads(json.dumps(key_directory.signed(cast.hub, cast.caller("analyst"), "alpha").document))
    with pytest.raises(SignatureError):
        read_signed(changed(document, **changes))


@pytest.mark.parametrize(
    "changes", [{"serial": "7"}, {"serial": -1}, {"serial": True}, {"statements": {}}, {"keys": {}}], ids=str
)
def test_what_is_no_directory_is_said_to_be_none(changes: dict[str, Any], cast: Cast) -> None:
    document = json.loads(json.dumps(key_directory.signed(cast.hub, cast.caller("analyst"), "alpha").document))
    with pytest.raises(InvalidRequest):
        read_signed(changed(document, **changes))


@pytest.mark.parametrize("how", ["removed", "suspended"])
def test_the_keys_of_a_peer_that_left_stay_for_those_who_see_its_objects(how: str, desk: Desk) -> None:
    kid = desk.keys["aa"].public.kid
    desk.share("aa", desk.incident("aa"))
    if how == "removed":
        members.remove(desk.hub, OPERATOR, "alpha", "aa")
    else:
        members.suspend(desk.hub, OPERATOR, "alpha", "aa")
    found = directory(desk.hub, desk.callers["bb"])
    assert kid in kids(found)
    assert desk.cast.kids["aa"] not in kids(found)  # nothing was ever signed with it
    assert {item.handle for item in found.listed if item.key.kid == kid} == {"aa"}


def test_what_was_for_some_shows_its_key_to_them_only(desk: Desk) -> None:
    terms = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", terms, marked(desk.incident("aa"), terms))
    members.remove(desk.hub, OPERATOR, "alpha", "aa")
    kid = desk.keys["aa"].public.kid
    assert kid in kids(directory(desk.hub, desk.callers["bb"]))
    assert kid not in kids(directory(desk.hub, desk.callers["ee"]))


@pytest.mark.parametrize(
    ("visibility", "moderator", "member"),
    [("open", True, True), ("moderators", True, False), ("hidden", False, False)],
)
def test_members_whom_the_reader_may_not_know_are_left_out(
    visibility: str, moderator: bool, member: bool, desk: Desk
) -> None:
    groups.update(desk.hub, OPERATOR, "alpha", member_visibility=visibility)
    unseen = desk.keys["ee"].public.kid
    for reader, knows in (("aa", moderator), ("bb", member)):
        found = directory(desk.hub, desk.callers[reader])
        assert (unseen in kids(found)) is knows, reader
        assert {desk.keys[reader].public.kid, HUB_KEY.public.kid} <= kids(found)


def test_the_author_of_what_one_sees_is_ones_to_know(desk: Desk) -> None:
    groups.update(desk.hub, OPERATOR, "alpha", member_visibility="hidden")
    desk.share("aa", desk.incident("aa"))
    listed = directory(desk.hub, desk.callers["bb"]).listed
    assert {item.handle for item in listed if item.key.kid == desk.keys["aa"].public.kid} == {"aa"}
    assert {item.handle for item in listed} == {"aa", "bb", "hub"}  # and nobody who was not seen at work


def test_nothing_of_a_pseudonyms_key_tells_whose_it_is(desk: Desk) -> None:
    pair, own = keyfile.generate(), desk.identity["aa"]
    veiled = "identity--7a3f0a51-9a2b-4c62-8a51-5f4f1b8d3c20"
    with desk.hub.db.write() as tx:
        group_id, peer_id = desk.opened("aa").group.id, desk.callers["aa"].peer.id
        made = pseudonym_store.add(tx, group_id=group_id, peer_id=peer_id, identity=veiled, name="Heron", now=1)
        key = key_store.add(
            tx, peer_id=peer_id, kid=pair.public.kid, algorithm="Ed25519", public_key=pair.public.text,
            valid_from=1, valid_until=None, now=1, pseudonym_id=made.id,
        )  # fmt: skip
        for peer in (own, veiled):
            said = json.dumps({"type": "x-cybex-key-statement", "action": "enrol", "kid": key.kid, "peer": peer})
            key_statements.add(tx, key_id=key.id, action="enrol", at=1, statement=said.encode())
        key_shown.add(tx, group_id, key.id, WHOLE_GROUP_ID)
    found = directory(desk.hub, desk.callers["bb"])
    (item,) = [item for item in found.listed if item.key.kid == key.kid]
    assert (item.key.identity, item.handle) == (veiled, "")
    assert [one["peer"] for one in found.statements if one["kid"] == key.kid] == [veiled]


def test_a_combination_is_written_once_and_never_before_the_object_is_there(desk: Desk) -> None:
    desk.share("aa", *(desk.incident("aa") for _ in range(3)))
    desk.share("aa", desk.incident("aa"))
    with desk.hub.db.read() as tx:
        key_ids = key_shown.of_reader(tx, desk.opened("aa").group.id, None)
        rows = key_store.of_ids(tx, key_ids)
    assert [key.kid for key in rows] == [desk.keys["aa"].public.kid]
    assert len(desk.hub.shown_keys._stored) == 1  # so that a third one costs no statement


def test_a_refused_object_shows_no_key(desk: Desk) -> None:
    stranger = keyfile.generate()
    desk.post("aa", *desk.sign("aa", desk.incident("aa"), key=stranger))
    with desk.hub.db.read() as tx:
        assert key_shown.of_reader(tx, desk.opened("aa").group.id, None) == set()


def test_the_jwk_set_has_what_stands_now(cast: Cast) -> None:
    def listed() -> set[str]:
        found = key_directory.as_jwk_set(cast.hub, cast.caller("analyst"), "alpha").document
        return {one["kid"] for one in found["keys"]}

    assert listed() == {cast.kids["aa"], cast.kids["bb"], HUB_KEY.public.kid}
    keys.revoke(cast.hub, OPERATOR, "bb", cast.kids["bb"], reason="retired")
    assert listed() == {cast.kids["aa"], HUB_KEY.public.kid}
