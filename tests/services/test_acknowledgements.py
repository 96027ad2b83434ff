"""Acknowledgements: who may give which, that a repeat changes nothing, and who hears of them by which name."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from hub.domain.acknowledgement import EVERY_VERSION, Acknowledgement, Outcome, digest, octets, signed
from hub.domain.audience import Audience
from hub.domain.membership import Right
from hub.domain.signature_profile import related_version
from hub.errors import Forbidden, InvalidRequest, NotFound, SignatureError
from hub.services import acknowledgements, groups, keys, members
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import log as log_store
from hub.store import peers as peer_store
from hub.store import retractions as retraction_store
from hub.store.retractions import NewRetraction
from tests.services.desk import Desk, Stix, domain, later, marked


def hub_of(desk: Desk) -> str:
    with desk.hub.db.read() as tx:
        own = peer_store.by_handle(tx, "hub")
    assert own is not None
    return own.identity


def said(desk: Desk, handle: str, obj: Stix, outcome: Outcome = "stored", **changes: Any) -> dict[str, Any]:
    """Return an acknowledgement that this peer signs now."""
    fields: dict[str, Any] = {
        "uuid": str(uuid.uuid4()),
        "hub": hub_of(desk),
        "group": "alpha",
        "stix_id": obj["id"],
        "version": related_version(obj),
        "outcome": outcome,
        "created": desk.now(),
        "by": desk.identity[handle],
    }
    key = changes.pop("key", desk.keys[handle])
    return signed(Acknowledgement(**fields | changes), key, uuid=str(uuid.uuid4()))


def post(desk: Desk, handle: str, document: Any) -> None:
    acknowledgements.post(desk.hub, desk.callers[handle], document)


def kept(desk: Desk) -> int:
    with desk.hub.db.read() as tx:
        return int(tx.execute(text("SELECT count(*) FROM acknowledgement")).scalar_one())


def test_the_author_hears_who_did_what_with_it(desk: Desk) -> None:
    (obj,) = desk.sign("aa", desk.incident())
    desk.post("aa", obj)
    post(desk, "bb", said(desk, "bb", obj, "verified"))
    statement = said(desk, "ee", obj, "refused", reason="a false positive here")
    post(desk, "ee", statement)
    (tally,), more = acknowledgements.tally(desk.hub, desk.callers["aa"], obj["id"])
    assert not more
    assert (tally.group, tally.version) == ("alpha", obj["modified"])
    assert tally.outcomes == {"verified": 1, "refused": 1}
    assert [(row.handle, row.outcome, row.reason) for row in tally.named] == [
        ("ee", "refused", "a false positive here"),
        ("bb", "verified", None),
    ]
    assert json.loads(tally.named[0].statement) == statement


def test_a_repeat_changes_nothing_and_the_first_word_stands(desk: Desk) -> None:
    obj = desk.incident()
    desk.share("aa", obj)
    document = said(desk, "bb", obj, "refused", reason="first")
    post(desk, "bb", document)
    with desk.hub.db.read() as tx:
        size = log_store.size(tx)
    post(desk, "bb", document)
    post(desk, "bb", said(desk, "bb", obj, "refused", reason="second"))
    (tally,), _ = acknowledgements.tally(desk.hub, OPERATOR, obj["id"])
    assert [row.statement for row in tally.named] == [octets(document)]
    with desk.hub.db.read() as tx:
        assert log_store.size(tx) == size


def test_each_has_a_leaf_that_the_author_may_open_and_that_names_nobody(desk: Desk) -> None:
    obj = desk.incident()
    desk.share("aa", obj)
    document = said(desk, "bb", obj, "used")
    post(desk, "bb", document)
    (tally,), _ = acknowledgements.tally(desk.hub, OPERATOR, obj["id"])
    index = tally.named[0].log_index
    assert index is not None
    with desk.hub.db.read() as tx:
        (leaf,) = log_store.leaves(tx, index, index + 1)
    assert (leaf.kind, leaf.peer_id) == ("acknowledged", desk.callers["bb"].peer.id)
    assert leaf.subject_peer_id == desk.callers["aa"].peer.id
    payload = json.loads(leaf.payload)
    assert payload["sha256"] == digest(document)
    assert desk.identity["bb"] not in leaf.payload.decode()


def test_an_observable_is_named_by_the_hash_of_its_bytes(desk: Desk) -> None:
    obj = domain()
    desk.share("aa", obj)
    post(desk, "bb", said(desk, "bb", obj))
    (tally,), _ = acknowledgements.tally(desk.hub, desk.callers["aa"], obj["id"])
    assert tally.outcomes == {"stored": 1}


def hidden_from_bb(desk: Desk) -> Stix:
    only = desk.releasability("aa", recipient_refs=[desk.identity["ee"]])
    obj = marked(desk.incident(), only)
    desk.share("aa", only, obj)
    return obj


@pytest.mark.parametrize(
    "case", ["no-object", "no-version", "audience", "group", "no-group", "every-version", "foreign", "no-right"]
)
def test_what_a_peer_was_never_given_does_not_exist_for_it(desk: Desk, case: str) -> None:
    obj = hidden_from_bb(desk) if case == "audience" else desk.incident()
    if case == "no-right":
        members.put(desk.hub, OPERATOR, "alpha", "bb", {Right.WRITE})
    if case not in ("no-object", "audience"):
        desk.share("aa", obj)
    handle = "cc" if case == "foreign" else "bb"
    changes: dict[str, Any] = {
        "no-version": {"version": "2020-01-01T00:00:00.000Z"},
        "group": {"group": "bravo"},
        "no-group": {"group": "nowhere"},
        "every-version": {"version": EVERY_VERSION, "outcome": "removed"},
    }.get(case, {})
    with pytest.raises(NotFound) as caught:
        post(desk, handle, said(desk, handle, obj, **changes))
    assert caught.value.detail == acknowledgements.NO_OBJECT
    assert kept(desk) == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"hub": "identity--00000000-0000-4000-8000-000000000000"}, InvalidRequest),
        ({"by": "aa"}, InvalidRequest),
        ({"key": "aa"}, SignatureError),
        ({"created": 3600 * 1_000_000}, SignatureError),
        ({"outcome": "refused"}, InvalidRequest),
    ],
    ids=["another-hub", "in-another's-name", "another's-key", "from-the-future", "no-reason"],
)
def test_what_is_not_this_peers_signed_word_is_refused(
    desk: Desk, changes: dict[str, Any], error: type[Exception]
) -> None:
    obj = desk.incident()
    desk.share("aa", obj)
    if "by" in changes:
        changes = {"by": desk.identity["aa"], "key": desk.keys["aa"]}
    elif "key" in changes:
        changes = {"key": desk.keys["aa"]}
    elif "created" in changes:
        changes = {"created": desk.now() + changes["created"]}
    with pytest.raises(error):
        post(desk, "bb", said(desk, "bb", obj, **changes))
    assert kept(desk) == 0


def test_a_key_that_was_revoked_since_still_counts_for_what_it_signed_before(desk: Desk) -> None:
    obj = desk.incident()
    desk.share("aa", obj)
    document = said(desk, "bb", obj)
    desk.wait(10)
    keys.revoke(desk.hub, OPERATOR, "bb", desk.keys["bb"].public.kid, reason="retired")
    post(desk, "bb", document)
    with pytest.raises(SignatureError):
        post(desk, "bb", said(desk, "bb", obj, "used"))


def test_one_that_is_bad_stops_no_other(desk: Desk) -> None:
    obj, hidden = desk.incident(), hidden_from_bb(desk)
    desk.share("aa", obj)
    batch = [said(desk, "bb", hidden), {"type": "x"}, said(desk, "bb", obj), said(desk, "bb", obj)]
    outcomes = acknowledgements.post_all(desk.hub, desk.callers["bb"], batch)
    assert [type(one.error).__name__ for one in outcomes] == ["NotFound", "InvalidRequest", "NoneType", "NoneType"]
    assert kept(desk) == 1


def withdrawn(desk: Desk, obj: Stix, *holders: str) -> None:
    """Note that an object is gone, and who has to hear of it."""
    peers = frozenset(desk.callers[handle].peer.id for handle in holders)
    with desk.hub.db.write() as tx:
        retraction_store.add(
            tx,
            [
                NewRetraction(
                    uuid=str(uuid.uuid4()),
                    collection_id=desk.opened("aa").collection.id,
                    stix_id=obj["id"],
                    kind="deleted",
                    reason=None,
                    at=desk.now(),
                    actor_peer_id=desk.callers["aa"].peer.id,
                    author_peer_id=desk.callers["aa"].peer.id,
                    versions=((obj["modified"], "ab" * 32),),
                    holders=Audience("named", peers),
                    notice_id=None,
                )
            ],
        )


def test_after_a_retraction_the_holders_may_say_that_it_is_removed_and_nobody_else(desk: Desk) -> None:
    obj = desk.incident()
    withdrawn(desk, obj, "bb")
    post(desk, "bb", said(desk, "bb", obj, "removed"))
    post(desk, "bb", said(desk, "bb", obj, "removed", version=EVERY_VERSION))
    with pytest.raises(NotFound):
        post(desk, "ee", said(desk, "ee", obj, "removed"))
    tallies, _ = acknowledgements.tally(desk.hub, desk.callers["aa"], obj["id"])
    assert {one.version: dict(one.outcomes) for one in tallies} == {
        obj["modified"]: {"removed": 1},
        EVERY_VERSION: {"removed": 1},
    }


def test_the_tally_is_for_the_author_and_the_operator(desk: Desk) -> None:
    obj = desk.incident()
    desk.share("aa", obj)
    post(desk, "bb", said(desk, "bb", obj))
    acknowledgements.tally(desk.hub, desk.cast.caller("operator"), obj["id"])
    for handle in ("bb", "ee", "cc"):
        told = []
        for stix_id in (obj["id"], f"incident--{uuid.uuid4()}"):
            with pytest.raises(NotFound) as caught:
                acknowledgements.tally(desk.hub, desk.callers[handle], stix_id)
            told.append(caught.value.detail)
        assert told[0] == told[1]
    with pytest.raises(Forbidden):
        acknowledgements.tally(desk.hub, desk.cast.caller("feed"), obj["id"])
    with pytest.raises(NotFound):
        acknowledgements.tally(desk.hub, OPERATOR, f"incident--{uuid.uuid4()}")


def test_readers_that_the_author_may_not_know_of_are_counted_and_not_named(desk: Desk) -> None:
    obj = desk.incident("bb")
    desk.share("bb", obj)
    post(desk, "aa", said(desk, "aa", obj, "used"))
    post(desk, "ee", said(desk, "ee", obj, "refused", reason="too old"))
    members.suspend(desk.hub, OPERATOR, "alpha", "ee")
    (tally,), _ = acknowledgements.tally(desk.hub, desk.callers["bb"], obj["id"])
    assert [row.handle for row in tally.named] == ["aa"]
    assert tally.outcomes == {"used": 1, "refused": 1}
    assert tally.reasons == [("refused", "too old")]


def test_a_tally_may_be_asked_of_one_version(desk: Desk) -> None:
    obj = desk.incident()
    newer = later(obj)
    desk.share("aa", obj)
    desk.share("aa", newer)
    for one in (obj, newer):
        post(desk, "bb", said(desk, "bb", one))
    tallies, _ = acknowledgements.tally(desk.hub, OPERATOR, obj["id"])
    assert [one.version for one in tallies] == [obj["modified"], newer["modified"]]
    (only,), _ = acknowledgements.tally(desk.hub, OPERATOR, obj["id"], version=newer["modified"])
    assert only.version == newer["modified"]


def test_a_group_of_which_the_author_is_no_author_is_not_his_to_hear_of(desk: Desk) -> None:
    obj = desk.incident("bb")
    desk.share("bb", obj, slug="bravo")
    post(desk, "cc", said(desk, "cc", obj, group="bravo"))
    (tally,), _ = acknowledgements.tally(desk.hub, desk.callers["bb"], obj["id"])
    assert tally.group == "bravo"
    groups.update(desk.hub, OPERATOR, "bravo", title="Bravo again")
    with pytest.raises(NotFound):
        acknowledgements.tally(desk.hub, desk.callers["aa"], obj["id"])
