"""Submissions and what goes with them: statuses, leases, repeats, refusals, embargoes, the audit, the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from hub.errors import Conflict
from hub.store import audit, entries, held, refusals, submissions
from hub.store.database import Database
from hub.store.held import NewHeld
from hub.store.integrity import problems
from hub.store.refusals import Refusal
from hub.store.statistics import collect
from hub.store.submissions import Submission
from hub.store.tables import collection
from tests.store.world import NOW, World, make_world, new_entry

LEASE = 1_000
DIGEST = b"\0" * 32
LINE = {"id": "indicator--1", "version": "2026-01-01T00:00:00Z", "message": "é"}


@pytest.fixture
def world(database: Database) -> World:
    return make_world(database)


def pending(world: World, uuid: str, at: int = NOW, **given: Any) -> Submission:
    values: dict[str, Any] = {
        "uuid": uuid,
        "group_id": world.group.id,
        "collection_id": world.collection.id,
        "peer_id": world.aa.id,
        "credential_id": None,
        "state": "pending",
        "received_at": at,
        "completed_at": None,
        "sha256": DIGEST,
        "total": 1,
        "pendings": [LINE],
    }
    return Submission(**{**values, **given})


def complete(world: World, uuid: str, failures: Sequence[Any] = (), **given: Any) -> Submission:
    lines = {"pendings": [], "successes": [LINE], "failures": list(failures)}
    return pending(world, uuid, **{**lines, "state": "complete", "completed_at": NOW + 1, **given})


def add(world: World, submission: Submission, body: bytes | None = None) -> None:
    with world.db.write() as tx:
        submissions.add(tx, submission, body)


def test_a_status_is_read_by_its_submitter_in_its_group_only(world: World) -> None:
    submission = complete(world, "u1", [{**LINE, "id": "x"}])
    add(world, submission)
    with world.db.read() as tx:
        assert submissions.get(tx, world.group.id, "u1", world.aa.id) == submission
        assert submissions.get(tx, world.group.id, "u1", world.bb.id) is None
        assert submissions.get(tx, world.group.id + 1, "u1", world.aa.id) is None
        assert submissions.get(tx, world.group.id, "u2", world.aa.id) is None


def test_only_a_pending_submission_has_a_body(world: World) -> None:
    with pytest.raises(ValueError):
        add(world, complete(world, "u1"), b"body")
    with pytest.raises(ValueError):
        add(world, pending(world, "u1"), None)


REPEATS = [
    pytest.param({}, "u1", id="the same again"),
    pytest.param({"peer_id": "bb"}, None, id="by another peer"),
    pytest.param({"sha256": b"\1" * 32}, None, id="of other bytes"),
    pytest.param({"failures": [LINE]}, None, id="which had a failure"),
    pytest.param({"state": "pending", "completed_at": None}, None, id="which is still pending"),
]


@pytest.mark.parametrize(("earlier", "expected"), REPEATS)
def test_a_repeat_is_answered_by_an_earlier_submission(
    world: World, earlier: dict[str, Any], expected: str | None
) -> None:
    given = {**earlier, **({"peer_id": world.bb.id} if "peer_id" in earlier else {})}
    add(world, complete(world, "u1", **given), b"body" if given.get("state") == "pending" else None)
    with world.db.read() as tx:
        found = submissions.repeat_of(tx, world.collection.id, world.aa.id, DIGEST)
        assert (found and found.uuid) == expected


def test_after_a_deletion_a_repeat_is_a_submission_of_its_own(world: World) -> None:
    stored = new_entry(world.aa)
    with world.db.write() as tx:
        entries.insert(tx, world.collection.id, NOW, [stored])
        submissions.add(tx, complete(world, "u1"), None)
        entries.delete(tx, world.collection.id, stored.stix_id, None, peer_id=world.aa.id, now=NOW)
        assert submissions.repeat_of(tx, world.collection.id, world.aa.id, DIGEST) is None
        submissions.add(tx, complete(world, "u2"), None)
        found = submissions.repeat_of(tx, world.collection.id, world.aa.id, DIGEST)
    assert found is not None
    assert found.uuid == "u2"


def test_the_oldest_pending_submission_is_claimed_first_and_by_one_worker(world: World) -> None:
    for uuid, at in (("u2", NOW + 2), ("u1", NOW + 1)):
        add(world, pending(world, uuid, at), uuid.encode())

    def claim(now: int) -> str | None:
        with world.db.write() as tx:
            claimed = submissions.claim(tx, now, LEASE)
        if claimed is None:
            return None
        assert claimed[1] == claimed[0].uuid.encode()
        return claimed[0].uuid

    assert claim(NOW + 5) == "u1"
    assert claim(NOW + 5) == "u2"
    assert claim(NOW + 4 + LEASE) is None
    assert claim(NOW + 5 + LEASE) == "u1"


def test_workers_that_claim_together_get_different_submissions(world: World) -> None:
    for n in range(12):
        add(world, pending(world, f"u{n}", NOW + n), b"body")

    def claim(_: int) -> str:
        with world.db.write() as tx:
            claimed = submissions.claim(tx, NOW + 100, LEASE)
        assert claimed is not None
        return claimed[0].uuid

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(12))) == sorted(f"u{n}" for n in range(12))


def test_progress_is_seen_and_completion_ends_it(world: World) -> None:
    add(world, pending(world, "u1"), b"body")
    half = replace(pending(world, "u1"), successes=[LINE])
    done = complete(world, "u1")
    with world.db.write() as tx:
        submissions.progress(tx, half, leased_until=NOW + LEASE)
        assert submissions.get(tx, world.group.id, "u1", world.aa.id) == half
        assert submissions.claim(tx, NOW, LEASE) is None
        submissions.complete(tx, done)
        assert submissions.get(tx, world.group.id, "u1", world.aa.id) == done
        assert submissions.claim(tx, NOW + 10 * LEASE, LEASE) is None
        for late in (lambda: submissions.progress(tx, half), lambda: submissions.complete(tx, done)):
            with pytest.raises(Conflict):
                late()
        with pytest.raises(ValueError):
            submissions.complete(tx, half)


def test_statuses_are_purged_after_their_time_but_never_while_pending(world: World) -> None:
    add(world, complete(world, "old", completed_at=NOW))
    add(world, complete(world, "new", completed_at=NOW + 10))
    add(world, pending(world, "pending", at=NOW - 10), b"body")
    with world.db.write() as tx:
        assert submissions.purge(tx, NOW + 10) == 1
        left = [uuid for uuid in ("old", "new", "pending") if submissions.get(tx, world.group.id, uuid, world.aa.id)]
    assert left == ["new", "pending"]


def test_refusals_are_read_page_by_page_the_newest_first(world: World) -> None:
    rows = [
        Refusal(
            f"u{n}", world.collection.id, world.aa.id, "x", "v", "tlp", "why", b"d", b"\xff" if n else None, NOW + n
        )
        for n in range(5)
    ]
    with world.db.write() as tx:
        refusals.add_many(tx, rows)
        refusals.add_many(tx, [])
        first = refusals.recent(tx, limit=2)
        rest = refusals.recent(tx, limit=9, before=first[-1].id)
        assert [replace(row, id=0) for row in (*first, *rest)] == rows[::-1]
        assert refusals.purge(tx, NOW + 3) == 3
        assert len(refusals.recent(tx, limit=9)) == 2


def test_what_is_due_is_released_by_submission_in_its_order(world: World) -> None:
    collection_id, aa, bb = world.collection.id, world.aa.id, world.bb.id
    with world.db.write() as tx:
        held.add(tx, collection_id, aa, "later", [NewHeld("a--1", b"1", b"1", NOW + 5)])
        versions = [NewHeld("a--2", b"2", b"2", NOW + 3), NewHeld("a--3", b"3", b"3", NOW + 1)]
        held.add(tx, collection_id, bb, "sooner", [*versions, NewHeld("a--4", b"4", b"4", NOW + 99)])
        held.add(tx, collection_id, bb, "again", versions)
        held.add(tx, collection_id, bb, "nothing", [])
        assert held.due(tx, NOW) is None
        due = held.due(tx, NOW + 3)
        assert due is not None
        assert (due.group_id, due.collection_id, due.peer_id) == (world.group.id, collection_id, bb)
        assert (due.submission_uuid, due.bodies) == ("sooner", [b"2", b"3"])
        assert held.remove(tx, due.ids) == 2
        assert held.due(tx, NOW + 3) is None
        (kept,) = held.of_object(tx, "a--4")
        assert (kept.embargo_until, kept.peer_id) == (NOW + 99, bb)
        assert held.of_objects(tx, world.group.id, bb, ["a--4", "a--1"]) == {"a--4": [b"4"]}
        assert held.of_objects(tx, world.group.id + 1, bb, ["a--4"]) == {}


def test_the_audit_is_read_page_by_page_the_newest_first(world: World) -> None:
    with world.db.write() as tx:
        for n in range(3):
            audit.add(
                tx,
                at=NOW + n,
                actor_peer_id=world.aa.id if n else None,
                credential_id=None,
                action="member.put",
                subject=f"groups/alpha/members/{n}",
                detail={"rights": frozenset({"write", "read"}), "n": n},
            )
        first = audit.recent(tx, limit=2)
        rest = audit.recent(tx, limit=2, before=first[-1].id)
    assert [line.at for line in (*first, *rest)] == [NOW + 2, NOW + 1, NOW]
    assert first[0].detail == {"rights": ["read", "write"], "n": 2}
    assert rest[0].actor_peer_id is None


def test_the_numbers_are_those_of_the_hub(world: World) -> None:
    stored = new_entry(world.aa)
    with world.db.write() as tx:
        entries.insert(tx, world.collection.id, NOW, [stored, new_entry(world.aa), new_entry(world.aa)])
        entries.delete(tx, world.collection.id, stored.stix_id, None, peer_id=world.aa.id, now=NOW)
        submissions.add(tx, pending(world, "u1", NOW + 1), b"body")
        submissions.add(tx, pending(world, "u2", NOW), b"body")
    with world.db.read() as tx:
        numbers = collect(tx)
    assert (numbers.peers, numbers.groups, numbers.members, numbers.entries) == (3, 1, 3, 2)
    assert (numbers.pending, numbers.oldest_pending_at, numbers.held, numbers.refusals) == (2, NOW, 0, 0)
    (count,) = numbers.collections
    assert (count.group, count.alias, count.entries, count.last_date_added) == ("alpha", "indicators", 2, NOW + 2)
    assert numbers.database_size > 10_000
    assert problems(world.db) == []


@pytest.mark.parametrize("harm", [{"last_date_added": 1}, {"entries": 7}], ids=["order", "count"])
def test_a_broken_promise_is_a_problem(world: World, harm: dict[str, int]) -> None:
    with world.db.write() as tx:
        entries.insert(tx, world.collection.id, NOW, [new_entry(world.aa)])
        tx.execute(update(collection).values(harm))
    assert len(problems(world.db)) == 1
