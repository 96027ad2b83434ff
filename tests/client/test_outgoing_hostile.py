"""Servers that mean harm: they drip, they swell, they never end. Each is cut off, with words and without content."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from hub.client.outgoing import guarded_session
from hub.client.remote import RemoteError
from tests.client.raw_server import Talk, drip, raw_server, says

SECRET = b"what it sent"


def _fetch(talk: Talk, *, total: float = 60.0, max_answer: int = 100_000) -> bytes:
    waits: list[float] = []
    with raw_server(talk) as server:
        url = f"http://127.0.0.1:{server.port}/"
        session = guarded_session(
            base=url, allow_private=True, timeout=30, total=total, max_answer=max_answer, sleep=waits.append
        )
        try:
            return session.get(url).content
        finally:
            assert waits == []  # asking again would only give it more


def _after(head: bytes, talk: Talk) -> Talk:
    return lambda line, over: (line.sendall(head), talk(line, over))[1]


@pytest.mark.parametrize(
    "talk",
    [
        drip(b"H"),
        _after(b"HTTP/1.1 200 OK\r\n", drip(b"X")),
        _after(b"", drip(b"HTTP/1.1 100 Continue\r\n\r\n")),
        _after(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", drip(b"x")),
        _after(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", drip(b"x")),
        _after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", drip(b"1\r\nx\r\n")),
        _after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", drip(b"0")),
        _after(b"HTTP/1.1 503 Busy\r\nContent-Length: 90000\r\n\r\n", drip(b"x")),
    ],
    ids=["status", "header", "continue", "length", "no-length", "chunks", "chunk-size", "error"],
)
def test_an_answer_that_drips_is_cut_off_when_its_time_is_up(talk: Talk) -> None:
    with pytest.raises(RemoteError, match="took longer than 0 s"):
        _fetch(talk, total=0.3)


ENDLESS = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(b"0" * 50_000_000)
TWICE = gzip.compress(gzip.compress(b"0" * 50_000_000))


def _with(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


@pytest.mark.parametrize(
    "answer",
    [
        _with(b"x" * 100_001),
        _with(BOMB, b"Content-Encoding: gzip"),
        _with(TWICE, b"Content-Encoding: gzip, gzip"),
        _with(zlib.compress(b"0" * 50_000_000), b"Content-Encoding: deflate"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 100,
    ],
    ids=["long", "gzip-bomb", "bomb-in-a-bomb", "deflate-bomb", "chunks"],
)
def test_an_answer_that_swells_is_cut_off_before_it_is_in_memory(answer: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(RemoteError, match="longer than 100000 octets"):
            _fetch(says(answer))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "answer",
    [
        ENDLESS + b"".join(b"X-%d: y\r\n" % number for number in range(101)) + b"\r\n",
        ENDLESS + b"X-Long: " + b"y" * 70_000 + b"\r\n\r\n",
        ENDLESS + b"".join(b"X-%d: %s\r\n" % (number, b"y" * 8_000) for number in range(9)) + b"\r\n",
    ],
    ids=["many", "long", "much"],
)
def test_more_header_fields_than_anybody_needs_are_refused(answer: bytes) -> None:
    with pytest.raises(RemoteError, match="more header fields"):
        _fetch(says(answer))


@pytest.mark.parametrize(
    "answer",
    [
        _with(SECRET, b"Content-Encoding: gzip"),
        _with(b"x" * 200_000, b"X-Secret: " + SECRET),
        b"HTTP/1.1 302 Found\r\nLocation: https://" + SECRET.replace(b" ", b"-") + b"/\r\n\r\n",
    ],
    ids=["not-gzip", "too-long", "redirect"],
)
def test_an_error_says_nothing_of_what_was_sent(answer: bytes) -> None:
    with pytest.raises(RemoteError) as refused:
        _fetch(says(answer))
    assert "sent" not in refused.value.detail
    assert "what" not in refused.value.detail


def test_what_fits_arrives_whole_however_it_is_packed() -> None:
    body = bytes(range(256)) * 300
    assert _fetch(says(_with(gzip.compress(body), b"Content-Encoding: gzip"))) == body
