"""Retraction: what is withdrawn is gone at once, everyone who has it is told, and nobody learns of more than he had."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from hub.domain.retraction import EXTENSION_ID, Target, notice, read
from hub.domain.signature_profile import detached_signature
from hub.domain.taxii import Query, VersionMatch
from hub.errors import Forbidden, NotFound
from hub.services import collections, deliveries, holds, members, withdraw
from hub.services import read as reading
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.desk import EVERY_VERSION, Desk, Stix, domain, later, marked, messages, versions_of


def retraction(desk: Desk, handle: str, *targets: Stix | Target, **said: Any) -> Stix:
    """Return a retraction note by a peer."""
    return notice(
        stix_id=f"note--{uuid.uuid4()}",
        identity=desk.identity[handle],
        at=desk.now(),
        kind="retracted",
        targets=[one if isinstance(one, Target) else Target(one["id"]) for one in targets],
        **said,
    )


def notices(desk: Desk, handle: str, **place: str) -> list[Stix]:
    """Return the retractions that a peer reads."""
    return [one for one in desk.seen(handle, **place) if EXTENSION_ID in one.get("extensions", {})]


def told(desk: Desk, handle: str, **place: str) -> list[tuple[str, str, tuple[str, ...] | None]]:
    """Return (kind, object, versions) of every retraction that a peer reads."""
    found = [read(one) for one in notices(desk, handle, **place)]
    return [(one.kind, target.stix_id, target.versions) for one in found for target in one.targets]


def rows(desk: Desk, statement: str) -> list[Any]:
    with desk.hub.db.read() as tx:
        return [tuple(row) for row in tx.execute(text(statement))]


def test_a_deletion_is_told_to_every_reader_after_everything_else(desk: Desk) -> None:
    incident = desk.incident()
    desk.share("aa", incident, desk.incident(name="Another"))
    assert desk.withdraw("aa", incident["id"]) == 1
    for handle in ("aa", "bb"):
        assert told(desk, handle) == [("deleted", incident["id"], None)]
        last = desk.seen(handle)[-1]
        assert last["type"] == "note"
        assert last["object_refs"] == [incident["id"]]
        assert last["signatures"]
    assert desk.hub.validator.problems(notices(desk, "bb")[0]) == ()
    assert told(desk, "bb", slug="bravo") == []


def test_a_notice_tells_nobody_of_what_he_did_not_have(desk: Desk) -> None:
    for_ee = desk.releasability("aa", recipient_refs=[desk.identity["ee"]])
    incident = desk.incident()
    narrow = marked(incident, for_ee)
    desk.share("aa", for_ee, narrow)
    desk.withdraw("aa", incident["id"])
    assert [told(desk, handle) for handle in ("bb", "ee")] == [[], [("deleted", incident["id"], None)]]


def test_some_versions_are_named_to_those_who_have_them(desk: Desk) -> None:
    first = desk.incident()
    for_ee = desk.releasability("aa", recipient_refs=[desk.identity["ee"]])
    second = marked(later(first), for_ee)
    third = later(first, 2)
    desk.share("aa", for_ee, second)
    desk.share("aa", third)
    assert versions_of(desk.seen("bb", versions=EVERY_VERSION), first["id"]) == [third["modified"]]
    assert desk.withdraw("aa", first["id"], VersionMatch(last=True)) == 1
    assert told(desk, "bb") == [("deleted", first["id"], (third["modified"],))]


def test_a_revoked_version_stays_and_those_before_it_go(desk: Desk) -> None:
    first = desk.incident()
    desk.share("aa", first)
    desk.share("aa", later(first))
    revoked = later(first, 2, revoked=True)
    status = desk.share("aa", revoked)
    assert [line.get("message") for line in status.successes if line["id"] == first["id"]] == [
        "revoked 2 versions, to reach 2 peers"
    ]
    for handle in ("aa", "bb", "ee"):
        assert versions_of(desk.seen(handle, versions=EVERY_VERSION), first["id"]) == [revoked["modified"]]
        assert told(desk, handle) == []
    assert messages(desk.post("aa", *desk.sign("aa", later(first, 1.5)))) == [
        "version: this object is revoked, and a revocation is final: share what is true now as a new object"
    ]
    assert rows(desk, "SELECT kind, notice_id FROM retraction") == [("revoked", first["id"])]


def test_whoever_may_not_see_the_revoked_version_gets_a_notice(desk: Desk) -> None:
    first = desk.incident()
    desk.share("aa", first)
    for_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", for_bb, marked(later(first, revoked=True), for_bb))
    assert told(desk, "bb") == []
    assert told(desk, "ee") == [("revoked", first["id"], (first["modified"],))]
    assert versions_of(desk.seen("ee", versions=EVERY_VERSION), first["id"]) == []


def test_a_narrower_version_takes_the_earlier_ones_from_those_it_leaves_out(desk: Desk) -> None:
    first = desk.incident()
    desk.share("aa", first)
    for_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    second = marked(later(first), for_bb)
    status = desk.share("aa", for_bb, second)
    assert "narrowed 1 version, to reach 1 peer" in [line.get("message") for line in status.successes]
    assert versions_of(desk.seen("bb", versions=EVERY_VERSION), first["id"]) == [first["modified"], second["modified"]]
    seen = desk.seen("ee", versions=EVERY_VERSION)
    assert [one for one in seen if first["id"] in (one["id"], one.get("related_to"))] == []
    assert told(desk, "ee") == [("narrowed", first["id"], (first["modified"],))]
    assert told(desk, "bb") == told(desk, "aa") == []


def test_a_version_that_comes_after_a_narrower_one_was_never_for_more(desk: Desk) -> None:
    first = desk.incident()
    for_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", for_bb, marked(later(first), for_bb))
    desk.share("aa", first)
    seen = desk.seen("ee", versions=EVERY_VERSION)
    assert [one for one in seen if first["id"] in (one["id"], one.get("related_to"))] == []
    assert versions_of(desk.seen("bb", versions=EVERY_VERSION), first["id"]) == [
        later(first)["modified"],
        first["modified"],
    ]
    assert told(desk, "ee") == []


def test_an_author_withdraws_an_observable_and_others_statements_of_it_stay(desk: Desk) -> None:
    ours, theirs = domain(), domain(defanged=True)
    desk.share("aa", ours)
    desk.share("bb", theirs)
    status = desk.share("aa", retraction(desk, "aa", ours, reason="mistyped"))
    assert "retracted 1 version, to reach 2 peers" in [line.get("message") for line in status.successes]
    left = [one for one in desk.seen("ee", versions=EVERY_VERSION) if one["id"] == ours["id"]]
    assert left == [theirs]
    (note,) = notices(desk, "ee")
    assert note["created_by_ref"] == desk.identity["aa"]
    desk.share("bb", {**ours, "defanged": False})


def test_an_incident_goes_with_its_contents(desk: Desk) -> None:
    incident = desk.incident()
    ours, theirs = desk.incident(name="Separate"), desk.incident("bb", name="Theirs")
    indicator = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created_by_ref": desk.identity["aa"],
        "created": desk.stamp(),
        "modified": desk.stamp(),
        "pattern": "[domain-name:value = 'x.example']",
        "pattern_type": "stix",
        "valid_from": desk.stamp(),
    }
    relationship = {
        "type": "relationship",
        "spec_version": "2.1",
        "id": f"relationship--{uuid.uuid4()}",
        "created_by_ref": desk.identity["aa"],
        "created": desk.stamp(),
        "modified": desk.stamp(),
        "relationship_type": "related-to",
        "source_ref": indicator["id"],
        "target_ref": incident["id"],
    }
    to_theirs = {**relationship, "id": f"relationship--{uuid.uuid4()}", "source_ref": theirs["id"]}
    desk.share("bb", theirs)
    desk.share("aa", incident, ours, indicator, relationship, to_theirs)
    status = desk.share("aa", retraction(desk, "aa", incident, contents=True))
    assert "retracted 4 versions, to reach 2 peers" in [line.get("message") for line in status.successes]
    left = {
        one["id"] for one in desk.seen("bb", versions=EVERY_VERSION) if one["type"] not in ("note", "jss-signature")
    }
    assert left == {ours["id"], theirs["id"]}
    assert [one["type"] for one in notices(desk, "bb")] == ["note", "note"]
    assert {stix_id for _, stix_id, _ in told(desk, "bb")} == {
        incident["id"], indicator["id"], relationship["id"], to_theirs["id"]
    }  # fmt: skip


@pytest.mark.parametrize("case", ["another's", "unknown", "hidden", "a version that is not there", "elsewhere"])
def test_what_is_not_his_to_withdraw_is_refused_as_a_whole_with_one_text(desk: Desk, case: str) -> None:
    mine, theirs = desk.incident("bb"), desk.incident("aa")
    for_ee = desk.releasability("aa", recipient_refs=[desk.identity["ee"]])
    hidden = marked(desk.incident("aa"), for_ee)
    elsewhere = desk.incident("bb")
    desk.share("bb", mine)
    desk.share("aa", theirs, for_ee, hidden)
    collections.add(desk.hub, OPERATOR, "alpha", title="Other", alias="other")
    desk.share("bb", elsewhere, alias="other")
    target = {
        "another's": Target(theirs["id"]),
        "unknown": Target(desk.incident()["id"]),
        "hidden": Target(hidden["id"]),
        "a version that is not there": Target(mine["id"], ("2020-01-01T00:00:00.000Z",)),
        "elsewhere": Target(elsewhere["id"]),
    }[case]
    targets = [target] if target.stix_id == mine["id"] else [Target(mine["id"]), target]
    status = desk.post("bb", *desk.sign("bb", retraction(desk, "bb", *targets)))
    assert messages(status) == [
        "retraction: a target is not here, or not yours to withdraw: name objects, and versions, that you have"
        " published in this collection and can read"
    ]
    assert mine["id"] in desk.ids("bb")


def test_a_retraction_reaches_who_was_served_and_is_no_member_any_more(desk: Desk) -> None:
    incident = desk.incident()
    desk.share("aa", incident)
    members.suspend(desk.hub, OPERATOR, "alpha", "ee")
    deliveries.flush(desk.hub)
    desk.withdraw("aa", incident["id"])
    members.restore(desk.hub, OPERATOR, "alpha", "ee")
    assert told(desk, "ee") == [("deleted", incident["id"], None)]


def test_a_retraction_stays_as_it_is(desk: Desk) -> None:
    incident, other = desk.incident("bb"), desk.incident("bb")
    desk.share("bb", incident, other)
    note = retraction(desk, "bb", incident)
    desk.share("bb", note)
    assert messages(desk.post("bb", *desk.sign("bb", later(note)))) == [
        "retraction: a retraction is never changed, and no other note becomes one: post a new note"
    ]
    refused = desk.post("bb", *desk.sign("bb", retraction(desk, "bb", note)))
    assert messages(refused)[0].startswith("retraction: ")
    desk.withdraw("bb", other["id"])
    (hubs,) = [one for one in notices(desk, "aa") if one["id"] != note["id"]]
    for stix_id in (note["id"], hubs["id"]):
        with pytest.raises(Forbidden):
            desk.withdraw("aa", stix_id)


def test_what_a_moderator_withdrew_says_so_and_comes_back_only_when_that_is_lifted(desk: Desk) -> None:
    incident = desk.incident("bb")
    (signed,) = [one for one in desk.sign("bb", incident) if one["id"] == incident["id"]]
    desk.post("bb", signed)
    withdraw.withdraw(desk.hub, desk.callers["aa"], "alpha", "incidents", incident["id"], reason="personal data")
    (note,) = notices(desk, "bb")
    assert (read(note).kind, read(note).reason) == ("moderated", "personal data")
    refused = [messages(desk.post("bb", *desk.sign("bb", one)))[0] for one in (incident, later(incident))]
    assert set(refused) == {
        "ownership: a moderator of the group, or the operator, has withdrawn this: ask them to lift it before you post"
        " it again"
    }
    with pytest.raises(Forbidden):
        withdraw.lift(desk.hub, desk.callers["bb"], "alpha", "incidents", incident["id"])
    withdraw.lift(desk.hub, desk.callers["aa"], "alpha", "incidents", incident["id"])
    desk.share("bb", incident)
    assert incident["id"] in desk.ids("ee")


def test_an_observable_a_moderator_withdrew_is_posted_by_nobody(desk: Desk) -> None:
    desk.share("bb", domain())
    withdraw.withdraw(desk.hub, OPERATOR, "alpha", "incidents", domain()["id"], reason="a person's address")
    for handle in ("aa", "bb"):
        assert messages(desk.post(handle, *desk.sign(handle, domain())))[0].startswith("ownership: ")
    withdraw.lift(desk.hub, OPERATOR, "alpha", "incidents", domain()["id"])
    desk.share("aa", domain())


def test_every_withdrawal_has_leaves_that_its_people_can_open(desk: Desk) -> None:
    incident = desk.incident("bb")
    desk.share("bb", incident)
    withdraw.withdraw(desk.hub, desk.callers["aa"], "alpha", "incidents", incident["id"], reason="wrong")
    ((index, notice_id),) = rows(desk, "SELECT log_index, notice_id FROM retraction")
    leaves = {
        row[0]: row[1:] for row in rows(desk, "SELECT idx, kind, peer_id, subject_peer_id, payload FROM log_leaf")
    }
    kind, peer, about, payload = leaves[index]
    said = json.loads(bytes(payload))
    assert (kind, peer, about) == ("retracted", desk.callers["aa"].peer.id, desk.callers["bb"].peer.id)
    assert (said["kind"], said["id"], said["notice"], said["holders"]) == ("moderated", incident["id"], notice_id, 3)
    places = dict(rows(desk, "SELECT stix_id, log_index FROM entry"))
    assert json.loads(bytes(leaves[places[notice_id]][3]))["id"] == notice_id


def test_what_is_under_hold_is_kept_and_served_to_nobody(desk: Desk) -> None:
    incident, other = desk.incident(), desk.incident()
    desk.share("aa", incident, other)
    placed = holds.place(desk.hub, OPERATOR, "alpha", stix_id=incident["id"], reason="court order 7")
    desk.withdraw("aa", incident["id"])
    desk.withdraw("aa", other["id"])
    kept = holds.kept(desk.hub, OPERATOR)
    assert [one.stix_id for one in kept if one.stix_id.startswith("incident")] == [incident["id"]]
    with pytest.raises(NotFound):
        reading.one(desk.hub, desk.callers["aa"], desk.opened("aa"), incident["id"], Query())
    assert holds.purge(desk.hub, OPERATOR) == 0
    holds.release(desk.hub, OPERATOR, placed.uuid)
    assert len(holds.kept(desk.hub, OPERATOR)) == len(kept)
    assert holds.purge(desk.hub, OPERATOR) == len(kept)
    assert holds.kept(desk.hub, OPERATOR) == []


def test_a_countersignature_by_another_peer_can_come_back_with_its_object(desk: Desk) -> None:
    (incident,) = desk.sign("aa", desk.incident())
    assert not desk.post("aa", incident).failures
    countersignature = detached_signature(
        incident,
        desk.keys["bb"],
        identity=desk.identity["bb"],
        created=desk.stamp(),
        uuid=str(uuid.uuid4()),
        related_version=incident["modified"],
    )
    assert not desk.post("bb", countersignature).failures
    desk.withdraw("aa", incident["id"])
    assert not desk.post("aa", incident).failures
    assert not desk.post("bb", countersignature).failures
    assert countersignature in desk.seen("ee")
