"""A peer hands in so much within an hour: what exceeds it is refused whole, and says when to come back."""

from __future__ import annotations

import json
import re
import threading
from types import EllipsisType
from typing import Any

import pytest

from hub.domain import limits
from hub.domain.quota import Amount, Standing, hour_of, seconds_left
from hub.errors import InvalidRequest, TooManyRequests
from hub.services import audit, peers, quotas
from hub.services.actor import LOCAL_OPERATOR
from hub.services.turns import Turns
from tests.web.taxii.test_waiting import indicator
from tests.web.taxii.world import IDS, TAXII, World

OBJECTS = f"/alpha/collections/{IDS['indicators']}/objects/"


def envelope(world: World, count: int, handle: str = "aa") -> bytes:
    author = world.peers[handle].identity
    return json.dumps({"objects": [indicator(author) for _ in range(count)]}).encode()


def bound(
    world: World, *, quota_objects: int | EllipsisType | None = ..., quota_octets: int | EllipsisType | None = ...
) -> None:
    peers.update(world.hub, LOCAL_OPERATOR, "aa", quota_objects=quota_objects, quota_octets=quota_octets)


def stored(world: World) -> int:
    return len(world.bb.get(OBJECTS).ids)


def used(world: World) -> Amount:
    return quotas.shown(world.hub, LOCAL_OPERATOR, "aa").standing.used


def test_what_fits_is_taken_and_the_answer_says_what_is_left(world: World) -> None:
    bound(world, quota_objects=10, quota_octets=100_000)
    body = envelope(world, 3)
    answer = world.aa.post(OBJECTS, body)
    assert answer.status == 202
    assert answer.headers["RateLimit-Policy"] == (
        '"objects";q=10;qu="objects";w=3600, "octets";q=100000;qu="content-bytes";w=3600'
    )
    assert answer.headers["RateLimit"].startswith('"objects";r=7;t=')
    assert f'"octets";r={100_000 - len(body)};t=' in answer.headers["RateLimit"]
    assert used(world) == Amount(3, len(body))


def test_an_envelope_that_would_exceed_the_objects_is_refused_whole(world: World) -> None:
    bound(world, quota_objects=4)
    world.aa.post(OBJECTS, envelope(world, 3))
    before = used(world)
    answer = world.aa.post(OBJECTS, envelope(world, 2))
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert answer.headers["RateLimit"].startswith('"objects";r=1;')
    assert stored(world) == 3
    assert used(world) == before
    assert world.aa.post(OBJECTS, envelope(world, 1)).status == 202


def test_once_it_is_used_up_the_body_is_not_even_read(world: World) -> None:
    bound(world, quota_objects=1)
    world.aa.post(OBJECTS, envelope(world, 1))
    assert world.aa.post(OBJECTS, b"not even json").status == 429


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_octets_count_as_they_are_unpacked(world: World, chunked: bool) -> None:
    bound(world, quota_octets=3_000)
    answer = world.aa.post(OBJECTS, envelope(world, 20), chunked=chunked)
    assert answer.status == 429
    assert "quota_octets" in answer.body.decode()
    assert stored(world) == 0


def test_what_comes_to_nothing_is_charged_as_well(world: World) -> None:
    assert world.aa.post(OBJECTS, b"{" * 500).status == 400
    assert used(world) == Amount(0, 500)


def test_a_repeat_is_charged_its_octets_only(world: World) -> None:
    body = envelope(world, 2)
    for _ in range(2):
        assert world.aa.post(OBJECTS, body).status == 202
    assert used(world) == Amount(2, 2 * len(body))


def test_a_body_too_large_for_the_hub_is_413_and_not_429(world: World) -> None:
    small = world.with_bounds(max_content_length=2_000)
    assert small.aa.post(OBJECTS, envelope(world, 20)).status == 413


def test_a_pending_envelope_is_charged_when_it_is_received(world: World) -> None:
    late = world.with_bounds(sync_content_length=1)
    bound(world, quota_objects=3)
    assert late.aa.post(OBJECTS, envelope(world, 3)).status == 202
    assert late.aa.post(OBJECTS, envelope(world, 1)).status == 429


