"""Who got it: what the author, the publisher and the operator are told, and nobody else."""

from __future__ import annotations

import pytest

from hub.domain.membership import Right
from hub.domain.taxii import Query
from hub.errors import Forbidden, NotFound
from hub.services import collections, deliveries, groups, members, read, relay_rights
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.actor import Actor
from hub.services.delivered import Delivered, delivered
from tests.services.desk import Desk, Stix, later, marked


def told(desk: Desk, stix_id: str, actor: Actor = OPERATOR) -> list[Delivered]:
    deliveries.flush(desk.hub)
    return delivered(desk.hub, actor, stix_id)


def states(row: Delivered) -> dict[str, str]:
    return {one.peer.handle: one.state for one in row.peers}


def shared(desk: Desk, **more: object) -> Stix:
    made = desk.incident(**more)
    desk.share("aa", made)
    return made


def test_the_author_sees_who_was_served_who_was_not_yet_and_who_may_not(desk: Desk) -> None:
    terms = desk.releasability("aa", excluded_refs=[desk.identity["ee"]])
    made = marked(desk.incident(), terms)
    desk.share("aa", terms, made)
    (row,) = told(desk, made["id"], desk.callers["aa"])
    assert states(row) == {"bb": "not-yet", "dd": "may-not", "ee": "may-not"}
    reasons = {one.peer.handle: (one.may_read.rule, one.may_read.reason) for one in row.peers}
    assert reasons["ee"] == ("audience", "the author excluded the peer")
    assert reasons["dd"] == ("membership", "the peer is suspended")
    desk.wait(30)
    desk.seen("bb")
    (row,) = told(desk, made["id"], desk.callers["aa"])
    (bb,) = (one for one in row.peers if one.peer.handle == "bb")
    assert (bb.state, bb.first_at, bb.last_at, bb.how) == ("served", desk.now(), desk.now(), ("page",))


def test_each_version_has_its_own_answer(desk: Desk) -> None:
    first = shared(desk)
    desk.wait(60)
    desk.seen("bb")
    desk.wait(60)
    second = later(first, 120)
    desk.share("aa", second)
    desk.wait(60)
    desk.seen("ee")
    old, new = told(desk, first["id"])
    assert {handle: states(old)[handle] for handle in ("bb", "ee")} == {"bb": "served", "ee": "superseded"}
    assert {handle: states(new)[handle] for handle in ("bb", "ee")} == {"bb": "not-yet", "ee": "served"}


def test_whoever_read_while_it_was_replaced_may_have_this_or_the_later_one(desk: Desk) -> None:
    first = shared(desk)
    desk.seen("bb")
    desk.wait(2)
    desk.share("aa", later(first, 2))
    old, _ = told(desk, first["id"])
    assert states(old)["bb"] == "served-this-or-later"


def test_those_who_left_are_still_told_of(desk: Desk) -> None:
    made = shared(desk)
    desk.seen("bb")
    members.remove(desk.hub, OPERATOR, "alpha", "bb")
    members.suspend(desk.hub, OPERATOR, "alpha", "ee")
    (row,) = told(desk, made["id"])
    assert states(row) == {"bb": "served", "dd": "may-not", "ee": "presumed"}
    assert [one.may_read.reason for one in row.peers if one.peer.handle == "bb"] == [
        "the peer is not a member of the group"
    ]


def test_nobody_else_may_ask(desk: Desk) -> None:
    made = shared(desk)
    desk.seen("bb")
    unknown = "incident--00000000-0000-4000-8000-000000000000"
    for part in ("analyst", "foreign", "lonely", "suspended-member"):
        texts = set()
        for stix_id in (made["id"], unknown):
            with pytest.raises(NotFound) as refused:
                told(desk, stix_id, desk.cast.caller(part))
            texts.add(str(refused.value))
        assert len(texts) == 1
    with pytest.raises(Forbidden):
        told(desk, made["id"], desk.cast.caller("feed"))
    assert told(desk, made["id"], desk.cast.caller("operator"))


def test_the_author_of_what_another_relayed_is_told_only_where_he_could_know_of_it(desk: Desk) -> None:
    relay_rights.grant(desk.hub, OPERATOR, "bravo", "bb", desk.identity["aa"])
    made = desk.incident()
    desk.post("bb", *desk.sign("aa", made), slug="bravo")
    assert [row.group.slug for row in told(desk, made["id"], desk.callers["bb"])] == ["bravo"]
    with pytest.raises(NotFound):  # aa is no member of bravo
        told(desk, made["id"], desk.callers["aa"])
    members.put(desk.hub, OPERATOR, "bravo", "aa", {Right.READ})
    assert told(desk, made["id"], desk.callers["aa"])
    collections.set_rights(desk.hub, OPERATOR, "bravo", "incidents", "aa", (False, None))
    with pytest.raises(NotFound):
        told(desk, made["id"], desk.callers["aa"])


@pytest.mark.parametrize(
    ("visibility", "named"),
    [("open", {"aa", "dd", "ee"}), ("moderators", set()), ("hidden", set())],
    ids=["open", "moderators", "hidden"],
)
def test_peers_he_may_not_know_of_are_counted_and_not_named(desk: Desk, visibility: str, named: set[str]) -> None:
    made = desk.incident("bb")
    desk.share("bb", made)
    desk.seen("ee")
    groups.update(desk.hub, OPERATOR, "alpha", member_visibility=visibility)
    (row,) = told(desk, made["id"], desk.callers["bb"])
    active = named - {"dd"}  # who is suspended is named to nobody but moderators
    assert set(states(row)) == active
    assert sum(row.others.values()) == 3 - len(active)
    assert row.others["may-not"] == 1


def test_fetching_it_by_its_id_is_told(desk: Desk) -> None:
    made = shared(desk)
    read.one(desk.hub, desk.callers["bb"], desk.opened("bb"), made["id"], Query())
    (row,) = told(desk, made["id"])
    assert [(one.state, one.how) for one in row.peers if one.peer.handle == "bb"] == [("served", ("object",))]
