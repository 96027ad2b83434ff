"""Peers, groups, members, collections, credentials and keys are found as stored, and only by whom they may."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.store import collections, credentials, groups, keys, members, peers, relay_rights
from hub.store.database import Database
from tests.store.world import NOW, World, add_collection, add_group, add_peer, make_world

DAY = 86_400_000_000


@pytest.fixture
def world(database: Database) -> World:
    return make_world(database)


def add_credential(tx: Any, peer_id: int, **given: Any) -> Any:
    values = {
        "kind": CredentialKind.BASIC,
        "role": Role.FEED,
        "label": "feed",
        "username": None,
        "lookup": None,
        "salt": b"salt",
        "secret_hash": b"hash",
        "fingerprint": None,
        "now": NOW,
        "expires_at": None,
    }
    return credentials.add(tx, peer_id=peer_id, **{**values, **given})


def add_key(tx: Any, peer_id: int, kid: str) -> Any:
    return keys.add(
        tx,
        peer_id=peer_id,
        kid=kid,
        algorithm="Ed25519",
        public_key="MCow",
        valid_from=NOW,
        valid_until=NOW + DAY,
        now=NOW,
    )


def test_a_peer_is_found_by_each_of_its_names(world: World) -> None:
    with world.db.read() as tx:
        found = [peers.by_handle(tx, "aa"), peers.by_identity(tx, world.aa.identity), peers.by_id(tx, world.aa.id)]
        assert found == [world.aa] * 3
        assert peers.by_handle(tx, "AA") is None
        assert [peer.handle for peer in peers.all(tx)] == ["aa", "bb", "cc"]
        assert peers.identities(tx) == {peer.identity: peer.id for peer in (world.aa, world.bb, world.cc)}
        with pytest.raises(NotFound):
            peers.by_id(tx, 999)


def test_a_peer_changes_only_where_something_is_given(world: World) -> None:
    with world.db.write() as tx:
        changed = peers.update(tx, world.aa.id, country="KE", kind=PeerKind.SECTOR)
        assert (changed.name, changed.country, changed.kind) == ("AA", "KE", PeerKind.SECTOR)
        assert peers.update(tx, world.aa.id, country=None).country is None
        assert peers.suspend(tx, world.aa.id, NOW).suspended_at == NOW
        assert peers.suspend(tx, world.aa.id, NOW + 1).suspended_at == NOW
        assert peers.restore(tx, world.aa.id).suspended_at is None
        with pytest.raises(NotFound):
            peers.update(tx, 999, name="nobody")


@pytest.mark.parametrize("same", ["handle", "identity"])
def test_a_peer_has_its_names_alone(world: World, same: str) -> None:
    given = {"handle": "dd", "identity": "identity--33333333-3333-4333-8333-333333333333"}
    given[same] = getattr(world.aa, same)
    with world.db.write() as tx, pytest.raises(Conflict):
        peers.add(tx, name="DD", kind="national", country=None, itu_region=None, now=NOW, **given)


def test_a_group_is_found_by_its_slug_and_by_its_active_members(world: World) -> None:
    with world.db.write() as tx:
        bravo = add_group(tx, "bravo")
        members.put(tx, group_id=bravo.id, peer_id=world.bb.id, rights=[Right.READ], now=NOW)
        members.suspend(tx, world.group.id, world.cc.id, NOW)
        assert [group.slug for group in groups.of_peer(tx, world.bb.id)] == ["alpha", "bravo"]
        assert groups.of_peer(tx, world.cc.id) == []
        assert groups.by_slug(tx, "bravo") == groups.by_id(tx, bravo.id) == bravo
        assert groups.all(tx) == [world.group, bravo]
        changed = groups.update(tx, bravo.id, signature_required=False, description="for bravo")
        assert (changed.signature_required, changed.description, changed.title) == (False, "for bravo", "Bravo")
        with pytest.raises(Conflict):
            add_group(tx, "alpha")


def test_a_member_keeps_its_day_of_joining_and_its_suspension_when_its_rights_change(world: World) -> None:
    with world.db.write() as tx:
        assert members.suspend(tx, world.group.id, world.bb.id, NOW + 1)
        assert not members.suspend(tx, world.group.id, world.bb.id, NOW + 2)
        changed = members.put(tx, group_id=world.group.id, peer_id=world.bb.id, rights=[Right.MODERATE], now=NOW + 3)
        assert (changed.rights, changed.joined_at, changed.suspended_at) == ({Right.MODERATE}, NOW, NOW + 1)
        assert members.restore(tx, world.group.id, world.bb.id)
        assert not members.restore(tx, world.group.id, world.bb.id)
        listed = members.of_group(tx, world.group.id)
        assert [(peer.handle, member.peer_id) for peer, member in listed] == [
            (peer.handle, peer.id) for peer in (world.aa, world.bb, world.cc)
        ]


def test_a_member_that_is_removed_leaves_no_rights_behind(world: World) -> None:
    with world.db.write() as tx:
        collections.set_override(tx, world.collection.id, world.bb.id, can_read=True, can_write=None)
        given = {"group_id": world.group.id, "peer_id": world.bb.id, "author_identity": world.aa.identity}
        assert relay_rights.grant(tx, now=NOW, **given)
        assert not relay_rights.grant(tx, now=NOW, **given)
        assert members.remove(tx, world.group.id, world.bb.id)
        assert not members.remove(tx, world.group.id, world.bb.id)
        assert members.get(tx, world.group.id, world.bb.id) is None
        assert collections.overrides(tx, world.collection.id) == {}
        assert relay_rights.of_group(tx, world.group.id) == []


def test_a_relay_right_is_held_for_one_author_in_one_group(world: World) -> None:
    with world.db.write() as tx:
        bravo = add_group(tx, "bravo")
        given = {"group_id": world.group.id, "peer_id": world.bb.id, "author_identity": world.aa.identity}
        relay_rights.grant(tx, now=NOW, **given)
        assert relay_rights.held(tx, world.group.id, world.bb.id) == {world.aa.identity}
        assert relay_rights.held(tx, bravo.id, world.bb.id) == frozenset()
        assert relay_rights.held(tx, world.group.id, world.cc.id) == frozenset()
        assert relay_rights.revoke(tx, **given)
        assert not relay_rights.revoke(tx, **given)


def test_a_collection_opens_for_an_active_member_only(world: World) -> None:
    ref = world.collection.uuid
    with world.db.write() as tx:
        dd = add_peer(tx, "dd")
        members.suspend(tx, world.group.id, world.cc.id, NOW)
        collections.set_override(tx, world.collection.id, world.bb.id, can_read=None, can_write=False)
        group, collection, member, override = collections.open_for(tx, "alpha", world.bb.id, "indicators") or [None] * 4
        assert (group, collection, override) == (world.group, world.collection, (None, False))
        assert member is not None
        assert member.rights == {Right.READ, Right.WRITE}
        opened = collections.open_for(tx, "alpha", world.aa.id, ref)
        assert opened is not None
        assert opened[3] is None
        for slug, peer_id, name in (
            ("alpha", dd.id, ref),
            ("alpha", world.cc.id, ref),
            ("bravo", world.aa.id, ref),
            ("alpha", world.aa.id, "incidents"),
            ("alpha", world.aa.id, ref.upper()),
        ):
            assert collections.open_for(tx, slug, peer_id, name) is None


def test_collections_are_listed_by_id_for_an_active_member_only(world: World) -> None:
    with world.db.write() as tx:
        more = [add_collection(tx, world.group, alias) for alias in ("incidents", "third")]
        empty = add_group(tx, "empty")
        members.put(tx, group_id=empty.id, peer_id=world.aa.id, rights=[], now=NOW)
        members.suspend(tx, world.group.id, world.cc.id, NOW)
        found = collections.list_for(tx, "alpha", world.aa.id)
        assert found is not None
        expected = sorted((world.collection, *more), key=lambda collection: collection.uuid)
        assert found[2] == [(collection, None) for collection in expected]
        assert collections.of_group(tx, world.group.id) == expected
        nothing = collections.list_for(tx, "empty", world.aa.id)
        assert nothing is not None
        assert nothing[2] == []
        assert collections.list_for(tx, "empty", world.bb.id) is None
        assert collections.list_for(tx, "alpha", world.cc.id) is None
        assert collections.list_for(tx, "nowhere", world.aa.id) is None


def test_an_alias_is_unique_in_its_group_and_looks_like_no_uuid(world: World) -> None:
    with world.db.write() as tx:
        bravo = add_group(tx, "bravo")
        assert add_collection(tx, bravo, "indicators").alias == "indicators"
        assert add_collection(tx, bravo).alias is add_collection(tx, bravo).alias is None
        with pytest.raises(Conflict):
            add_collection(tx, bravo, "indicators")
        for alias in ("0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5BD9CB469FA16570867728950E"):
            with pytest.raises(InvalidRequest):
                add_collection(tx, bravo, alias)
        assert collections.by_ref(tx, world.group.id, "indicators") == world.collection
        assert collections.by_ref(tx, bravo.id, world.collection.uuid) is None


@pytest.mark.parametrize("types", [None, frozenset(), frozenset({"incident", "indicator"})])
def test_a_collection_keeps_its_types(world: World, types: frozenset[str] | None) -> None:
    with world.db.write() as tx:
        made = add_collection(tx, world.group, "typed", allowed_types=types)
        assert made.allowed_types == types
        assert collections.by_id(tx, made.id) == made


def test_an_override_of_nothing_is_no_override(world: World) -> None:
    with world.db.write() as tx:
        collections.set_override(tx, world.collection.id, world.bb.id, can_read=False, can_write=True)
        assert collections.overrides(tx, world.collection.id) == {world.bb.id: (False, True)}
        collections.set_override(tx, world.collection.id, world.bb.id, can_read=None, can_write=None)
        assert collections.overrides(tx, world.collection.id) == {}


def test_a_credential_is_found_with_its_peer_and_what_proves_it(world: World) -> None:
    with world.db.write() as tx:
        basic = add_credential(tx, world.aa.id, username="aa.feed", salt=b"\0\xff", secret_hash=b"digest")
        bearer = add_credential(tx, world.bb.id, kind="bearer", role="analyst", lookup="abc", expires_at=NOW + 1)
        certificate = add_credential(tx, world.cc.id, kind="certificate", fingerprint="ff" * 32)
        found = credentials.by_username(tx, "aa.feed")
        assert found == credentials.StoredCredential(basic, world.aa, b"\0\xff", b"digest")
        by_lookup, by_fingerprint = credentials.by_lookup(tx, "abc"), credentials.by_fingerprint(tx, "ff" * 32)
        assert by_lookup is not None
        assert (by_lookup.credential, by_lookup.peer) == (bearer, world.bb)
        assert by_fingerprint is not None
        assert (by_fingerprint.credential, by_fingerprint.peer) == (certificate, world.cc)
        assert credentials.by_username(tx, "AA.FEED") is None
        assert credentials.by_lookup(tx, "") is None
        assert credentials.by_id(tx, basic.id) == basic
        assert credentials.by_id(tx, 999) is None
        assert credentials.of_peer(tx, world.aa.id) == [basic]


def test_a_revoked_credential_is_still_found_until_another_takes_its_name(world: World) -> None:
    with world.db.write() as tx:
        old = add_credential(tx, world.aa.id, username="aa.feed")
        with pytest.raises(Conflict):
            add_credential(tx, world.bb.id, username="aa.feed")
        assert credentials.revoke(tx, old.id, NOW + 1)
        assert not credentials.revoke(tx, old.id, NOW + 2)
        found = credentials.by_username(tx, "aa.feed")
        assert found is not None
        assert (found.credential.id, found.credential.revoked_at) == (old.id, NOW + 1)
        new = add_credential(tx, world.aa.id, username="aa.feed")
        found = credentials.by_username(tx, "aa.feed")
        assert found is not None
        assert found.credential.id == new.id


def test_the_use_of_a_credential_is_written_at_most_once_a_minute(world: World) -> None:
    with world.db.write() as tx:
        credential = add_credential(tx, world.aa.id, username="aa.feed")
        assert credentials.touch(tx, credential.id, NOW)
        assert not credentials.touch(tx, credential.id, NOW + credentials.TOUCH_INTERVAL_US - 1)
        assert credentials.touch(tx, credential.id, NOW + credentials.TOUCH_INTERVAL_US)
        found = credentials.by_id(tx, credential.id)
        assert found is not None
        assert found.last_used_at == NOW + credentials.TOUCH_INTERVAL_US


def test_a_key_belongs_to_one_peer_and_is_seen_in_its_groups(world: World) -> None:
    with world.db.write() as tx:
        dd = add_peer(tx, "dd")
        aa_key, dd_key, cc_key = (add_key(tx, peer.id, peer.handle * 32) for peer in (world.aa, dd, world.cc))
        assert aa_key.identity == world.aa.identity
        with pytest.raises(Conflict):
            add_key(tx, world.bb.id, aa_key.kid)
        assert keys.by_kid(tx, aa_key.kid) == aa_key
        assert keys.by_kid(tx, "00" * 32) is None
        assert keys.of_peer(tx, world.aa.id) == [aa_key]
        assert keys.all(tx) == [aa_key, dd_key, cc_key]
        assert keys.of_group(tx, world.group.id) == [aa_key, cc_key]
        members.suspend(tx, world.group.id, world.aa.id, NOW)
        peers.suspend(tx, world.cc.id, NOW)
        assert keys.of_group(tx, world.group.id) == []


def test_the_first_revocation_of_a_key_stands_but_it_may_turn_out_to_be_compromised(world: World) -> None:
    with world.db.write() as tx:
        key = add_key(tx, world.aa.id, "aa" * 32)
        assert keys.revoke(tx, key.kid, NOW + 1, "superseded")
        assert not keys.revoke(tx, key.kid, NOW + 2, "retired")
        assert keys.revoke(tx, key.kid, NOW + 3, "compromised")
        assert not keys.revoke(tx, key.kid, NOW + 4, "compromised")
        found = keys.by_kid(tx, key.kid)
        assert found is not None
        assert (found.revoked_at, found.revocation_reason) == (NOW + 1, "compromised")


def test_a_compromise_may_begin_before_the_revocation_that_was_known(world: World) -> None:
    with world.db.write() as tx:
        key = add_key(tx, world.aa.id, "aa" * 32)
        assert keys.revoke(tx, key.kid, NOW + 10, "retired", reported_at=NOW + 10)
        assert keys.revoke(tx, key.kid, NOW + 1, "compromised", reported_at=NOW + 20)
        found = keys.by_kid(tx, key.kid)
        assert found is not None
        assert (found.revoked_at, found.reported_at) == (NOW + 1, NOW + 20)