def test_others_and_readers_notice_nothing(world: World) -> None:
    bound(world, quota_objects=0)
    assert world.aa.post(OBJECTS, envelope(world, 1)).status == 429
    assert world.bb.post(OBJECTS, envelope(world, 1, "bb")).status == 202
    assert world.aa.get(OBJECTS).status == 200


def test_the_next_hour_begins_anew(world: World) -> None:
    bound(world, quota_objects=1)
    world.aa.post(OBJECTS, envelope(world, 1))
    refused = world.aa.post(OBJECTS, envelope(world, 1))
    world.clock.advance(int(refused.headers["Retry-After"]))
    assert world.aa.post(OBJECTS, envelope(world, 1)).status == 202


def test_who_may_not_write_learns_nothing_of_a_quota(world: World) -> None:
    bound(world, quota_objects=0)
    path = f"/alpha/collections/{IDS['read-only']}/objects/"
    assert world.aa.post(path, envelope(world, 1)).status == 403
    assert world.client("cc").post(OBJECTS, envelope(world, 1)).status == 404


def test_a_quota_is_recorded_under_its_columns_and_can_be_taken_back(world: World) -> None:
    bound(world, quota_objects=7, quota_octets=70_000)
    bound(world, quota_objects=None)
    lines = [named.line.detail for named in audit.recent(world.hub, LOCAL_OPERATOR, limit=2)]
    assert lines == [
        {"quota_objects": None, "quota_octets": 70_000},
        {"quota_objects": 7, "quota_octets": 70_000},
    ]


@pytest.mark.parametrize("value", [-1, 10**15 + 1])
def test_a_quota_that_is_none_is_refused(world: World, value: int) -> None:
    with pytest.raises(InvalidRequest):
        bound(world, quota_objects=value)


def test_the_hour_ends_on_the_hour() -> None:
    hour = 3600 * 1_000_000
    assert [hour_of(at) for at in (0, hour - 1, hour)] == [0, 0, 1]
    assert [seconds_left(at) for at in (0, hour - 1, hour - 1_000_001, hour)] == [3600, 1, 2, 3600]


def test_what_is_left_is_never_negative() -> None:
    found = Standing(Amount(1, 1), Amount(5, 5), 10)
    assert found.left == Amount(0, 0)
    assert re.search(r"r=-", str(found.headers())) is None


def test_one_peer_cannot_take_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN_SECONDS", 0.0)
    turns = Turns(threads=2)
    slow: list[Any] = [turns.of(1), turns.of(1)]
    for one in slow:
        one.__enter__()
    with pytest.raises(TooManyRequests) as refused, turns.of(1):
        pass
    assert refused.value.retry_after == 1
    with turns.of(2), pytest.raises(TooManyRequests), turns.of(2):
        pass
    slow.pop().__exit__(None, None, None)
    with turns.of(1):
        pass
    slow.pop().__exit__(None, None, None)


def test_who_has_too_much_under_way_is_answered_429(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN_SECONDS", 0.0)
    full = Turns(threads=1)
    object.__setattr__(world.hub, "turns", full)
    with full.of(world.peers["aa"].id):
        answer = world.aa.post(OBJECTS, envelope(world, 1))
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert answer.headers["Content-Type"] == TAXII
        assert world.aa.get(OBJECTS).status == 200
        assert world.bb.post(OBJECTS, envelope(world, 1, "bb")).status == 202
    assert world.aa.post(OBJECTS, envelope(world, 1)).status == 202


def test_who_comes_a_moment_too_early_is_let_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN_SECONDS", 20.0)
    turns, begun, answered = Turns(threads=1), threading.Event(), threading.Event()

    def second() -> None:
        begun.set()
        with turns.of(1):
            answered.set()

    late = threading.Thread(target=second)
    with turns.of(1):
        late.start()
        assert begun.wait(20)
        assert not answered.is_set()
    late.join(20)
    assert answered.is_set()
