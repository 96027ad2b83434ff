"""Large envelopes: received at once, processed in chunks, taken over when a worker dies, and complete in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from hub.domain import limits
from hub.errors import NotFound
from hub.services import members, status, work
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Bounds
from hub.store import submissions
from hub.store.submissions import Submission
from tests.services.cast import SECOND, VENDOR
from tests.services.desk import Desk, domain, messages


@pytest.fixture
def small(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A hub for which every envelope is large, and two objects are a chunk."""
    monkeypatch.setattr(limits, "COMMIT_CHUNK_OBJECTS", 2)
    desk.cast.hub = replace(desk.hub, bounds=Bounds(sync_content_length=10))
    return desk


def ask(desk: Desk, uuid: str, handle: str = "aa") -> Submission:
    return status.get(desk.hub, desk.callers[handle], "alpha", uuid)


@contextmanager
def watching(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Submission]]:
    """Give a list that gets every progress that is recorded."""
    seen: list[Submission] = []
    real = submissions.progress

    def progress(tx: Any, submission: Submission, **more: Any) -> None:
        seen.append(submission)
        real(tx, submission, **more)

    with monkeypatch.context() as patch:
        patch.setattr(submissions, "progress", progress)
        yield seen


def test_a_large_envelope_is_pending_with_every_object_listed_and_nothing_stored(small: Desk) -> None:
    objects = small.sign("aa", *[small.incident() for _ in range(5)])
    received = small.post("aa", *objects)
    assert received.state == "pending"
    assert [line["id"] for line in received.pendings] == [one["id"] for one in objects]
    assert (received.successes, received.failures, received.total) == ([], [], 5)
    assert small.stored() == []
    assert ask(small, received.uuid) == received


