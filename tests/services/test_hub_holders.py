"""Whom a withdrawal reaches at other hubs: those that were handed what goes, and none for being a member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.domain.membership import PeerKind, Right
from hub.services import members, peers, retractions, withdraw
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import entries, relay_batches, removal
from hub.store import retractions as retraction_store
from hub.store.relay_batches import Confirmed, Sent
from hub.store.retractions import Retraction
from tests.services.desk import Desk, Stix, domain, later, marked
from tests.services.test_retraction import retraction

HUBS = ("hub-b", "hub-c")


@pytest.fixture
def linked(desk: Desk) -> Desk:
    """The desk with two other hubs in alpha, which may be handed anything."""
    for handle in HUBS:
        peers.add(desk.hub, OPERATOR, handle=handle, name=handle.title(), kind=PeerKind.HUB)
        members.put(desk.hub, OPERATOR, "alpha", handle, {Right.READ, Right.WRITE})
    return desk


def peer_id(desk: Desk, handle: str) -> int:
    return peers.shown(desk.hub, OPERATOR, handle).id


def hand_over(desk: Desk, handle: str, obj: Stix, outcome: str = "accepted", *, number: int = 1) -> None:
    """Note that a hub was handed the newest stored version of an object, as the relay does."""
    opened = desk.opened("aa")
    with desk.hub.db.write() as tx:
        stored = relay_feed_row(tx, opened.collection.id, obj["id"])
        batch = relay_batches.add(
            tx,
            Confirmed(
                peer_id(desk, handle),
                opened.collection.id,
                "out",
                "push",
                f"2d086da7-4bdc-4f91-900e-{number:012d}",
                b"h" * 32,
                desk.now(),
                1,
                100,
                None,
            ),
        )
        sent = [Sent(obj["id"], stored[0], stored[1], outcome)]
        relay_batches.note_sent(tx, peer_id(desk, handle), opened.collection.id, batch, sent)


def relay_feed_row(tx: Any, collection_id: int, stix_id: str) -> tuple[str, bytes]:
    newest = removal.of_objects(tx, collection_id, [stix_id])[stix_id][-1]
    return newest.version_key, newest.sha256


def records(desk: Desk, stix_id: str) -> list[Retraction]:
    with desk.hub.db.read() as tx:
        return [one for one in retraction_store.named(tx, stix_id) if one.stix_id == stix_id]


def told(desk: Desk, stix_id: str) -> set[str]:
    """Return which hubs the record of a withdrawal names, and check that exactly they have a notice for them."""
    hubs = {peer_id(desk, handle): handle for handle in HUBS}
    rows = records(desk, stix_id)
    assert rows
    found = {hubs[one] for row in rows for one in row.holders.peers if one in hubs}
    noticed = set()
    for row in rows:
        if row.notice_id is None or row.notice_id == stix_id:
            continue
        with desk.hub.db.read() as tx:
            for body, *_ in entries.bodies_of(tx, row.group_id, [row.notice_id]).get(row.notice_id, []):
                assert stix_id.encode() in body
                noticed |= {hubs[one] for one in row.holders.peers if one in hubs}
    assert noticed == found
    return found


def delete(desk: Desk, obj: Stix) -> None:
    desk.withdraw("aa", obj["id"])


def moderate(desk: Desk, obj: Stix) -> None:
    withdraw.withdraw(desk.hub, OPERATOR, "alpha", "incidents", obj["id"], reason="it names a victim")


def revoke(desk: Desk, obj: Stix) -> None:
    desk.wait(1)
    desk.share("aa", later(obj, 1, revoked=True))


def retract(desk: Desk, obj: Stix) -> None:
    desk.share("aa", retraction(desk, "aa", obj))


def narrow(desk: Desk, obj: Stix) -> None:
    desk.wait(1)
    to_bb = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", to_bb, marked(later(obj, 1), to_bb))


WAYS = [delete, moderate, revoke, retract, narrow]


@pytest.mark.parametrize("way", WAYS, ids=lambda one: one.__name__)
def test_a_withdrawal_reaches_the_hub_that_was_handed_it_and_no_other(
    linked: Desk, way: Callable[[Desk, Stix], None]
) -> None:
    obj = linked.incident("aa")
    linked.share("aa", obj)
    hand_over(linked, "hub-b", obj)
    way(linked, obj)
    assert told(linked, obj["id"]) == {"hub-b"}


@pytest.mark.parametrize("way", WAYS, ids=lambda one: one.__name__)
def test_what_no_hub_was_handed_no_hub_is_told_of(linked: Desk, way: Callable[[Desk, Stix], None]) -> None:
    obj = linked.incident("aa")
    linked.share("aa", obj)
    way(linked, obj)
    assert told(linked, obj["id"]) == set()


@pytest.mark.parametrize(
    ("outcome", "hubs"),
    [("accepted", {"hub-b"}), ("duplicate", {"hub-b"}), ("held", {"hub-b"}), ("refused", set())],
)
def test_a_hub_that_refused_it_has_it_not(linked: Desk, outcome: str, hubs: set[str]) -> None:
    obj = linked.incident("aa")
    linked.share("aa", obj)
    hand_over(linked, "hub-b", obj, outcome)
    linked.withdraw("aa", obj["id"])
    assert told(linked, obj["id"]) == hubs


def test_each_hub_is_told_of_the_versions_that_it_has_and_of_no_other(linked: Desk) -> None:
    first = linked.incident("aa")
    linked.share("aa", first)
    hand_over(linked, "hub-b", first, number=1)
    linked.wait(1)
    second = later(first, 1, name="more is known")
    linked.share("aa", second)
    hand_over(linked, "hub-c", second, number=2)
    revoke(linked, second)
    by_hub = {
        handle: {version for row in records(linked, first["id"]) if peer_id(linked, handle) in row.holders.peers
                 for version, _ in row.versions}
        for handle in HUBS
    }  # fmt: skip
    assert by_hub == {"hub-b": {first["modified"]}, "hub-c": {second["modified"]}}


def test_two_hubs_with_different_objects_have_different_notices(linked: Desk) -> None:
    one, other = linked.incident("aa", name="one"), linked.incident("aa", name="other")
    linked.share("aa", one, other)
    hand_over(linked, "hub-b", one, number=1)
    hand_over(linked, "hub-c", other, number=2)
    linked.withdraw("aa", one["id"])
    linked.withdraw("aa", other["id"])
    opened = linked.opened("aa")
    for handle, mine, foreign in (("hub-b", one, other), ("hub-c", other, one)):
        with linked.hub.db.read() as tx:
            notices = {
                row.notice_id
                for obj in (one, other)
                for row in retraction_store.named(tx, obj["id"])
                if peer_id(linked, handle) in row.holders.peers and row.notice_id is not None
            }
            bodies = [
                body for some in entries.bodies_of(tx, opened.group.id, sorted(notices)).values() for body, *_ in some
            ]
        assert bodies
        assert all(mine["id"].encode() in body for body in bodies)
        assert not any(foreign["id"].encode() in body for body in bodies)


def test_a_hub_loses_its_membership_and_is_told_all_the_same_of_what_it_has_and_of_nothing_else(linked: Desk) -> None:
    had, never = linked.incident("aa", name="had"), linked.incident("aa", name="never")
    linked.share("aa", had, never)
    hand_over(linked, "hub-b", had)
    members.remove(linked.hub, OPERATOR, "alpha", "hub-b")
    linked.withdraw("aa", had["id"])
    linked.withdraw("aa", never["id"])
    assert told(linked, had["id"]) == {"hub-b"}
    assert told(linked, never["id"]) == set()


@pytest.mark.parametrize("way", ["suspended member", "suspended peer", "no right to read"])
def test_losing_a_right_does_not_make_a_hub_a_reader_of_what_it_never_got(linked: Desk, way: str) -> None:
    obj = linked.incident("aa")
    linked.share("aa", obj)
    if way == "suspended member":
        members.suspend(linked.hub, OPERATOR, "alpha", "hub-b")
    elif way == "suspended peer":
        peers.update(linked.hub, OPERATOR, "hub-b", suspended=True)
    else:
        members.put(linked.hub, OPERATOR, "alpha", "hub-b", {Right.WRITE})
    linked.withdraw("aa", obj["id"])
    assert told(linked, obj["id"]) == set()


def test_a_member_that_becomes_a_hub_keeps_being_told_of_what_it_could_read_before(linked: Desk) -> None:
    before = linked.incident("aa", name="before")
    linked.share("aa", before)
    linked.wait(1)
    peers.update(linked.hub, OPERATOR, "bb", kind=PeerKind.HUB)
    after = linked.incident("aa", name="after")
    linked.share("aa", after)
    linked.withdraw("aa", before["id"])
    linked.withdraw("aa", after["id"])
    bb = peer_id(linked, "bb")
    assert any(bb in row.holders.peers for row in records(linked, before["id"]))
    assert not any(bb in row.holders.peers for row in records(linked, after["id"]))


def test_an_observable_that_one_hub_has_is_taken_back_from_that_hub(linked: Desk) -> None:
    obj = domain("host.example.com")
    linked.share("aa", obj)
    hand_over(linked, "hub-c", obj)
    linked.withdraw("aa", obj["id"])
    assert told(linked, obj["id"]) == {"hub-c"}


def test_the_status_of_a_withdrawal_counts_the_hubs_that_have_it_and_no_others(linked: Desk) -> None:
    obj = linked.incident("aa")
    linked.share("aa", obj)
    hand_over(linked, "hub-b", obj)
    linked.withdraw("aa", obj["id"])
    (progress,) = retractions.found(linked.hub, OPERATOR, obj["id"])
    names = {holder.handle for holder in progress.holders or ()}
    assert "hub-b" in names
    assert "hub-c" not in names
