"""What is signed gets in; what is unsigned, changed, moved, replayed or signed by the wrong key stays out whole."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hub.client import keyfile
from hub.services import collections, keys
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.cast import DAY, SECOND, VENDOR
from tests.services.desk import EVERY_VERSION, Desk, Stix, canonical, domain, later, marked, messages, versions_of


def test_a_peers_own_object_signed_inline_is_stored_byte_for_byte(desk: Desk) -> None:
    (signed,) = desk.sign("aa", desk.incident())
    status = desk.post("aa", signed)
    assert (status.state, status.successes) == ("complete", [{"id": signed["id"], "version": signed["modified"]}])
    assert desk.stored() == [canonical(signed)]
    assert desk.seen("bb") == desk.seen("aa") == [signed]


def test_an_object_of_an_author_who_is_no_peer_goes_in_with_a_signature_beside_it(desk: Desk) -> None:
    obj, signature = desk.sign("bb", desk.incident(VENDOR))
    assert not desk.post("bb", obj, signature).failures
    assert desk.seen("aa") == [signature, obj]


def test_an_observable_signed_by_two_peers_is_one_stored_content(desk: Desk) -> None:
    obj = domain()
    desk.share("aa", obj)
    status = desk.share("bb", obj)
    assert [line.get("message") for line in status.successes] == ["already stored", None]
    assert desk.stored().count(canonical(obj)) == 1
    assert [one["type"] for one in desk.seen("ee")].count("jss-signature") == 2


def test_a_group_that_does_not_require_signatures_takes_unsigned_objects(desk: Desk) -> None:
    obj = desk.incident("cc")
    assert not desk.post("cc", obj, slug="bravo").failures
    assert desk.seen("bb", slug="bravo") == [obj]


def test_even_there_a_signature_that_is_present_must_hold(desk: Desk) -> None:
    (signed,) = desk.sign("cc", desk.incident("cc"))
    status = desk.post("cc", {**signed, "name": "changed"}, slug="bravo")
    assert messages(status)[0].startswith("signature: value: the signature does not match")
    assert desk.stored() == []


# Each fault takes a desk and AA's signed incident, and returns what is posted in its place.
Fault = Callable[[Desk, Stix], list[Stix]]


def _resigned(desk: Desk, obj: Stix, **terms: Any) -> list[Stix]:
    """Sign the same object anew by a fresh key of AA's that is enrolled on these terms."""
    pair = keyfile.generate()
    keys.enrol(desk.hub, OPERATOR, "aa", public_key=pair.public.text, **terms)
    return desk.sign("aa", _bare(obj), key=pair)


def _bare(obj: Stix) -> Stix:
    return {name: value for name, value in obj.items() if name not in ("signatures", "extensions")}


def _tampered(_desk: Desk, obj: Stix) -> list[Stix]:
    return [{**obj, "name": "Something else"}]


def _stripped(_desk: Desk, obj: Stix) -> list[Stix]:
    return [{name: value for name, value in obj.items() if name != "signatures"}]


def _moved(desk: Desk, obj: Stix) -> list[Stix]:
    other = desk.incident()
    return [{**other, "signatures": obj["signatures"], "extensions": obj["extensions"]}]


def _replayed(_desk: Desk, obj: Stix) -> list[Stix]:
    return [later(obj)]


def _key_swapped(desk: Desk, obj: Stix) -> list[Stix]:
    swapped = copy.deepcopy(obj)
    swapped["signatures"][0]["public_key"] = keyfile.generate().public.text
    return [swapped]


def _by_another_member(desk: Desk, obj: Stix) -> list[Stix]:
    return desk.sign("aa", _bare(obj), key=desk.keys["bb"])


def _by_a_stranger(desk: Desk, obj: Stix) -> list[Stix]:
    return desk.sign("aa", _bare(obj), key=keyfile.generate())


def _expired(desk: Desk, obj: Stix) -> list[Stix]:
    now = desk.now()
    return _resigned(desk, obj, valid_from=now - 2 * DAY, valid_until=now - DAY)


