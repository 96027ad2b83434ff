"""Versions, repeats and owners: one content under one version, one owner for one object, and the same POST twice."""

from __future__ import annotations

import uuid

import pytest

from hub.domain.taxii import VersionMatch
from hub.errors import Forbidden, NotFound
from hub.services import collections, members, relay_rights
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.cast import SECOND, VENDOR
from tests.services.desk import EVERY_VERSION, Desk, canonical, domain, later, marked, messages, versions_of

NOT_YOURS = "not yours to publish"


def test_two_versions_in_one_envelope_are_both_stored_and_the_later_is_the_latest(desk: Desk) -> None:
    obj = desk.incident()
    newer = later(obj)
    status = desk.share("aa", newer, obj)
    assert len(status.successes) == 2
    assert versions_of(desk.seen("bb"), obj["id"]) == [newer["modified"]]
    assert len(versions_of(desk.seen("bb", versions=EVERY_VERSION), obj["id"])) == 2


def test_an_older_version_that_comes_late_does_not_become_the_latest(desk: Desk) -> None:
    obj = desk.incident()
    newer = later(obj)
    desk.share("aa", newer)
    desk.wait(5)
    desk.share("aa", obj)
    assert versions_of(desk.seen("bb"), obj["id"]) == [newer["modified"]]


def test_the_same_object_twice_in_one_envelope_is_stored_once(desk: Desk) -> None:
    (signed,) = desk.sign("aa", desk.incident())
    status = desk.post("aa", signed, signed)
    assert [line.get("message") for line in status.successes] == [None, "already stored"]
    assert desk.stored() == [canonical(signed)]


def test_two_contents_of_one_version_in_one_envelope_are_one_stored_and_one_conflict(desk: Desk) -> None:
    obj = desk.incident()
    first, second = desk.sign("aa", obj, {**obj, "name": "Other words"})
    status = desk.post("aa", first, second)
    assert len(status.successes) == 1
    assert messages(status)[0].startswith("version: this version is stored already with other content")
    assert desk.stored() == [canonical(first)]


def test_other_content_under_a_stored_version_is_kept_for_the_operator_and_echoed_to_nobody(desk: Desk) -> None:
    obj = desk.incident()
    desk.share("aa", obj)
    (forged,) = desk.sign("aa", {**obj, "name": "secret-second-content"})
    status = desk.post("aa", forged)
    assert status.successes == []
    assert "secret-second-content" not in str(status)
    assert desk.refused_bodies() == [canonical(forged)]
    assert [one["name"] for one in desk.seen("bb")] == [obj["name"]]


def test_the_same_envelope_again_has_the_same_status_and_changes_nothing(desk: Desk) -> None:
    signed = desk.sign("aa", desk.incident(), domain())
    status = desk.post("aa", *signed)
    date = desk.date_added("bb", signed[0]["id"])
    desk.wait(60)
    assert desk.post("aa", *signed) == status
    assert desk.date_added("bb", signed[0]["id"]) == date
    assert len(desk.stored()) == 3


def test_the_same_envelope_from_another_peer_is_another_submission(desk: Desk) -> None:
    signed = desk.sign("aa", desk.incident())
    status = desk.post("aa", *signed)
    again = desk.post("bb", *signed)
    assert again.uuid != status.uuid
    assert len(again.failures) == 1


def test_an_envelope_with_failures_is_tried_again_and_stores_nothing_twice(desk: Desk) -> None:
    good, bad = desk.sign("aa", desk.incident(), desk.incident())
    bad = {**bad, "name": "changed"}
    first, second = desk.post("aa", good, bad), desk.post("aa", good, bad)
    assert second.uuid != first.uuid
    assert second.failures == first.failures
    assert [line.get("message") for line in second.successes] == ["already stored"]
    assert desk.stored() == [canonical(good)]


def test_what_was_deleted_may_be_posted_again_by_its_owner_and_gets_a_new_date(desk: Desk) -> None:
    signed = desk.sign("aa", desk.incident())
    first = desk.post("aa", *signed)
    date = desk.date_added("bb", signed[0]["id"])
    assert date is not None
    desk.wait(60)
    assert desk.withdraw("aa", signed[0]["id"]) == 1
    again = desk.post("aa", *signed)
    assert again.uuid != first.uuid
    assert (desk.date_added("bb", signed[0]["id"]) or 0) >= date + 60 * SECOND


