"""Markings at the door: where they are found, what they hold back, and from when until when."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import Connection

from hub.domain.releasability import EXTENSION_DEFINITION
from hub.domain.taxii import Query
from hub.domain.tlp import MARKING_DEFINITIONS
from hub.errors import NotFound
from hub.services import keys, members, read, work
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import held, refusals
from tests.services.cast import SECOND, VENDOR
from tests.services.desk import Desk, canonical, later, marked, messages, versions_of


def test_a_marking_is_found_in_the_envelope_wherever_it_stands(desk: Desk) -> None:
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    obj = marked(desk.incident(), only_bb)
    desk.share("aa", obj, only_bb)
    assert obj["id"] in desk.ids("bb")
    assert desk.ids("ee") == []


def test_a_marking_is_found_in_the_store(desk: Desk) -> None:
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", only_bb, alias="indicators")
    obj = marked(desk.incident(), only_bb)
    desk.share("aa", obj)
    assert desk.ids("bb") == [obj["id"]]
    assert desk.ids("ee") == []


def test_a_marking_under_embargo_itself_is_found_among_what_is_held(desk: Desk) -> None:
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    statement = {
        **desk.releasability("aa"),
        "definition_type": "statement",
        "definition": {"statement": "For members"},
        "object_marking_refs": [until["id"]],
    }
    del statement["extensions"]
    desk.share("aa", until, statement)
    assert statement["id"] not in desk.ids("bb")
    status = desk.share("aa", marked(desk.incident(), statement))
    assert all(line["message"].startswith("held until") for line in status.successes)


def test_an_unknown_marking_is_refused_and_the_text_says_what_to_do(desk: Desk) -> None:
    obj = desk.incident(object_marking_refs=[f"marking-definition--{uuid.uuid4()}"])
    (message,) = messages(desk.post("aa", *desk.sign("aa", obj)))
    assert "include its marking-definition in the envelope" in message
    assert desk.stored() == []


def test_a_marking_the_sender_may_not_see_is_as_unknown_as_one_that_does_not_exist(desk: Desk) -> None:
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", only_bb)
    answers = {
        message
        for marking in (only_bb, desk.releasability("ee"))
        for message in messages(desk.post("ee", desk.sign("ee", marked(desk.incident("ee"), marking))[0]))
    }
    assert len(answers) == 1


def test_a_third_partys_releasability_marking_binds_nobody(desk: Desk) -> None:
    by_bb = desk.releasability("bb")
    desk.share("bb", by_bb)
    assert messages(desk.post("aa", *desk.sign("aa", marked(desk.incident(), by_bb))))[0].startswith("releasability")


def test_what_is_under_embargo_is_accepted_and_nobody_sees_it_until_the_worker_releases_it(desk: Desk) -> None:
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    obj = marked(desk.incident(), until)
    status = desk.share("aa", until, obj)
    lines = {line["id"]: line.get("message") or "" for line in status.successes}
    assert lines[obj["id"]].startswith("held until 2026-11-22T13:")
    for handle in ("aa", "bb", "ee"):
        assert obj["id"] not in desk.ids(handle)
    assert not work.release_embargoes(desk.hub)
    desk.wait(3600)
    assert obj["id"] not in desk.ids("bb")
    assert work.run_once(desk.hub)
    assert desk.date_added("bb", obj["id"]) == desk.now()
    assert obj["id"] in desk.ids("ee")
    assert not work.run_once(desk.hub)
    assert held_versions(desk, obj["id"]) == []


def test_what_is_under_embargo_can_be_taken_back_by_its_author_and_by_nobody_else(desk: Desk) -> None:
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    obj = marked(desk.incident(), until)
    desk.share("aa", until, obj)
    with pytest.raises(NotFound):
        desk.withdraw("bb", obj["id"])
    assert desk.withdraw("aa", obj["id"]) == 1
    with pytest.raises(NotFound):
        desk.withdraw("aa", obj["id"])
    desk.wait(3600)
    work.run_once(desk.hub)
    assert obj["id"] not in desk.ids("aa")


def test_a_detached_signature_travels_with_its_held_object(desk: Desk) -> None:
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    obj = marked(desk.incident(VENDOR), until)
    desk.share("aa", until, obj)
    assert [one for one in desk.seen("bb") if one.get("related_to") == obj["id"]] == []
    desk.wait(3600)
    work.run_once(desk.hub)
    signature, found = desk.seen("bb")[-2:]
    assert (signature["related_to"], found["id"]) == (obj["id"], obj["id"])


def test_a_large_held_submission_is_released_whole_with_every_signature(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.domain.limits.COMMIT_CHUNK_OBJECTS", 2)
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    objects = [marked(desk.incident(VENDOR), until) for _ in range(5)]
    desk.share("aa", until, *objects)
    monkeypatch.setattr("hub.store.held.due.__kwdefaults__", {"limit": 3})  # a cut would part them
    desk.wait(3600)
    while work.run_once(desk.hub):
        pass
    page = [one for one in desk.seen("bb") if until["id"] in one.get("object_marking_refs", [])]
    assert len(page) == 10
    for signature, target in zip(page[::2], page[1::2], strict=True):
        assert signature["related_to"] == target["id"]


def test_a_release_that_was_interrupted_goes_on_where_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.domain.limits.COMMIT_CHUNK_OBJECTS", 1)
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    objects = [marked(desk.incident(VENDOR), until) for _ in range(3)]
    desk.share("aa", until, *objects)
    desk.wait(3600)
    calls = [0]
    real = held.remove

    def failing(tx: Connection, ids: list[int]) -> int:
        calls[0] += 1
        if calls[0] == 2:
            raise OSError("the machine stops here")
        return real(tx, ids)

    monkeypatch.setattr(held, "remove", failing)
    with pytest.raises(OSError, match="stops here"):
        work.release_embargoes(desk.hub)
    assert sum(one["type"] == "incident" for one in desk.seen("bb")) == 1
    assert work.release_embargoes(desk.hub)
    assert not work.release_embargoes(desk.hub)
    assert [one["id"] for one in desk.seen("bb") if one["type"] == "incident"] == [one["id"] for one in objects]
    assert sum(one["type"] == "jss-signature" for one in desk.seen("bb")) == 4


def test_membership_that_was_lost_meanwhile_refuses_the_release(desk: Desk) -> None:
    until = desk.releasability("bb", embargo_until=desk.stamp(3600))
    obj = marked(desk.incident("bb"), until)
    desk.share("bb", until, obj)
    members.suspend(desk.hub, OPERATOR, "alpha", "bb")
    desk.wait(3600)
    assert work.run_once(desk.hub)
    assert obj["id"] not in desk.ids("aa")
    assert held_versions(desk, obj["id"]) == []
    with desk.hub.db.read() as tx:
        (refusal,) = refusals.recent(tx, limit=5)
    assert (refusal.stix_id, refusal.rule, refusal.body) == (obj["id"], "membership", None)


def test_a_key_that_was_compromised_meanwhile_refuses_the_release(desk: Desk) -> None:
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    obj = marked(desk.incident(), until)
    desk.share("aa", until, obj)
    keys.revoke(desk.hub, OPERATOR, "aa", desk.keys["aa"].public.kid, reason="compromised")
    desk.wait(3600)
    work.run_once(desk.hub)
    assert obj["id"] not in desk.ids("aa")


def test_posting_what_is_held_already_holds_it_once(desk: Desk) -> None:
    until = desk.releasability("aa", embargo_until=desk.stamp(3600))
    obj = marked(desk.incident(), until)
    signed = desk.sign("aa", until, obj)
    desk.post("aa", *signed)
    status = desk.post("aa", *signed, *desk.sign("aa", desk.incident()))
    assert not status.failures
    assert len(held_versions(desk, obj["id"])) == 1
    desk.wait(3600)
    work.run_once(desk.hub)
    assert versions_of(desk.seen("bb"), obj["id"]) == [obj["modified"]]


def test_a_permission_that_expires_hides_the_object_from_everybody_at_that_instant(desk: Desk) -> None:
    until = desk.releasability("aa", permission_expires=desk.stamp(60))
    obj = marked(desk.incident(), until)
    desk.share("aa", until, obj)
    desk.wait(60 - 1 / SECOND)
    assert obj["id"] in desk.ids("bb")
    desk.wait(1 / SECOND)
    for handle in ("aa", "bb", "ee"):
        assert desk.ids(handle) == []
        with pytest.raises(NotFound):
            desk.date_added(handle, obj["id"])


def test_an_expired_permission_is_refused_at_the_door(desk: Desk) -> None:
    until = desk.releasability("aa", permission_expires=desk.stamp(-60))
    status = desk.post("aa", *desk.sign("aa", until, marked(desk.incident(), until)))
    assert any("already expired" in message for message in messages(status))
    assert desk.stored() == []


@pytest.mark.parametrize("builtin", [MARKING_DEFINITIONS[2], EXTENSION_DEFINITION], ids=["tlp-amber", "extension"])
def test_what_the_hub_serves_itself_needs_no_signature_and_is_on_no_page(
    desk: Desk, builtin: dict[str, object]
) -> None:
    status = desk.post("aa", dict(builtin))
    assert [line["id"] for line in status.successes] == [builtin["id"]]
    assert desk.stored() == []
    assert desk.seen("bb") == []
    page = read.one(desk.hub, desk.callers["bb"], desk.opened("bb"), str(builtin["id"]), Query())
    assert page.bodies == [canonical(dict(builtin))]


def test_nobody_gives_other_content_to_what_the_hub_serves_itself(desk: Desk) -> None:
    changed = {**EXTENSION_DEFINITION, "name": "Something else"}
    assert messages(desk.post("aa", changed))[0].startswith("ownership: this id is of an object of the hub itself")
    assert desk.stored() == []


def test_what_carries_a_published_tlp_marking_is_shared_inside_the_group(desk: Desk) -> None:
    obj = marked(desk.incident(), MARKING_DEFINITIONS[2])
    desk.share("aa", obj)
    desk.share("aa", later(obj))
    assert versions_of(desk.seen("ee"), obj["id"]) == [later(obj)["modified"]]


def held_versions(desk: Desk, stix_id: str) -> list[held.Held]:
    """Return what is held of an object."""
    with desk.hub.db.read() as tx:
        return held.of_object(tx, stix_id)
