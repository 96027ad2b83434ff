"""What a moderator may do, and where it ends; that every change leaves one line; that nothing is half done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.client import keyfile
from hub.domain.membership import CollectionRights, CredentialKind, PeerKind, Right, Role
from hub.errors import Conflict, CybexError, Forbidden, NotFound
from hub.services import audit, collections, credentials, groups, keys, members, peers, relay_rights
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.actor import is_operator
from hub.services.context import Hub
from tests.services.cast import ALL, BOTH, VENDOR, Cast, new_key
from tests.services.statements import enrolment

READ, WRITE, MODERATE = Right.READ, Right.WRITE, Right.MODERATE


def limit_moderator(hub: Hub, rights: set[Right]) -> None:
    members.put(hub, OPERATOR, "alpha", "aa", rights)


def test_a_moderator_gives_no_right_that_he_has_not(cast: Cast) -> None:
    limit_moderator(cast.hub, {READ, MODERATE})
    moderator = cast.caller("moderator")
    members.put(cast.hub, OPERATOR, "alpha", "bb", {READ})
    with pytest.raises(Forbidden):
        members.put(cast.hub, moderator, "alpha", "bb", {READ, WRITE})
    assert members.shown(cast.hub, OPERATOR, "alpha", "bb")[1].rights == {READ}
    members.put(cast.hub, moderator, "alpha", "bb", {READ, MODERATE})


@pytest.mark.parametrize("change", ["rights", "suspend", "collection"])
def test_a_moderator_touches_nobody_who_has_more(cast: Cast, change: str) -> None:
    limit_moderator(cast.hub, {READ, MODERATE})
    moderator = cast.caller("moderator")
    acts: dict[str, Callable[[], Any]] = {
        "rights": lambda: members.put(cast.hub, moderator, "alpha", "bb", {READ}),
        "suspend": lambda: members.suspend(cast.hub, moderator, "alpha", "bb"),
        "collection": lambda: collections.set_rights(cast.hub, moderator, "alpha", "indicators", "bb", (False, False)),
    }
    with pytest.raises(Forbidden):
        acts[change]()


def test_a_moderator_restores_nobody_who_has_more(cast: Cast) -> None:
    limit_moderator(cast.hub, {READ, MODERATE})
    with pytest.raises(Forbidden):
        members.restore(cast.hub, cast.caller("moderator"), "alpha", "ee")


def test_a_moderator_changes_nothing_for_himself(cast: Cast) -> None:
    moderator = cast.caller("moderator")
    acts: list[Callable[[], Any]] = [
        lambda: members.put(cast.hub, moderator, "alpha", "aa", set(ALL)),
        lambda: members.suspend(cast.hub, moderator, "alpha", "aa"),
        lambda: collections.set_rights(cast.hub, moderator, "alpha", "indicators", "aa", (True, True)),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()


def test_a_moderator_lifts_nobody_above_what_was_left_to_him_in_a_collection(cast: Cast) -> None:
    moderator = cast.caller("moderator")
    collections.set_rights(cast.hub, OPERATOR, "alpha", "indicators", "aa", (None, False))
    collections.set_rights(cast.hub, OPERATOR, "alpha", "indicators", "bb", (None, False))
    for override in ((None, True), (None, None)):
        with pytest.raises(Forbidden):
            collections.set_rights(cast.hub, moderator, "alpha", "indicators", "bb", override)
    row = collections.set_rights(cast.hub, moderator, "alpha", "indicators", "bb", (True, False))
    assert row.rights == CollectionRights(can_read=True, can_write=False, can_moderate=False)


def test_a_moderator_lifts_nobody_to_reading_what_he_may_not_read(cast: Cast) -> None:
    collections.set_rights(cast.hub, OPERATOR, "alpha", "indicators", "aa", (False, None))
    with pytest.raises(Forbidden):
        collections.set_rights(cast.hub, cast.caller("moderator"), "alpha", "indicators", "bb", (None, False))


def test_a_moderator_adds_nobody_and_removes_nobody(cast: Cast) -> None:
    moderator = cast.caller("moderator")
    for handle in ("ff", "cc", "nobody"):
        with pytest.raises(NotFound, match="no such member"):
            members.put(cast.hub, moderator, "alpha", handle, {READ})
    with pytest.raises(Forbidden):
        members.remove(cast.hub, moderator, "alpha", "bb")


def test_a_moderator_of_one_group_is_nobody_in_another(cast: Cast) -> None:
    with pytest.raises(NotFound):
        members.suspend(cast.hub, cast.caller("foreign"), "alpha", "bb")


def test_a_moderator_who_is_suspended_moderates_no_more(cast: Cast) -> None:
    moderator = cast.caller("moderator")
    members.suspend(cast.hub, OPERATOR, "alpha", "aa")
    with pytest.raises(NotFound):
        members.suspend(cast.hub, moderator, "alpha", "bb")


def test_a_member_removed_comes_back_with_nothing_of_old(cast: Cast) -> None:
    collections.set_rights(cast.hub, OPERATOR, "alpha", "indicators", "bb", (None, True))
    members.remove(cast.hub, OPERATOR, "alpha", "bb")
    assert relay_rights.listed(cast.hub, OPERATOR, "alpha") == []
    members.put(cast.hub, OPERATOR, "alpha", "bb", {READ})
    rows = collections.rights(cast.hub, OPERATOR, "alpha", "indicators")
    assert [row.override for row in rows if row.peer.handle == "bb"] == [(None, None)]


def test_the_role_operator_at_another_peer_is_no_operator(cast: Cast) -> None:
    caller = cast.caller("admin")
    forged = type(caller)(caller.peer, caller.credential_id, Role.OPERATOR)
    assert not is_operator(forged)
    with pytest.raises(Forbidden):
        peers.add(cast.hub, forged, handle="zz", name="ZZ", kind=PeerKind.NATIONAL)


CHANGES: list[tuple[str, str, Callable[[Hub], Any]]] = [
    ("peer.add", "peers/zz", lambda hub: peers.add(hub, OPERATOR, handle="zz", name="Z", kind=PeerKind.NATIONAL)),
    ("peer.update", "peers/bb", lambda hub: peers.update(hub, OPERATOR, "bb", name="B")),
    ("peer.suspend", "peers/bb", lambda hub: peers.update(hub, OPERATOR, "bb", suspended=True)),
    ("peer.restore", "peers/dd", lambda hub: peers.update(hub, OPERATOR, "dd", suspended=False)),
    ("group.update", "groups/alpha", lambda hub: groups.update(hub, OPERATOR, "alpha", title="A")),
    ("member.rights", "groups/alpha/members/bb", lambda hub: members.put(hub, OPERATOR, "alpha", "bb", {READ})),
    ("member.add", "groups/alpha/members/ff", lambda hub: members.put(hub, OPERATOR, "alpha", "ff", set(BOTH))),
    ("member.suspend", "groups/alpha/members/bb", lambda hub: members.suspend(hub, OPERATOR, "alpha", "bb")),
    ("member.restore", "groups/alpha/members/ee", lambda hub: members.restore(hub, OPERATOR, "alpha", "ee")),
    ("member.remove", "groups/alpha/members/bb", lambda hub: members.remove(hub, OPERATOR, "alpha", "bb")),
    (
        "relay-right.grant",
        "groups/alpha/members/aa",
        lambda hub: relay_rights.grant(hub, OPERATOR, "alpha", "aa", VENDOR),
    ),
    (
        "relay-right.revoke",
        "groups/alpha/members/bb",
        lambda hub: relay_rights.revoke(hub, OPERATOR, "alpha", "bb", VENDOR),
    ),
]


@pytest.mark.parametrize(("action", "subject", "change"), CHANGES, ids=[row[0] for row in CHANGES])
def test_every_change_leaves_one_line_in_the_audit(
    action: str, subject: str, change: Callable[[Hub], Any], sqlite_copy: Cast
) -> None:
    hub = sqlite_copy.hub
    before = len(audit.recent(hub, OPERATOR, limit=1000))
    change(hub)
    lines = audit.recent(hub, OPERATOR, limit=1000)
    assert len(lines) == before + 1
    assert (lines[0].line.action, lines[0].line.subject, lines[0].handle) == (action, subject, None)


def test_what_changes_nothing_leaves_no_line(cast: Cast) -> None:
    hub = cast.hub
    before = len(audit.recent(hub, OPERATOR, limit=1000))
    peers.update(hub, OPERATOR, "dd", suspended=True)
    groups.update(hub, OPERATOR, "alpha", title="Alpha")
    members.put(hub, OPERATOR, "alpha", "bb", set(BOTH))
    members.suspend(hub, OPERATOR, "alpha", "ee")
    relay_rights.grant(hub, OPERATOR, "alpha", "bb", VENDOR)
    credentials.revoke(hub, OPERATOR, "bb", cast.ids["revoked"])
    assert len(audit.recent(hub, OPERATOR, limit=1000)) == before


def test_a_line_names_who_did_it_with_which_credential_and_no_secret(cast: Cast) -> None:
    cast_secret = credentials.add(
        cast.hub, cast.caller("admin"), "bb", kind=CredentialKind.BASIC, role=Role.FEED, label="x"
    ).secret
    newest = audit.recent(cast.hub, OPERATOR, limit=1)[0]
    assert (newest.handle, newest.line.credential_id) == ("bb", cast.ids["admin"])
    assert cast_secret is not None
    assert cast_secret not in repr(newest)
    assert newest.line.detail["expires_at"].endswith("Z")


def test_a_refused_change_leaves_neither_a_line_nor_a_trace(cast: Cast) -> None:
    hub = cast.hub
    before = audit.recent(hub, OPERATOR, limit=1000)
    refused: list[Callable[[], Any]] = [
        lambda: groups.add(hub, OPERATOR, slug="alpha", title="again"),
        lambda: peers.add(hub, OPERATOR, handle="bb", name="again", kind=PeerKind.NATIONAL),
        lambda: peers.update(hub, OPERATOR, "hub", name="another", suspended=True),
        lambda: keys.enrol(hub, OPERATOR, "bb", public_key=keys.of_peer(hub, OPERATOR, "cc")[1][0].public_key),
        lambda: keys.enrol(hub, OPERATOR, "bb", public_key=new_key().text, valid_from=5, valid_until=5),
        lambda: keys.revoke(hub, OPERATOR, "bb", cast.kids["bb"], reason="retired", at=hub.clock() + 1),
    ]
    for act in refused:
        with pytest.raises(CybexError):
            act()
    assert audit.recent(hub, OPERATOR, limit=1000) == before
    assert peers.shown(hub, OPERATOR, "hub").name == "The hub"


def test_a_key_belongs_to_one_peer_on_the_whole_hub(cast: Cast) -> None:
    pair = keyfile.generate()
    key = pair.public
    proof = enrolment(cast.hub, "bb", pair)
    keys.enrol(cast.hub, cast.caller("admin"), "bb", public_key=key.text, statement=proof)
    with pytest.raises(Conflict):
        keys.enrol(cast.hub, OPERATOR, "cc", public_key=key.text)