def test_one_version_deleted_and_posted_again_is_stored_for_everybody_again(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("bb", obj)
    newer = later(obj)
    desk.share("bb", newer)
    assert desk.withdraw("bb", obj["id"], VersionMatch(last=True)) == 1
    assert messages(desk.post("ee", *desk.sign("ee", newer)))[0].startswith("ownership")
    desk.share("bb", newer)
    status = desk.post("ee", *desk.sign("ee", newer))
    assert [line.get("message") for line in status.successes] == ["already stored", None]


def test_only_the_authors_peer_publishes_in_its_name(desk: Desk) -> None:
    obj = desk.incident("aa")
    for handle in ("bb", "ee"):
        assert NOT_YOURS in messages(desk.post(handle, *desk.sign(handle, obj)))[0]
    assert desk.stored() == []
    desk.share("aa", obj)
    assert NOT_YOURS in messages(desk.post("bb", *desk.sign("bb", later(obj))))[0]


def test_the_authors_name_is_protected_in_every_group(desk: Desk) -> None:
    assert NOT_YOURS in messages(desk.post("cc", desk.incident("aa"), slug="bravo"))[0]


def test_a_relay_right_lets_a_member_publish_for_an_author_until_it_is_revoked(desk: Desk) -> None:
    obj = desk.incident("aa")
    relay_rights.grant(desk.hub, OPERATOR, "alpha", "bb", desk.identity["aa"])
    desk.share("bb", obj)
    (signed_by_author,) = desk.sign("aa", later(obj))
    assert not desk.post("bb", signed_by_author).failures
    assert desk.date_added("aa", obj["id"]) is not None
    relay_rights.revoke(desk.hub, OPERATOR, "alpha", "bb", desk.identity["aa"])
    assert NOT_YOURS in messages(desk.post("bb", *desk.sign("bb", later(obj, 2))))[0]
    assert len(versions_of(desk.seen("ee", versions=EVERY_VERSION), obj["id"])) == 2


def test_a_relay_right_in_one_group_is_none_in_another(desk: Desk) -> None:
    relay_rights.grant(desk.hub, OPERATOR, "alpha", "bb", desk.identity["aa"])
    assert NOT_YOURS in messages(desk.post("bb", *desk.sign("bb", desk.incident("aa")), slug="bravo"))[0]


def test_the_author_of_an_object_never_changes(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    other = f"identity--{uuid.uuid4()}"
    status = desk.post("aa", *desk.sign("aa", later(obj, created_by_ref=other)))
    assert messages(status)[0].startswith("ownership: created_by_ref of a version differs")
    own = desk.post("aa", *desk.sign("aa", later(obj, created_by_ref=desk.identity["aa"])))
    assert messages(own)[0].startswith("ownership")


def test_an_object_without_an_author_belongs_to_the_peer_that_brought_it_first(desk: Desk) -> None:
    obj = desk.incident(None)
    desk.share("aa", obj)
    assert NOT_YOURS in messages(desk.post("bb", *desk.sign("bb", later(obj))))[0]
    desk.share("aa", later(obj))
    assert len(versions_of(desk.seen("bb", versions=EVERY_VERSION), obj["id"])) == 2


def test_any_member_may_bring_the_next_version_of_what_a_vendor_made(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    desk.share("bb", later(obj))
    assert versions_of(desk.seen("ee"), obj["id"]) == [later(obj)["modified"]]


def test_but_he_may_not_take_it_from_readers_it_has(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    only_aa = desk.releasability("bb", recipient_refs=[desk.identity["aa"]])
    status = desk.post("bb", *desk.sign("bb", only_aa, marked(later(obj), only_aa)))
    assert any("for more readers" in message for message in messages(status))
    assert versions_of(desk.seen("ee"), obj["id"]) == [obj["modified"]]


def test_the_author_himself_may_narrow_and_the_old_version_goes_for_all(desk: Desk) -> None:
    obj = desk.incident()
    desk.share("aa", obj)
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", only_bb, marked(later(obj), only_bb))
    assert versions_of(desk.seen("bb"), obj["id"]) == [later(obj)["modified"]]
    assert versions_of(desk.seen("ee"), obj["id"]) == []


# Who may delete what AA, a vendor by way of BB, and nobody by way of BB have published.
@pytest.mark.parametrize(
    ("publisher", "author", "deleter", "outcome"),
    [
        ("aa", "aa", "aa", 1),
        ("aa", "aa", "bb", Forbidden),
        ("bb", VENDOR, "bb", 1),
        ("bb", VENDOR, "ee", Forbidden),
        ("bb", VENDOR, "aa", 1),
        ("bb", None, "bb", 1),
        ("bb", None, "ee", Forbidden),
        ("bb", "bb", "aa", 1),
    ],
    ids=[
        "author",
        "another-member",
        "introducer",
        "not-the-introducer",
        "moderator-of-a-vendors",
        "first-of-an-authorless",
        "not-the-first",
        "moderator-of-a-members",
    ],
)
def test_who_may_delete(
    desk: Desk, publisher: str, author: str | None, deleter: str, outcome: int | type[Exception]
) -> None:
    obj = desk.incident(author)
    desk.share(publisher, obj)
    if isinstance(outcome, int):
        assert desk.withdraw(deleter, obj["id"]) == outcome
        for reader in ("ee", publisher):
            assert [one["object_refs"] for one in desk.seen(reader)] == [[obj["id"]]]  # the notice, and nothing else
    else:
        with pytest.raises(outcome):
            desk.withdraw(deleter, obj["id"])
        assert desk.ids("ee") == [obj["id"]]


def test_what_he_cannot_see_does_not_exist_for_the_deleter(desk: Desk) -> None:
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    obj = marked(desk.incident(), only_bb)
    desk.share("aa", only_bb, obj)
    for stix_id in (obj["id"], desk.incident()["id"]):
        with pytest.raises(NotFound, match="no such object"):
            desk.withdraw("ee", stix_id)


def test_deleting_needs_both_rights_and_without_any_nothing_exists(desk: Desk) -> None:
    obj = desk.incident("bb")
    desk.share("bb", obj)
    for rights, refusal in (((True, False), Forbidden), ((False, True), Forbidden), ((False, False), NotFound)):
        collections.set_rights(desk.hub, OPERATOR, "alpha", "incidents", "bb", rights)
        with pytest.raises(refusal):
            desk.withdraw("bb", obj["id"])
    assert desk.ids("ee") == [obj["id"]]


def test_an_observable_is_deleted_as_far_as_it_is_ones_own_and_tells_of_nobody_elses(desk: Desk) -> None:
    """BB has said the same to AA alone; EE's own deletion must not fail because of that."""
    plain = domain()
    only_aa = desk.releasability("bb", recipient_refs=[desk.identity["aa"]])
    desk.share("ee", plain)
    desk.share("bb", only_aa, marked(plain, only_aa))
    assert desk.withdraw("ee", plain["id"]) == 1
    assert plain["id"] not in desk.ids("ee")
    assert plain["id"] in desk.ids("aa")


def test_a_hidden_earlier_introduction_does_not_stand_in_the_way_of_deleting(desk: Desk) -> None:
    only_aa = desk.releasability("bb", recipient_refs=[desk.identity["aa"]])
    obj = desk.incident(VENDOR)
    desk.share("bb", only_aa, marked(obj, only_aa))
    desk.share("ee", later(obj))
    assert desk.withdraw("ee", obj["id"]) == 1
    with pytest.raises(NotFound):
        desk.withdraw("ee", obj["id"])


def test_deleting_takes_the_owners_expired_versions_too(desk: Desk) -> None:
    until = desk.releasability("aa", permission_expires=desk.stamp(60))
    obj = desk.incident()
    desk.share("aa", until, marked(obj, until))
    desk.share("aa", later(obj))
    desk.wait(120)
    assert desk.withdraw("aa", obj["id"]) == 2


def test_a_moderators_deletion_stands_against_the_author(desk: Desk) -> None:
    obj = desk.incident("bb")
    desk.share("bb", obj)
    desk.withdraw("aa", obj["id"])
    assert messages(desk.post("bb", *desk.sign("bb", obj)))[0].startswith("ownership")


def test_a_suspended_member_can_do_nothing(desk: Desk) -> None:
    obj = desk.incident("bb")
    desk.share("bb", obj)
    members.suspend(desk.hub, OPERATOR, "alpha", "bb")
    for call in (lambda: desk.seen("bb"), lambda: desk.share("bb", later(obj)), lambda: desk.withdraw("bb", obj["id"])):
        with pytest.raises(NotFound):
            call()
    members.restore(desk.hub, OPERATOR, "alpha", "bb")
    assert desk.ids("bb") == [obj["id"]]
