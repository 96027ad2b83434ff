"""A pseudonym: asked for with two keys, used by its peer in its group alone, and connected to it by nothing."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from hub.client import keyfile
from hub.domain.audience import Audience
from hub.domain.bundle_signing import sign_objects
from hub.domain.canonical import parse
from hub.domain.key_material import PrivateKey
from hub.domain.policy.ownership import NOT_YOURS
from hub.domain.pseudonym import request
from hub.domain.taxii import Query
from hub.errors import Forbidden, InvalidRequest, NotFound, SignatureError
from hub.services import audit, delivered, explain, groups, key_directory, keys, members, preview, pseudonyms, read
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.cast import BOTH
from tests.services.desk import Desk, Stix, later, marked, messages


def asked(desk: Desk, handle: str, key: PrivateKey, *, slug: str = "alpha", own: PrivateKey | None = None) -> Stix:
    """Return the request of a peer for a pseudonym."""
    ids = (str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4()))
    return request(
        group=slug, by=desk.identity[handle], own=own or desk.keys[handle], key=key, uuids=ids, now=desk.now()
    )


def admin(desk: Desk, handle: str) -> Any:
    """Return the administrator of a peer."""
    return desk.cast.caller({"aa": "moderator", "bb": "admin", "cc": "foreign", "ee": "suspended-member"}[handle])


def adopt(desk: Desk, handle: str = "aa", *, slug: str = "alpha", name: str = "nym") -> pseudonyms.Owned:
    """Give a peer a pseudonym; its key and identity are at the desk under ``name``."""
    groups.update(desk.hub, OPERATOR, slug, pseudonyms=True)
    desk.keys[name] = keyfile.generate()
    owned = pseudonyms.request(desk.hub, admin(desk, handle), slug, asked(desk, handle, desk.keys[name], slug=slug))
    desk.identity[name] = owned.pseudonym.identity
    desk.wait(1)
    return owned


def signed(desk: Desk, name: str, *objects: Stix) -> list[Stix]:
    made, _ = sign_objects(
        objects,
        desk.keys[name],
        identity=desk.identity[name],
        created=desk.stamp(),
        new_uuid=lambda: str(uuid.uuid4()),
    )
    return made


def listed_keys(desk: Desk, handle: str) -> list[dict[str, Any]]:
    """Return the entries of the key directory of alpha as this member is given it."""
    document: dict[str, Any] = key_directory.signed(desk.hub, desk.callers[handle], "alpha").document
    entries: list[dict[str, Any]] = document["keys"]
    return entries


def test_what_is_published_under_a_pseudonym_is_read_as_its_own(desk: Desk) -> None:
    owned = adopt(desk)
    incident = desk.incident("nym")
    status = desk.post("aa", *signed(desk, "nym", incident))
    assert not status.failures, status.failures
    (seen,) = desk.seen("bb")
    assert seen["created_by_ref"] == owned.pseudonym.identity != desk.identity["aa"]
    page = read.one(desk.hub, desk.callers["bb"], desk.opened("bb"), owned.pseudonym.identity, Query())
    identity = parse(page.bodies[0])
    assert identity == {
        "type": "identity",
        "spec_version": "2.1",
        "id": owned.pseudonym.identity,
        "created": "2026-11-22T00:00:00.000Z",
        "modified": "2026-11-22T00:00:00.000Z",
        "name": f"Member {owned.pseudonym.identity[10:14]} of alpha",
        "identity_class": "organization",
    }
    with pytest.raises(NotFound):
        read.one(
            desk.hub,
            desk.callers["bb"],
            desk.opened("bb", slug="bravo"),
            owned.pseudonym.identity,
            Query(),
        )


def test_a_new_version_and_the_withdrawal_come_from_the_same_peer_alone(desk: Desk) -> None:
    adopt(desk)
    incident = desk.incident("nym")
    assert not desk.post("aa", *signed(desk, "nym", incident)).failures
    assert not desk.post("aa", *signed(desk, "nym", later(incident, name="Second"))).failures
    with pytest.raises(Forbidden):
        desk.withdraw("bb", incident["id"])
    desk.withdraw("aa", incident["id"])
    assert incident["id"] not in desk.ids("bb")


@pytest.mark.parametrize("slug", ["alpha", "bravo"])
def test_no_other_peer_uses_the_identity(desk: Desk, slug: str) -> None:
    adopt(desk)
    incident = desk.incident("nym")
    for objects in (signed(desk, "nym", incident), desk.sign("bb", incident), [incident]):
        failures = desk.post("bb", *objects, slug=slug).failures
        assert incident["id"] in [line["id"] for line in failures]
        assert desk.identity["aa"] not in json.dumps([dict(line) for line in failures])
    bare = desk.incident("nym", created_by_ref=desk.identity["nym"])
    if slug == "bravo":  # signatures are optional there: ownership alone refuses it
        assert messages(desk.post("bb", bare, slug=slug)) == [f"ownership: {NOT_YOURS}"]


def test_its_own_peer_does_not_use_it_in_another_group(desk: Desk) -> None:
    adopt(desk, "bb")
    incident = desk.incident("nym")
    told = messages(desk.post("bb", incident, slug="bravo"))
    assert told == messages(desk.post("cc", incident, slug="bravo")) == [f"ownership: {NOT_YOURS}"]
    assert desk.post("bb", *signed(desk, "nym", incident), slug="bravo").failures


def test_a_foreign_pseudonym_is_as_unknown_as_any_identity_to_recipients_and_identity_objects(desk: Desk) -> None:
    adopt(desk)
    own = desk.releasability("cc", recipient_refs=[desk.identity["nym"]])
    strange = desk.releasability("cc", recipient_refs=[f"identity--{uuid.uuid4()}"])
    made = [marked(desk.incident("cc"), one) for one in (own, strange)]
    told = [
        messages(desk.post("cc", marking, one, slug="bravo"))[-1]
        for marking, one in zip((own, strange), made, strict=True)
    ]
    assert told[0] == told[1]
    described = {"type": "identity", "spec_version": "2.1", "id": desk.identity["nym"], "created": desk.stamp(),
                 "modified": desk.stamp(), "name": "It is AA", "identity_class": "organization"}  # fmt: skip
    assert messages(desk.post("cc", described, slug="bravo")) == [f"ownership: {NOT_YOURS}"]
    assert desk.post("bb", *desk.sign("bb", described)).failures


def test_only_the_key_of_the_pseudonym_signs_for_it(desk: Desk) -> None:
    adopt(desk)
    incident = desk.incident("nym")
    for objects in ([incident], desk.sign("aa", incident)):
        told = {line["id"]: line["message"] for line in desk.post("aa", *objects).failures}
        assert told[incident["id"]].startswith("signature: ")
    groups.update(desk.hub, OPERATOR, "alpha", signature_required=False)
    assert messages(desk.post("aa", incident)) == [
        "signature: under a pseudonym every object is signed with the key of the pseudonym, and no other"
    ]


def test_a_marking_of_the_peers_own_name_is_refused_beside_the_pseudonym(desk: Desk) -> None:
    adopt(desk)
    named = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    incident = marked(desk.incident("nym"), named)
    status = desk.post("aa", *desk.sign("aa", named), *signed(desk, "nym", incident))
    assert [line["id"] for line in status.failures] == [incident["id"]]


def test_recipients_named_by_pseudonym_get_it_and_nobody_learns_who_they_are(desk: Desk) -> None:
    adopt(desk)
    marking = desk.releasability("bb", recipient_refs=[desk.identity["nym"]])
    incident = marked(desk.incident("bb"), marking)
    desk.share("bb", marking, incident)
    assert incident["id"] in desk.ids("aa")
    assert incident["id"] not in desk.ids("ee")
    with desk.hub.db.read() as tx:
        keys_ = [
            row[0] for row in tx.execute(text("SELECT a.key FROM entry e JOIN audience a ON a.id = e.audience_id"))
        ]
    assert all(Audience.from_key(key).veiled for key in keys_ if key != "group")
    bb = desk.callers["bb"]
    assert explain.explain(desk.hub, bb, incident["id"], "bb")
    for handle in ("aa", "ee"):
        with pytest.raises(NotFound):
            explain.explain(desk.hub, bb, incident["id"], handle)
    assert explain.explain(desk.hub, OPERATOR, incident["id"], "aa")[0].decision


def test_an_exclusion_by_pseudonym_holds(desk: Desk) -> None:
    adopt(desk)
    marking = desk.releasability("bb", excluded_refs=[desk.identity["nym"]])
    incident = marked(desk.incident("bb"), marking)
    desk.share("bb", marking, incident)
    assert incident["id"] in desk.ids("ee")
    assert incident["id"] not in desk.ids("aa")


def test_a_named_audience_of_a_pseudonym_is_veiled(desk: Desk) -> None:
    adopt(desk)
    marking = desk.releasability("aa", recipient_refs=[desk.identity["bb"]]) | {"created_by_ref": desk.identity["nym"]}
    incident = marked(desk.incident("nym"), marking)
    status = desk.post("aa", *signed(desk, "nym", marking, incident))
    assert not status.failures, status.failures
    assert incident["id"] in desk.ids("bb")
    assert incident["id"] not in desk.ids("ee")
    with pytest.raises(NotFound):
        explain.explain(desk.hub, desk.callers["bb"], incident["id"], "aa")


def test_the_request_needs_both_keys_and_is_for_this_peer_and_group_now(desk: Desk) -> None:
    groups.update(desk.hub, OPERATOR, "alpha", pseudonyms=True)
    key = keyfile.generate()
    good = asked(desk, "aa", key)
    moderator = admin(desk, "aa")
    refused: list[Stix] = [
        good | {"signatures": good["signatures"][:1]},
        good | {"signatures": good["signatures"][1:]},
        good | {"group": "bravo"},
        asked(desk, "bb", key),
        asked(desk, "aa", key, own=desk.keys["bb"]),
        asked(desk, "aa", key) | {"public_key": keyfile.generate().public.text},
    ]
    for document in refused:
        with pytest.raises((InvalidRequest, SignatureError)):
            pseudonyms.request(desk.hub, moderator, "alpha", document)
    desk.wait(3600)
    with pytest.raises(InvalidRequest):
        pseudonyms.request(desk.hub, moderator, "alpha", good)
    with pytest.raises(NotFound):
        pseudonyms.own(desk.hub, moderator, "alpha")


def test_who_may_not_ask_is_told_so(desk: Desk) -> None:
    document = asked(desk, "aa", keyfile.generate())
    with pytest.raises(Forbidden, match="no pseudonyms"):
        pseudonyms.request(desk.hub, admin(desk, "aa"), "alpha", document)
    groups.update(desk.hub, OPERATOR, "alpha", pseudonyms=True)
    with pytest.raises(Forbidden):
        pseudonyms.request(desk.hub, desk.callers["aa"], "alpha", document)
    with pytest.raises(NotFound):
        pseudonyms.request(desk.hub, admin(desk, "cc"), "alpha", asked(desk, "cc", keyfile.generate()))
    with pytest.raises(Forbidden):
        pseudonyms.request(desk.hub, desk.cast.caller("operator"), "alpha", document)


def test_asking_again_changes_nothing_and_another_key_joins_the_same_pseudonym(desk: Desk) -> None:
    owned = adopt(desk)
    again = pseudonyms.request(desk.hub, admin(desk, "aa"), "alpha", asked(desk, "aa", desk.keys["nym"]))
    assert (again.pseudonym, again.made, len(again.keys)) == (owned.pseudonym, False, 1)
    second = pseudonyms.request(desk.hub, admin(desk, "aa"), "alpha", asked(desk, "aa", keyfile.generate()))
    assert (second.pseudonym, second.made, len(second.keys)) == (owned.pseudonym, True, 2)
    assert {key.identity for key in second.keys} == {owned.pseudonym.identity}


def test_the_pseudonym_is_the_same_when_its_peer_returns_and_its_keys_never_left(desk: Desk) -> None:
    owned = adopt(desk, "bb")
    assert not desk.post("bb", *signed(desk, "nym", desk.incident("nym"))).failures
    before = [one for one in listed_keys(desk, "aa") if one["identity"] == owned.pseudonym.identity]
    members.remove(desk.hub, OPERATOR, "alpha", "bb")
    assert [one for one in listed_keys(desk, "aa") if one["identity"] == owned.pseudonym.identity] == before != []
    members.put(desk.hub, OPERATOR, "alpha", "bb", set(BOTH))
    desk.wait(1)
    again = pseudonyms.request(desk.hub, admin(desk, "bb"), "alpha", asked(desk, "bb", keyfile.generate()))
    assert again.pseudonym == owned.pseudonym


def test_nothing_new_once_the_group_ends_pseudonyms_but_withdrawal(desk: Desk) -> None:
    adopt(desk)
    incident = desk.incident("nym")
    assert not desk.post("aa", *signed(desk, "nym", incident)).failures
    groups.update(desk.hub, OPERATOR, "alpha", pseudonyms=False)
    assert desk.post("aa", *signed(desk, "nym", later(incident))).failures
    status = desk.post("aa", *signed(desk, "nym", later(incident, 2, revoked=True)))
    assert not status.failures, status.failures


def test_the_operator_resolves_it_and_that_is_logged(desk: Desk) -> None:
    owned = adopt(desk)
    (row,) = pseudonyms.resolved(desk.hub, OPERATOR)
    assert (row.group, row.pseudonym, row.peer.handle) == ("alpha", owned.pseudonym, "aa")
    lines = audit.recent(desk.hub, OPERATOR, limit=10)
    assert lines[0].line.action == "pseudonym.resolve"
    assert not [one for one in lines if owned.pseudonym.identity in json.dumps([one.line.subject, one.line.detail])]
    with pytest.raises(Forbidden):
        pseudonyms.resolved(desk.hub, admin(desk, "aa"))


def test_a_key_of_the_pseudonym_is_shown_with_its_owner_to_nobody_else(desk: Desk) -> None:
    owned = adopt(desk)
    kid = owned.keys[0].kid
    assert kid not in {key.kid for key in keys.of_peer(desk.hub, desk.callers["bb"], "aa")[1]}
    with pytest.raises(NotFound):
        keys.shown(desk.hub, desk.callers["bb"], "aa", kid)
    assert not desk.post("aa", *signed(desk, "nym", desk.incident("nym"))).failures
    (listed,) = [one for one in listed_keys(desk, "bb") if one["kid"] == kid]
    assert listed["identity"] == owned.pseudonym.identity
    assert not listed.get("handle")
    assert listed["valid_from"] == "2026-11-22T00:00:00.000000Z"


def test_a_preview_and_a_narrowing_do_not_tell_whom_a_pseudonym_means(desk: Desk) -> None:
    adopt(desk)
    bb, told = desk.callers["bb"], []
    for other in ("aa", "ee"):
        incident = desk.incident("bb")
        desk.share("bb", incident)
        desk.wait(1)
        marking = desk.releasability("bb", recipient_refs=[desk.identity["nym"], desk.identity[other]])
        envelope = desk.sign("bb", marking, marked(later(incident), marking))
        seen = preview.preview(desk.hub, bb, "alpha", "incidents", {"objects": list(envelope)})
        assert [one.readers for one in seen.objects if one.stix_id == incident["id"]] == [None]
        assert not any(one.losing or one.others_losing for one in seen.objects)
        status = desk.post("bb", *envelope)
        assert not status.failures, status.failures
        told.append([line.get("message") for line in status.successes])
        for one in delivered.delivered(desk.hub, bb, incident["id"]):
            assert (one.peers, sum(one.others.values())) == ((), 0)
    assert told[0] == told[1]
    with desk.hub.db.read() as tx:
        rows = tx.execute(text("SELECT a.key FROM retraction r JOIN audience a ON a.id = r.holders_audience_id"))
        holders = [Audience.from_key(row[0]) for row in rows]
    assert holders
    assert all(one.veiled for one in holders)