def _not_yet(desk: Desk, obj: Stix) -> list[Stix]:
    return _resigned(desk, obj, valid_from=desk.now() + DAY)


def _compromised(desk: Desk, obj: Stix) -> list[Stix]:
    keys.revoke(desk.hub, OPERATOR, "aa", desk.keys["aa"].public.kid, reason="compromised")
    return [obj]


def _retired_before(desk: Desk, obj: Stix) -> list[Stix]:
    at = desk.now() - SECOND
    keys.revoke(desk.hub, OPERATOR, "aa", desk.keys["aa"].public.kid, reason="retired", at=at)
    return [obj]


def _from_the_future(desk: Desk, obj: Stix) -> list[Stix]:
    desk.wait(1000)
    signed = desk.sign("aa", _bare(obj))
    desk.wait(-1000)
    return signed


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (lambda _desk, obj: [_bare(obj)], "requires a signature and the object has none"),
        (_tampered, "value: the signature does not match the object"),
        (_stripped, "the object declares signatures but carries none"),
        (_moved, "related_to: the signature belongs to another object"),
        (_replayed, "related_version: the signature belongs to another version"),
        (_key_swapped, "public_key: it is not an enrolled key"),
        (_by_another_member, "public_key: it is not an enrolled key"),
        (_by_a_stranger, "public_key: it is not an enrolled key"),
        (_expired, "the key had expired at the signing time"),
        (_not_yet, "the key was not yet valid at the signing time"),
        (_compromised, "the key is revoked as compromised"),
        (_retired_before, "the key was revoked before the signing time"),
        (_from_the_future, "the signing time lies in the future"),
    ],
    ids=[
        "unsigned",
        "tampered",
        "stripped",
        "moved",
        "replayed",
        "key-swapped",
        "another-members-key",
        "strangers-key",
        "expired",
        "not-yet-valid",
        "compromised",
        "retired",
        "future",
    ],
)
def test_a_bad_signature_is_refused_with_the_reason_and_nothing_of_it_is_stored(
    desk: Desk, fault: Fault, reason: str
) -> None:
    (good,) = desk.sign("aa", desk.incident(name="secret-of-aa"))
    status = desk.post("aa", *fault(desk, good))
    assert status.successes == []
    (message,) = messages(status)
    assert message.startswith("signature: ")
    assert reason in message
    assert "secret-of-aa" not in message
    assert desk.stored() == []
    assert desk.seen("aa") == desk.seen("bb") == []
    assert desk.refused_bodies() == [None]


def test_one_bad_object_does_not_keep_the_good_ones_out(desk: Desk) -> None:
    good, bad = desk.sign("aa", desk.incident(), desk.incident())
    status = desk.post("aa", {**bad, "name": "changed"}, good)
    assert [line["id"] for line in status.successes] == [good["id"]]
    assert [line["id"] for line in status.failures] == [bad["id"]]
    assert desk.seen("bb") == [good]


def test_a_key_that_was_retired_later_still_proves_what_it_signed_before(desk: Desk) -> None:
    signed = desk.sign("aa", desk.incident())
    desk.wait(60)
    keys.revoke(desk.hub, OPERATOR, "aa", desk.keys["aa"].public.kid, reason="superseded")
    assert not desk.post("aa", *signed).failures


def test_a_detached_signature_over_a_refused_object_is_refused_with_it(desk: Desk) -> None:
    obj, signature = desk.sign(
        "bb",
        desk.incident(VENDOR, object_marking_refs=["marking-definition--" + "0" * 8 + "-0000-4000-8000-000000000000"]),
    )
    status = desk.post("bb", obj, signature)
    assert len(status.failures) == 2
    assert desk.stored() == []


