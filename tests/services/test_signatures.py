"""Countersignatures: whom they reach, how they are withdrawn, and the list of all of them with their standing."""

from __future__ import annotations

import uuid

import pytest

from hub.client import keyfile
from hub.domain import jss
from hub.errors import Forbidden, NotFound
from hub.services import keys, relay_rights, signatures
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.cast import DAY, VENDOR
from tests.services.desk import EVERY_VERSION, Desk, Stix, marked


def beside(desk: Desk, handle: str, obj: Stix) -> Stix:
    return next(one for one in desk.sign(handle, obj) if one["type"] == "jss-signature")


def withdrawal(desk: Desk, handle: str, target: Stix, wrapper: Stix) -> Stix:
    """Return the later version of a detached signature in which its signer takes it back (X.590 6.3)."""
    old = wrapper["signature"]
    metadata = {name: old[name] for name in ("type", "id", "created", "related_to", "related_version", "signee")}
    metadata |= {"modified": desk.stamp(), "revoked": True}
    payload = {name: value for name, value in target.items() if name != "signatures"}
    signature = jss.sign(payload, desk.keys[handle], metadata=metadata)["signatures"][0]
    return {**wrapper, "modified": desk.stamp(), "revoked": True, "signature": signature}


def listed(desk: Desk, handle: str, stix_id: str) -> list[tuple[str | None, str, str, str, bool]]:
    rows = signatures.of_object(desk.hub, desk.callers[handle], stix_id)
    return [(row.handle, row.role, row.carrier, row.found.standing.value, row.found.counts) for row in rows]


def test_the_list_says_who_signed_as_what(desk: Desk) -> None:
    (obj,) = desk.sign("bb", desk.incident("bb"))
    desk.post("bb", obj)
    for handle in ("aa", "ee"):
        assert not desk.post(handle, beside(desk, handle, obj)).failures
    assert listed(desk, "bb", obj["id"]) == [
        ("bb", "author", "inline", "valid", True),
        ("aa", "moderator", "detached", "valid", True),
        ("ee", "member", "detached", "valid", True),
    ]
    assert desk.seen("ee")[-3:] != []
    assert [one for one in desk.seen("ee") if one["id"] == obj["id"]] == [obj]