def test_the_status_shows_progress_between_the_chunks_and_everything_in_the_end(
    small: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = small.sign("aa", *[small.incident() for _ in range(5)])
    objects[1]["name"] = "tampered"
    received = small.post("aa", *objects)
    with watching(monkeypatch) as seen:
        assert work.process_pending(small.hub)
    assert [(len(one.successes), len(one.failures), len(one.pendings)) for one in seen] == [(2, 1, 2)]
    done = ask(small, received.uuid)
    assert (done.state, len(done.successes), len(done.failures), done.pendings) == ("complete", 4, 1, [])
    assert [line["id"] for line in done.successes] == [one["id"] for one in objects if one is not objects[1]]
    assert messages(done)[0].startswith("signature: value")
    assert small.ids("bb") == [one["id"] for one in objects if one is not objects[1]]
    assert not work.process_pending(small.hub)


def test_every_object_stays_with_its_signature_across_chunks(small: Desk) -> None:
    pieces = small.sign("bb", *[small.incident(VENDOR) for _ in range(3)], domain())
    signatures = [one for one in pieces if one["type"] == "jss-signature"]
    small.post("bb", *[one for one in pieces if one["type"] != "jss-signature"], *signatures)
    assert work.process_pending(small.hub)
    page = small.seen("aa")
    assert len(page) == 8
    for signature, target in zip(page[::2], page[1::2], strict=True):
        assert signature["related_to"] == target["id"]


def test_versions_of_one_object_in_several_chunks_keep_their_own_signatures(small: Desk) -> None:
    obj = small.incident(VENDOR)
    versions = [{**obj, "modified": small.stamp(number)} for number in range(5)]
    pieces = small.sign("bb", *versions)
    received = small.post("bb", *pieces[::2], *pieces[1::2])
    work.process_pending(small.hub)
    assert not ask(small, received.uuid, "bb").failures
    signature, latest = small.seen("aa")[-2:]
    assert signature["related_version"] == latest["modified"] == versions[-1]["modified"]


class Killed(BaseException):
    """What a worker process that is killed looks like to its thread."""


@contextmanager
def dying(name: str, call: int) -> Iterator[None]:
    """Make the worker die inside this call of a store function, before it commits."""
    real, calls = getattr(submissions, name), [0]

    def deadly(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            raise Killed
        return real(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submissions, name, deadly)
        yield


@pytest.mark.parametrize(("name", "call", "kept"), [("progress", 1, 0), ("progress", 2, 2), ("complete", 1, 4)])
def test_an_abandoned_envelope_is_taken_over_after_the_lease_and_nothing_is_stored_twice(
    small: Desk, name: str, call: int, kept: int
) -> None:
    objects = small.sign("aa", *[small.incident() for _ in range(5)])
    received = small.post("aa", *objects)
    with dying(name, call), pytest.raises(Killed):
        work.process_pending(small.hub)
    assert len(small.stored()) == kept
    assert ask(small, received.uuid).state == "pending"
    assert not work.process_pending(small.hub)  # somebody still holds it
    small.wait(work.LEASE_US / SECOND + 1)
    assert work.process_pending(small.hub)
    done = ask(small, received.uuid)
    assert done.state == "complete"
    assert [line["id"] for line in done.successes] == [one["id"] for one in objects]
    assert small.ids("bb") == [one["id"] for one in objects]


def test_the_only_worker_of_a_hub_takes_over_at_once_when_it_starts(small: Desk) -> None:
    received = small.post("aa", *small.sign("aa", *[small.incident() for _ in range(5)]))
    with dying("progress", 1), pytest.raises(Killed):
        work.process_pending(small.hub)
    assert work.take_over(small.hub) == 1
    assert work.process_pending(small.hub)
    assert ask(small, received.uuid).state == "complete"
    assert work.take_over(small.hub) == 0


def test_progress_renews_the_lease(small: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An envelope that takes longer than one lease must not be worked on by two."""
    small.post("aa", *small.sign("aa", *[small.incident() for _ in range(5)]))
    real = submissions.progress

    def slow(tx: Any, submission: Submission, **more: Any) -> None:
        small.wait(work.LEASE_US / SECOND * 0.75)
        real(tx, submission, **more)

    monkeypatch.setattr(submissions, "progress", slow)
    monkeypatch.setattr(submissions, "complete", _killed)
    with pytest.raises(Killed):
        work.process_pending(small.hub)
    with small.hub.db.write() as tx:
        assert submissions.claim(tx, small.now(), work.LEASE_US) is None


def _killed(*_: Any) -> None:
    raise Killed


def test_rights_that_were_lost_meanwhile_refuse_everything(small: Desk) -> None:
    received = small.post("bb", *small.sign("bb", small.incident("bb"), small.incident("bb")))
    members.suspend(small.hub, OPERATOR, "alpha", "bb")
    assert work.process_pending(small.hub)
    members.restore(small.hub, OPERATOR, "alpha", "bb")
    done = ask(small, received.uuid, "bb")
    assert {message.partition(":")[0] for message in messages(done)} == {"membership"}
    assert small.stored() == []


def test_the_oldest_envelope_goes_first(small: Desk) -> None:
    first = small.post("aa", *small.sign("aa", small.incident()))
    small.wait(1)
    second = small.post("bb", *small.sign("bb", small.incident("bb")))
    work.process_pending(small.hub)
    assert ask(small, first.uuid).state == "complete"
    assert ask(small, second.uuid, "bb").state == "pending"


def test_the_repeat_of_a_large_envelope_is_answered_with_its_status(small: Desk) -> None:
    signed = small.sign("aa", small.incident())
    received = small.post("aa", *signed)
    work.process_pending(small.hub)
    assert small.post("aa", *signed) == ask(small, received.uuid)


def test_a_status_is_for_its_own_peer_and_is_purged_after_retention(desk: Desk) -> None:
    (bad,) = desk.sign("aa", desk.incident())
    received = desk.post("aa", {**bad, "name": "changed"}, *desk.sign("aa", desk.incident()))
    with pytest.raises(NotFound):
        ask(desk, received.uuid, "bb")
    desk.wait(limits.STATUS_RETENTION_SECONDS)
    assert work.purge(desk.hub) == 0
    assert ask(desk, received.uuid) == received
    desk.wait(1)
    assert work.purge(desk.hub) == 1
    with pytest.raises(NotFound):
        ask(desk, received.uuid)
    assert desk.refused_bodies() == []
    assert len(desk.ids("bb")) == 1


def test_the_bytes_of_a_pending_envelope_are_gone_when_it_is_complete(small: Desk) -> None:
    small.post("aa", *small.sign("aa", small.incident()))
    kept = text("SELECT count(*) FROM submission WHERE body IS NOT NULL")
    with small.hub.db.read() as tx:
        assert tx.execute(kept).scalar() == 1
    work.process_pending(small.hub)
    with small.hub.db.read() as tx:
        assert tx.execute(kept).scalar() == 0