def test_a_detached_signature_over_a_conflicting_version_is_refused_with_it(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("bb", obj)
    status = desk.post("bb", *desk.sign("bb", {**obj, "name": "Other content"}))
    assert [message.partition(":")[0] for message in messages(status)] == ["version", "signature"]
    assert len(desk.stored()) == 2


def test_a_signature_stays_with_its_version_when_another_version_is_refused(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("bb", obj)
    newer = later(obj)
    status = desk.post("bb", *desk.sign("bb", {**obj, "name": "Other content"}, newer))
    assert len(status.failures) == 2
    assert len(status.successes) == 2
    signature, found = desk.seen("aa")[-2:]
    assert found == newer
    assert signature["related_version"] == newer["modified"]


def test_a_detached_signature_that_does_not_hold_takes_its_object_with_it(desk: Desk) -> None:
    obj, signature = desk.sign("bb", desk.incident(VENDOR))
    status = desk.post("bb", {**obj, "name": "changed"}, signature)
    assert len(status.failures) == 2
    assert desk.stored() == []


def test_a_signature_comes_later_for_an_object_its_sender_can_read(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    _, signature = desk.sign("bb", obj)
    assert not desk.post("bb", signature).failures
    assert desk.seen("ee")[-1] == signature


def test_a_later_signature_has_the_readers_of_its_object(desk: Desk) -> None:
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    obj = marked(desk.incident(VENDOR), only_bb)
    desk.share("aa", only_bb, obj)
    _, signature = desk.sign("bb", obj)
    assert not desk.post("bb", signature).failures
    assert signature in desk.seen("aa")
    assert desk.seen("ee") == []


def test_a_signature_for_what_is_hidden_and_for_what_is_not_there_gets_the_same_answer(desk: Desk) -> None:
    only_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    hidden, absent = marked(desk.incident(VENDOR), only_bb), desk.incident(VENDOR)
    desk.share("aa", only_bb, hidden)
    answers = []
    for target in (hidden, absent):
        signature = next(one for one in desk.sign("ee", target) if one["type"] == "jss-signature")
        answers.append(messages(desk.post("ee", signature)))
    assert answers[0] == answers[1]
    assert "neither in this envelope nor stored where you can read it" in answers[0][0]


def test_a_signature_for_an_object_in_another_collection_is_refused(desk: Desk) -> None:
    """Its readers there need not be the readers here, and it would tell them of the object."""
    obj = desk.incident(VENDOR)
    desk.share("aa", obj, alias="incidents")
    _, signature = desk.sign("bb", obj)
    assert "nor stored" in messages(desk.post("bb", signature, alias="indicators"))[0]


def test_who_may_not_read_learns_nothing_by_sending_signatures(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    collections.set_rights(desk.hub, OPERATOR, "alpha", "incidents", "bb", (False, True))
    _, signature = desk.sign("bb", obj)
    assert "nor stored" in messages(desk.post("bb", signature))[0]


def test_a_signature_for_a_stored_version_may_come_with_the_next_version(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    desk.share("aa", obj)
    _, over_old = desk.sign("bb", obj)
    newer, over_new = desk.sign("bb", later(obj))
    status = desk.post("bb", over_old, newer, over_new)
    assert not status.failures
    assert len(status.successes) == 3


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (1, 3, 5, 4, 2, 0)], ids=str)
def test_every_signature_is_delivered_right_before_its_object(desk: Desk, order: tuple[int, ...]) -> None:
    pieces = desk.sign("bb", desk.incident(VENDOR), domain(), desk.incident(VENDOR))
    assert len(pieces) == 6
    desk.post("bb", *[pieces[number] for number in order])
    page = desk.seen("aa")
    assert len(page) == 6
    for signature, target in zip(page[::2], page[1::2], strict=True):
        assert signature["type"] == "jss-signature"
        assert signature["related_to"] == target["id"]


def test_each_of_two_versions_has_its_own_signature_before_it(desk: Desk) -> None:
    obj = desk.incident(VENDOR)
    first, over_first, second, over_second = desk.sign("bb", obj, later(obj))
    desk.post("bb", first, second, over_first, over_second)
    assert desk.seen("aa", versions=EVERY_VERSION) == [over_first, first, over_second, second]
    assert versions_of(desk.seen("aa"), obj["id"]) == [second["modified"]]
