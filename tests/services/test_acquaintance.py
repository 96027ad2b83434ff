"""Who may know of whom: the visibility of a group's members, in every answer that names a peer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

from hub.errors import Forbidden, NotFound
from hub.services import acquaintance, collections, explain, groups, key_directory, keys, members, peers, relay_rights
from hub.services.actor import LOCAL_OPERATOR, Actor, limited
from hub.store import groups as group_store
from hub.store import peers as peer_store
from tests.services.cast import VENDOR
from tests.services.desk import Desk

VISIBILITIES = ("open", "moderators", "hidden")
EVERYONE = frozenset({"aa", "bb", "dd", "ee"})
ACTIVE = frozenset({"aa", "bb", "ee"})

KNOWN: dict[tuple[str, str], frozenset[str]] = {
    # (visibility, part): members of alpha he may know of, himself included. dd is suspended; nobody has posted yet.
    ("open", "operator"): EVERYONE,
    ("open", "moderator"): EVERYONE,
    ("open", "admin"): ACTIVE,
    ("moderators", "operator"): EVERYONE,
    ("moderators", "moderator"): EVERYONE,
    ("moderators", "admin"): frozenset({"bb"}),
    ("hidden", "operator"): EVERYONE,
    ("hidden", "moderator"): frozenset({"aa"}),
    ("hidden", "admin"): frozenset({"bb"}),
    **{(visibility, "foreign"): frozenset() for visibility in VISIBILITIES},
}
"""aa moderates, bb is a member, cc (foreign) is in bravo with bb, where members are open."""

LISTINGS: dict[str, Callable[[Desk, Actor], Iterable[str]]] = {
    "members": lambda desk, actor: [peer.handle for peer, _ in members.listed(desk.hub, actor, "alpha")[1]],
    "collection rights": lambda desk, actor: [
        row.peer.handle for row in collections.rights(desk.hub, actor, "alpha", "incidents")
    ],
    "relay rights": lambda desk, actor: [row.peer.handle for row in relay_rights.listed(desk.hub, actor, "alpha")],
    "key directory": lambda desk, actor: [
        key["handle"] for key in key_directory.signed(desk.hub, actor, "alpha").document["keys"] if key.get("handle")
    ],
    "known peers": lambda desk, actor: known(desk, actor),
}


def known(desk: Desk, actor: Actor) -> list[str]:
    with desk.hub.db.read() as tx:
        alpha = group_store.by_slug(tx, "alpha")
        assert alpha is not None
        ids = acquaintance.known_peers(tx, limited(actor), alpha)
        return [peer.handle for peer in peer_store.all(tx) if peer.id in ids]


QUESTIONS: dict[str, Callable[[Desk, Actor, str], object]] = {
    "a member": lambda desk, actor, handle: members.shown(desk.hub, actor, "alpha", handle),
    "suspending": lambda desk, actor, handle: members.suspend(desk.hub, actor, "alpha", handle),
    "removing": lambda desk, actor, handle: members.remove(desk.hub, actor, "alpha", handle),
    "rights": lambda desk, actor, handle: members.put(desk.hub, actor, "alpha", handle, set()),
    "rights here": lambda desk, actor, handle: collections.set_rights(
        desk.hub, actor, "alpha", "incidents", handle, (True, None)
    ),
    "a peer": lambda desk, actor, handle: peers.shown(desk.hub, actor, handle),
    "the keys of a peer": lambda desk, actor, handle: keys.of_peer(desk.hub, actor, handle),
    "changing a peer": lambda desk, actor, handle: peers.update(desk.hub, actor, handle, name="X"),
    "explaining": lambda desk, actor, handle: explain.explain(
        desk.hub, actor, "incident--00000000-0000-4000-8000-000000000000", handle
    ),
}


def part_of(desk: Desk, part: str) -> Actor:
    return LOCAL_OPERATOR if part == "operator" else desk.cast.caller(part)


def show(desk: Desk, visibility: str) -> None:
    groups.update(desk.hub, LOCAL_OPERATOR, "alpha", member_visibility=visibility)


def answer(act: Callable[[], Any]) -> str:
    try:
        act()
    except (NotFound, Forbidden) as error:
        return f"{type(error).__name__}: {error}"
    return "answered"


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_every_listing_names_whom_he_may_know_and_nobody_else(desk: Desk, visibility: str) -> None:
    show(desk, visibility)
    for part in ("operator", "moderator", "admin", "foreign"):
        actor, expected = part_of(desk, part), KNOWN[visibility, part]
        for name, listing in LISTINGS.items():
            try:
                named = set(listing(desk, actor))
            except (NotFound, Forbidden):
                assert part in ("admin", "foreign"), name
                continue
            if name == "known peers":
                named &= EVERYONE
            assert named - {"hub"} <= expected | ({"bb"} if part == "foreign" else set()), (part, name)
            if name in ("members", "collection rights"):
                assert named == expected, (part, name)


@pytest.mark.parametrize("visibility", VISIBILITIES)
@pytest.mark.parametrize("part", ["moderator", "admin", "foreign"])
def test_a_peer_he_may_not_know_of_is_a_peer_that_does_not_exist(desk: Desk, visibility: str, part: str) -> None:
    show(desk, visibility)
    actor = part_of(desk, part)
    elsewhere = {"bb"} if part == "foreign" else set()  # he shares bravo with him
    for name, question in QUESTIONS.items():
        nobody = answer(partial(question, desk, actor, "nobody"))
        for handle in sorted(EVERYONE - KNOWN[visibility, part] - elsewhere):
            assert answer(partial(question, desk, actor, handle)) == nobody, (name, handle)


def test_the_author_of_what_he_can_see_is_known_to_him_and_no_other(desk: Desk) -> None:
    show(desk, "hidden")
    bb, ee = desk.cast.caller("admin"), desk.callers["ee"]
    marking = desk.releasability("aa", recipient_refs=[desk.identity["bb"]])
    desk.share("aa", marking, alias="indicators")
    assert known(desk, bb) == ["aa", "bb"]
    desk.share("ee", desk.incident("ee"))
    assert known(desk, bb) == ["aa", "bb", "ee"]
    assert known(desk, ee) == ["ee"]
    assert [peer.handle for peer, _ in members.listed(desk.hub, bb, "alpha")[1]] == ["aa", "bb", "ee"]
    assert peers.shown(desk.hub, bb, "ee").handle == "ee"


def test_a_relay_right_of_somebody_hidden_is_not_listed(desk: Desk) -> None:
    moderator = desk.cast.caller("moderator")
    assert [row.author_identity for row in relay_rights.listed(desk.hub, moderator, "alpha")] == [VENDOR]
    show(desk, "hidden")
    assert relay_rights.listed(desk.hub, moderator, "alpha") == []
