"""Thin links: packed both ways, counted, resumed after every break, followed without an open port."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import zstandard

from hub.client import coding
from hub.client.feed import RETURN_SECONDS, FeedError, followed
from hub.client.pull import STATE_FILE, pull
from hub.client.push import push
from hub.client.transport import RemoteError
from hub.domain import limits
from hub.domain.keys import KeyRing
from tests.client.conftest import Session
from tests.client.scripted_server import Asked, Reply, ScriptedServer, envelope
from tests.client.test_push import signed, status, vendors

LARGE = json.dumps({"a": "b" * 5_000}).encode()


@pytest.mark.parametrize(
    ("name", "pack"),
    [("zstd", zstandard.ZstdCompressor().compress), ("gzip", gzip.compress), ("identity", bytes)],
)
def test_a_packed_answer_is_unpacked_and_counted_as_it_came(
    server: ScriptedServer, session: Session, name: str, pack: Callable[[bytes], bytes]
) -> None:
    body = pack(LARGE)
    server.replies(Reply(200, body, {"Content-Encoding": name}))
    assert session.transport.get(server.url).body == json.loads(LARGE)
    assert server.asked[0].headers["accept-encoding"] == "zstd, gzip"
    assert session.transport.traffic.received == len(body)


def test_a_zstd_answer_that_unpacks_into_a_huge_one_is_cut_off(server: ScriptedServer, session: Session) -> None:
    bomb = zstandard.ZstdCompressor().compress(b" " * 3_000_000)
    session.transport.max_answer = 1_000_000
    server.replies(Reply(200, bomb, {"Content-Encoding": "zstd"}))
    with pytest.raises(RemoteError, match="longer than"):
        session.transport.get(server.url)


@pytest.mark.parametrize(
    "body", [b"no zstd at all", zstandard.ZstdCompressor().compress(json.dumps(list(range(5_000))).encode())[:2_000]]
)
def test_a_zstd_answer_that_is_none_is_an_error(server: ScriptedServer, session: Session, body: bytes) -> None:
    server.replies(Reply(200, body, {"Content-Encoding": "zstd"}))
    with pytest.raises(RemoteError):
        session.transport.get(server.url)


def test_a_window_larger_than_http_allows_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = packer.compress(random.Random(1).randbytes(20_000_000)) + packer.flush()
    with pytest.raises(RemoteError):
        coding.unpacked(body, "zstd", 64 * 1024 * 1024)


@pytest.mark.parametrize(
    ("accepted", "name"),
    [("zstd, gzip, identity", "zstd"), ("gzip", "gzip"), ("identity", None), ("", None), ("br", None)],
)
def test_a_body_is_packed_as_the_server_has_said_it_takes_it(
    server: ScriptedServer, session: Session, accepted: str, name: str | None
) -> None:
    server.replies(Reply(200, b"{}", {"Accept-Encoding": accepted} if accepted else {}))
    session.transport.get(server.url)
    session.transport.post(server.url, LARGE)
    session.transport.post(server.url, b"{}")
    _, large, small = server.asked
    assert large.headers.get("content-encoding") == name
    assert "content-encoding" not in small.headers
    unpack = {"zstd": lambda body: zstandard.ZstdDecompressor().decompress(body), "gzip": gzip.decompress}
    assert unpack.get(name or "", bytes)(large.body) == LARGE
    assert session.transport.traffic.sent == len(large.body) + 2


def test_a_server_that_takes_no_packed_body_after_all_gets_it_plain(server: ScriptedServer, session: Session) -> None:
    server.script = lambda asked: Reply(
        415 if "content-encoding" in asked.headers else 200, b"{}", {"Accept-Encoding": "gzip"}
    )
    session.transport.get(server.url)
    assert session.transport.post(server.url, LARGE).status == 200
    assert server.asked[-1].body == LARGE


def date(number: int) -> str:
    return f"2026-11-01T00:00:00.{number:06d}Z"


def feed(count: int) -> Callable[[Asked], Reply]:
    """Return a server of so many unsigned indicators, that pages by date."""
    objects = [vendors(number) for number in range(1, count + 1)]

    def answer(asked: Asked) -> Reply:
        _, _, query = asked.target.partition("?")
        given = dict(part.split("=", 1) for part in query.split("&") if part)
        after = int(given["added_after"][-7:-1]) if "added_after" in given else 0
        limit = int(given.get("limit", "10"))
        page = objects[after : after + limit]
        dates = (date(after + 1), date(after + len(page))) if page else None
        return envelope(*page, dates=dates, more=after + len(page) < count)

    return answer


def dropping(answer: Callable[[Asked], Reply], dice: random.Random) -> Callable[[Asked], Reply]:
    """Return the same server behind a line that breaks in the middle of half of its answers."""

    def broken(asked: Asked) -> Reply:
        reply = answer(asked)
        if dice.random() >= 0.5:
            return reply
        return Reply(reply.status, reply.body[: dice.randrange(len(reply.body) + 1)], reply.headers, cut=True)

    return broken


def all_ids(out: Path) -> list[str]:
    bundles = [json.loads(one.read_text()) for one in out.glob("*.json") if one.name != STATE_FILE]
    return sorted(obj["id"] for bundle in bundles for obj in bundle["objects"])


@pytest.mark.parametrize("seed", range(5))
def test_a_pull_over_a_line_that_drops_half_its_answers_ends_with_exactly_the_right_set(
    server: ScriptedServer, session: Session, tmp_path: Path, seed: int
) -> None:
    """Whether the break is bridged by another try, or ends the run and the next one goes on."""
    dice = random.Random(seed)
    server.script = dropping(feed(95), dice)
    for _ in range(100):
        try:
            rest = pull(session.transport, server.url, tmp_path, KeyRing([]), clock=lambda: 0, limit=10)
            for _ in islice(rest, dice.randrange(1, 5)):  # and somebody ends it now and then
                pass
        except RemoteError:
            continue
        if len(all_ids(tmp_path)) == 95:
            break
    assert all_ids(tmp_path) == sorted(vendors(number)["id"] for number in range(1, 96))


@pytest.mark.parametrize("seed", range(5))
def test_a_push_over_a_line_that_drops_half_its_answers_hands_in_everything_once(
    server: ScriptedServer, session: Session, seed: int
) -> None:
    """An answer that is lost is no envelope that is lost: the same octets are posted again, which a hub recognises."""
    taken: dict[bytes, list[dict[str, Any]]] = {}

    def hub(asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(200, b'{"max_content_length": 1000000}', {"Accept-Encoding": "gzip"})
        body = zlib.decompress(asked.body, wbits=31) if "content-encoding" in asked.headers else asked.body
        taken[body] = json.loads(body)["objects"]
        return Reply(202, json.dumps(status(taken[body])).encode())

    server.script = dropping(hub, random.Random(seed))
    objects = signed(*(vendors(number) for number in range(1, 41)))
    for _ in range(100):
        try:
            for _ in push(session.transport, server.url, "incidents", objects, batch=10):
                pass
        except RemoteError:
            continue
        break
    posted = [obj["id"] for envelope_ in taken.values() for obj in envelope_]
    assert sorted(posted) == sorted(obj["id"] for obj in objects)


def test_a_budget_ends_behind_a_page_and_the_next_run_goes_on(
    server: ScriptedServer, session: Session, tmp_path: Path
) -> None:
    server.script = feed(95)
    runs = []
    for _ in range(20):
        session.transport.traffic.received = 0
        pulled = list(
            pull(session.transport, server.url, tmp_path, KeyRing([]), clock=lambda: 0, limit=10, max_bytes=12_000)
        )[-1]
        runs.append(pulled.more)
        assert session.transport.traffic.octets <= 12_000 + 6_000
        if not pulled.more:
            break
    assert len(runs) > 2
    assert all_ids(tmp_path) == sorted(vendors(number)["id"] for number in range(1, 96))


def test_who_follows_asks_the_server_to_wait_once_everything_has_come(server: ScriptedServer, session: Session) -> None:
    empty = Reply(200, b"{}", {"Preference-Applied": f"wait={limits.WAIT_SECONDS}"})
    server.replies(
        envelope(vendors(1), dates=(date(1), date(1)), more=True, next="n"),
        envelope(vendors(2), dates=(date(2), date(2))),
        empty,
        empty,
        envelope(vendors(3), dates=(date(3), date(3))),
    )
    feed = followed(session.transport, server.url, added_after=None, limit=None, filters={})
    objects = [obj["id"] for page in islice(feed, 5) for obj in page.objects]
    assert objects == [vendors(number)["id"] for number in (1, 2, 3)]
    prefers = [asked.headers.get("prefer") for asked in server.asked]
    assert prefers == [None, None, *["wait=50"] * 3]
    assert "added_after=2026-11-01T00%3A00%3A00.000002Z" in server.asked[2].target
    assert session.waited == []


def test_who_follows_a_server_that_does_not_wait_asks_it_now_and_then(server: ScriptedServer, session: Session) -> None:
    server.replies(Reply(200, b"{}"))
    feed = followed(session.transport, server.url, added_after=None, limit=None, filters={})
    list(islice(feed, 4))
    assert len(session.waited) == 2
    assert all(RETURN_SECONDS[0] <= seconds <= RETURN_SECONDS[1] for seconds in session.waited)
    assert len(set(session.waited)) == 2


def test_who_follows_comes_back_to_a_server_that_was_away(server: ScriptedServer, session: Session) -> None:
    away = [Reply(503)] * 6
    server.replies(
        envelope(vendors(1), dates=(date(1), date(1))), *away, envelope(vendors(2), dates=(date(2), date(2)))
    )
    feed = followed(session.transport, server.url, added_after=None, limit=None, filters={})
    assert [obj["id"] for page in islice(feed, 2) for obj in page.objects] == [vendors(1)["id"], vendors(2)["id"]]
    assert RETURN_SECONDS[0] <= session.waited[-1] <= RETURN_SECONDS[1]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(401), RemoteError), (Reply(404), RemoteError), (Reply(200, b"[]"), FeedError)],
    ids=["a refused credential", "a collection that is gone", "an answer without sense"],
)
def test_who_follows_gives_up_what_will_not_be_otherwise_later(
    server: ScriptedServer, session: Session, reply: Reply, kind: type[RemoteError]
) -> None:
    server.replies(reply)
    with pytest.raises(kind):
        next(followed(session.transport, server.url, added_after=None, limit=None, filters={}))