def test_who_brought_an_object_that_is_not_his_vouches_for_it(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("bb", obj)
    assert listed(desk, "aa", obj["id"]) == [("bb", "vouched", "detached", "valid", True)]


def test_a_peer_with_the_relay_right_vouches_for_a_peer_that_signs_nothing(desk: Desk) -> None:
    relay_rights.grant(desk.hub, OPERATOR, "alpha", "ee", desk.identity["bb"])
    obj = desk.incident("bb")
    desk.share("ee", obj)
    assert listed(desk, "aa", obj["id"]) == [("ee", "vouched", "detached", "valid", True)]


def test_what_one_may_not_see_has_no_signatures_and_neither_has_what_is_not_there(desk: Desk) -> None:
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    obj = marked(desk.incident(), only_bb)
    desk.share("aa", only_bb, obj)
    answers = []
    for stix_id in (obj["id"], f"incident--{uuid.uuid4()}"):
        with pytest.raises(NotFound) as refusal:
            signatures.of_object(desk.hub, desk.callers["ee"], stix_id)
        answers.append(refusal.value.detail)
    assert answers[0] == answers[1]
    assert listed(desk, "bb", obj["id"])[0][1] == "author"


def test_a_feed_does_not_list(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        signatures.of_object(desk.hub, desk.cast.caller("feed"), "incident--" + str(uuid.uuid4()))


def test_a_marking_of_its_own_narrows_a_signature_and_never_widens_it(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    only_aa = desk.releasability("bb", recipient_refs=[desk.identity["aa"]])
    wrapper = beside(desk, "bb", obj)
    assert not desk.post("bb", *desk.sign("bb", only_aa), marked(wrapper, only_aa)).failures
    assert wrapper["id"] in [one["id"] for one in desk.seen("aa")]
    assert wrapper["id"] not in [one["id"] for one in desk.seen("ee")]
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    hidden = marked(desk.incident(VENDOR), only_bb)
    desk.share("aa", only_bb, hidden)
    for_ee = desk.releasability("bb", recipient_refs=[desk.identity["ee"], desk.identity["aa"]])
    second = marked(beside(desk, "bb", hidden), for_ee)
    assert not desk.post("bb", *desk.sign("bb", for_ee), second).failures
    assert second["id"] not in [one["id"] for one in desk.seen("ee")]
    assert second["id"] in [one["id"] for one in desk.seen("aa")]


def test_a_signer_takes_his_signature_back_and_it_does_not_return(desk: Desk) -> None:
    (obj,) = desk.sign("aa", desk.incident())
    desk.post("aa", obj)
    wrapper = beside(desk, "bb", obj)
    desk.post("bb", wrapper)
    desk.wait(5)
    taken_back = withdrawal(desk, "bb", obj, wrapper)
    assert not desk.post("bb", taken_back).failures
    assert listed(desk, "ee", obj["id"])[1:] == [("bb", "member", "detached", "withdrawn", False)]
    desk.post("bb", wrapper)
    assert listed(desk, "ee", obj["id"])[1:] == [("bb", "member", "detached", "withdrawn", False)]
    again = beside(desk, "bb", obj)
    assert not desk.post("bb", again).failures
    assert [row[3] for row in listed(desk, "ee", obj["id"])] == ["valid", "withdrawn", "valid"]


def test_a_withdrawal_that_comes_first_keeps_the_signature_out(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    wrapper = beside(desk, "bb", obj)
    desk.wait(5)
    assert not desk.post("bb", withdrawal(desk, "bb", obj, wrapper)).failures
    assert desk.post("bb", wrapper).failures
    assert [one["modified"] for one in desk.seen("aa", versions=EVERY_VERSION) if one["id"] == wrapper["id"]] == [
        withdrawal(desk, "bb", obj, wrapper)["modified"]
    ]


def test_nobody_else_takes_a_signature_back(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    wrapper = beside(desk, "bb", obj)
    desk.post("bb", wrapper)
    desk.wait(5)
    forged = withdrawal(desk, "bb", obj, wrapper)
    assert desk.post("ee", forged).failures
    in_his_name = withdrawal(desk, "ee", obj, wrapper)
    assert desk.post("bb", in_his_name).failures
    assert "withdrawn" not in [row[3] for row in listed(desk, "aa", obj["id"])]


@pytest.mark.parametrize(
    ("reason", "standing", "counts"),
    [("superseded", "key-revoked-since", True), ("retired", "key-revoked-since", True)],
)
def test_what_was_signed_before_a_key_was_revoked_still_counts(
    desk: Desk, reason: str, standing: str, counts: bool
) -> None:
    (obj,) = desk.sign("aa", desk.incident())
    desk.post("aa", obj)
    desk.wait(60)
    keys.revoke(desk.hub, OPERATOR, "aa", desk.keys["aa"].public.kid, reason=reason)
    assert listed(desk, "bb", obj["id"]) == [("aa", "author", "inline", standing, counts)]


def test_what_was_signed_after_a_key_was_stolen_does_not_count(desk: Desk) -> None:
    (obj,) = desk.sign("aa", desk.incident())
    stolen = desk.now() - 1_000_000
    desk.post("aa", obj)
    desk.wait(60)
    keys.revoke(desk.hub, OPERATOR, "aa", desk.keys["aa"].public.kid, reason="compromised", at=stolen)
    assert listed(desk, "bb", obj["id"]) == [("aa", "author", "inline", "compromised", False)]


def test_an_expired_key_is_named_and_still_counts(desk: Desk) -> None:
    pair = keyfile.generate()
    keys.enrol(desk.hub, OPERATOR, "aa", public_key=pair.public.text, valid_until=desk.now() + DAY)
    (obj,) = desk.sign("aa", desk.incident(), key=pair)
    desk.post("aa", obj)
    desk.wait(2 * 86400)
    assert listed(desk, "bb", obj["id"]) == [("aa", "author", "inline", "expired", True)]
