"""Entries: in commit order, known hub-wide, deleted with a tombstone; one version has one content."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from hub.domain.audience import Audience
from hub.domain.taxii import VersionMatch
from hub.errors import Conflict, NotFound
from hub.store import entries, pages
from hub.store.database import Database
from hub.store.integrity import problems
from hub.store.pages import Selection
from tests.store.world import NOW, World, add_collection, except_, make_world, named, new_entry

STIX_ID = "indicator--11111111-1111-4111-8111-111111111111"
FILE_ID = "file--22222222-2222-5222-8222-222222222222"
EARLY, LATE = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00Z"
EARLY_KEY, LATE_KEY = "20260101000000.", "20260102000000."


@pytest.fixture
def world(database: Database) -> World:
    return make_world(database)


def insert(world: World, *given: dict[str, Any], now: int = NOW) -> list[int]:
    with world.db.write() as tx:
        return entries.insert(tx, world.collection.id, now, [new_entry(world.aa, **one) for one in given])


def delete(world: World, stix_id: str, keys: set[str] | None) -> int:
    with world.db.write() as tx:
        return entries.delete(tx, world.collection.id, stix_id, keys, peer_id=world.aa.id, now=NOW + 50)


def latest(world: World) -> list[str]:
    with world.db.read() as tx:
        records = pages.manifest(tx, Selection(world.collection.id, world.bb.id, NOW)).records
    return [version for _, _, version in records]


def test_dates_are_the_clock_or_just_after_the_last_one(world: World) -> None:
    assert insert(world, {}, {}, now=NOW) == [NOW, NOW + 1]
    assert insert(world, {}, now=NOW) == [NOW + 2]
    assert insert(world, {}, now=NOW - 10**9) == [NOW + 3]
    assert insert(world, {}, now=NOW + 100) == [NOW + 100]
    with world.db.write() as tx:
        assert entries.lock(tx, world.collection.id) == NOW + 100
        assert entries.insert(tx, world.collection.id, NOW + 200, []) == []
        assert entries.lock(tx, world.collection.id) == NOW + 100
        with pytest.raises(NotFound):
            entries.lock(tx, 999)


def test_dates_stay_behind_those_of_what_was_deleted(world: World) -> None:
    insert(world, {"stix_id": STIX_ID}, now=NOW)
    delete(world, STIX_ID, None)
    assert insert(world, {"stix_id": STIX_ID}, now=NOW) == [NOW + 1]


def test_a_stored_version_is_known_everywhere_on_the_hub(world: World) -> None:
    with world.db.write() as tx:
        other = add_collection(tx, world.group, "incidents")
        audience = except_(world.cc)
        given = new_entry(world.aa, stix_id=STIX_ID, version=EARLY, audience=audience, expires_at=NOW + 9)
        entries.insert(tx, world.collection.id, NOW, [given])
        entries.insert(tx, other.id, NOW + 5, [new_entry(world.bb, stix_id=STIX_ID, version=LATE, introduced=True)])
        entries.insert(tx, other.id, NOW + 7, [new_entry(world.bb, stix_id=FILE_ID, version=None)])
        found = entries.known(tx, [FILE_ID, STIX_ID, "note--none"])
    assert found["note--none"] == []
    first, second = found[STIX_ID]
    assert first == entries.StoredVersion(
        collection_id=world.collection.id,
        group_id=world.group.id,
        stix_id=STIX_ID,
        version=EARLY,
        version_key=EARLY_KEY,
        sha256=given.sha256,
        date_added=NOW,
        author_identity=world.aa.identity,
        introduced=False,
        submitter_peer_id=world.aa.id,
        audience=audience,
        expires_at=NOW + 9,
    )
    assert (second.collection_id, second.introduced, second.audience) == (other.id, True, Audience("group"))
    (third,) = found[FILE_ID]
    assert (third.version, third.version_key) == ("2026-09-21T14:13:20.000007Z", "20260921141320.000007")


def test_more_ids_are_known_than_fit_into_one_statement(world: World) -> None:
    ids = [f"indicator--{n:08d}-1111-4111-8111-111111111111" for n in range(1201)]
    insert(world, *[{"stix_id": stix_id} for stix_id in ids])
    with world.db.read() as tx:
        assert [len(versions) for versions in entries.known(tx, ids).values()] == [1] * 1201
        bodies = entries.bodies_of(tx, world.group.id, ids)
    assert len(bodies) == 1201


def test_bodies_are_read_by_group_with_who_may_see_them(world: World) -> None:
    insert(
        world,
        {"stix_id": STIX_ID, "version": LATE, "body": b"late", "audience": named(world.aa), "expires_at": NOW},
        {"stix_id": STIX_ID, "version": EARLY, "body": b"early"},
    )
    with world.db.read() as tx:
        assert entries.bodies_of(tx, world.group.id, [STIX_ID, FILE_ID]) == {
            STIX_ID: [
                (b"late", named(world.aa), world.aa.id, NOW),
                (b"early", Audience("group"), world.aa.id, None),
            ]
        }
        assert entries.bodies_of(tx, world.group.id + 1, [STIX_ID]) == {}


def test_one_version_is_stored_once_in_a_collection(world: World) -> None:
    insert(world, {"stix_id": STIX_ID, "version": EARLY})
    with pytest.raises(Conflict):
        insert(world, {}, {"stix_id": STIX_ID, "version": EARLY, "body": b"other bytes"})
    assert latest(world) == [EARLY]
    assert problems(world.db) == []


def test_equal_audiences_are_stored_once(world: World) -> None:
    insert(world, {"audience": named(world.aa, world.bb)}, {"audience": named(world.bb, world.aa)})
    insert(world, {"audience": named(world.aa, world.bb)}, {}, {"audience": named()})
    with world.db.read() as tx:
        assert tx.execute(text("SELECT key FROM audience ORDER BY id")).scalars().all() == [
            "group",
            *sorted(["named:", f"named:{world.aa.id},{world.bb.id}"], key=lambda key: len(key) == 6),
        ]


def test_an_object_that_is_deleted_is_gone_with_all_versions(world: World) -> None:
    insert(world, {"stix_id": STIX_ID, "version": EARLY}, {"stix_id": STIX_ID, "version": LATE}, {})
    assert delete(world, STIX_ID, None) == 2
    assert delete(world, STIX_ID, None) == 0
    with world.db.write() as tx:
        assert entries.known(tx, [STIX_ID]) == {STIX_ID: []}
        (grave,) = entries.tombstones(tx, world.collection.id, [STIX_ID, FILE_ID]).values()
        assert (grave.stix_id, grave.version_key, grave.deleted_at, grave.owner_peer_id) == (
            STIX_ID,
            None,
            NOW + 50,
            world.aa.id,
        )
        assert entries.version_tombstones(tx, world.collection.id, [STIX_ID]) == {}
        assert entries.clear_tombstone(tx, world.collection.id, STIX_ID)
        assert not entries.clear_tombstone(tx, world.collection.id, STIX_ID)
    assert problems(world.db) == []


def test_an_older_version_is_the_latest_again_when_the_later_one_is_deleted(world: World) -> None:
    insert(world, {"stix_id": STIX_ID, "version": EARLY})
    insert(world, {"stix_id": STIX_ID, "version": LATE})
    assert latest(world) == [LATE]
    assert delete(world, STIX_ID, {LATE_KEY, "20300101000000."}) == 1
    assert latest(world) == [EARLY]
    with world.db.read() as tx:
        assert entries.tombstones(tx, world.collection.id, [STIX_ID]) == {}
        graves = entries.version_tombstones(tx, world.collection.id, [STIX_ID])
    assert list(graves) == [(STIX_ID, LATE_KEY)]


def test_deleting_the_last_version_deletes_the_object(world: World) -> None:
    insert(world, {"stix_id": STIX_ID, "version": EARLY}, {"stix_id": STIX_ID, "version": LATE})
    delete(world, STIX_ID, {LATE_KEY})
    delete(world, STIX_ID, {EARLY_KEY})
    with world.db.read() as tx:
        assert set(entries.tombstones(tx, world.collection.id, [STIX_ID])) == {STIX_ID}
        assert entries.version_tombstones(tx, world.collection.id, [STIX_ID]) == {}


def test_an_observable_shows_its_earlier_content_again_when_the_later_one_is_deleted(world: World) -> None:
    first, second = insert(
        world, {"stix_id": FILE_ID, "version": None, "body": b"1"}, {"stix_id": FILE_ID, "version": None, "body": b"2"}
    )
    with world.db.read() as tx:
        keys = pages.version_keys(tx, Selection(world.collection.id, world.bb.id, NOW, versions=VersionMatch()))
    assert len(keys) == 1
    assert delete(world, FILE_ID, keys) == 1
    with world.db.read() as tx:
        records = pages.manifest(tx, Selection(world.collection.id, world.bb.id, NOW)).records
    assert [date for _, date, _ in records] == [first]
    assert first < second


def test_a_deletion_in_one_collection_leaves_the_others(world: World) -> None:
    with world.db.write() as tx:
        other = add_collection(tx, world.group, "incidents")
        entries.insert(tx, other.id, NOW, [new_entry(world.aa, stix_id=STIX_ID)])
    insert(world, {"stix_id": STIX_ID})
    delete(world, STIX_ID, None)
    with world.db.read() as tx:
        assert [one.collection_id for one in entries.known(tx, [STIX_ID])[STIX_ID]] == [other.id]


def test_each_version_of_a_long_history_is_rewritten_at_most_once(world: World) -> None:
    """n versions of one object must not cost n * n updates."""
    insert(world, *[{"stix_id": STIX_ID, "version": f"2026-01-01T00:00:{n:02d}Z"} for n in range(0, 40, 2)])
    with world.db.read() as tx:
        before = {row.id: row.superseded_at for row in tx.execute(text("SELECT id, superseded_at FROM entry"))}
    insert(world, {"stix_id": STIX_ID, "version": "2026-01-01T00:01:00Z"})
    with world.db.read() as tx:
        after = {row.id: row.superseded_at for row in tx.execute(text("SELECT id, superseded_at FROM entry"))}
    assert sum(before[entry_id] != after[entry_id] for entry_id in before) == 1
    assert latest(world) == ["2026-01-01T00:01:00Z"]
