"""Request bodies: bounded while they are read, plain, chunked, gzip or zstd."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import InvalidRequest, TooLarge, UnsupportedMediaType
from hub.web.body import read_body

LIMIT = 200_000
CODINGS = {"": bytes, "identity": bytes, "gzip": gzip.compress, "x-gzip": gzip.compress, "zstd": zstandard.compress}


class Counting(io.BytesIO):
    """A stream that knows how many octets were taken from it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def environ(body: bytes, coding: str = "", *, chunked: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"wsgi.input": Counting(body), "HTTP_CONTENT_ENCODING": coding}
    if chunked:
        made |= {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    else:
        made["CONTENT_LENGTH"] = str(len(body))
    return made


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("length", [0, 1, 70_000, LIMIT])
def test_a_body_of_at_most_the_limit_is_read_whole(coding: str, chunked: bool, length: int) -> None:
    body = bytes(range(256)) * (length // 256) + b"z" * (length % 256)
    packed = CODINGS[coding](body) if length or coding in ("", "identity") else b""
    assert read_body(environ(packed, coding, chunked=chunked), LIMIT) == body


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("coding", CODINGS)
def test_one_octet_more_is_too_large(coding: str, chunked: bool) -> None:
    with pytest.raises(TooLarge):
        read_body(environ(CODINGS[coding](b"z" * (LIMIT + 1)), coding, chunked=chunked), LIMIT)


def test_a_body_announced_as_too_large_is_not_read_at_all() -> None:
    made = environ(b"z" * (LIMIT + 1))
    with pytest.raises(TooLarge):
        read_body(made, LIMIT)
    assert made["wsgi.input"].taken == 0


def test_a_chunked_body_is_given_up_as_soon_as_it_is_too_large() -> None:
    made = environ(b"z" * 50 * LIMIT, chunked=True)
    with pytest.raises(TooLarge):
        read_body(made, LIMIT)
    assert made["wsgi.input"].taken < 2 * LIMIT


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_bomb_is_given_up_while_it_is_unpacked(coding: str) -> None:
    bomb = CODINGS[coding](b"\0" * 200_000_000)
    assert len(bomb) < LIMIT * 2
    with pytest.raises(TooLarge):
        read_body(environ(bomb, coding), LIMIT)


@pytest.mark.parametrize("coding", ["br", "deflate", "compress", "gzip, gzip", "gzip,zstd", "*", "é"])
def test_an_unknown_coding_is_unsupported(coding: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refusal:
        read_body(environ(b"x", coding), LIMIT)
    assert refusal.value.field == "Content-Encoding"


@pytest.mark.parametrize(
    ("packed", "coding"),
    [
        (b"plain text", "gzip"),
        (b"plain text", "zstd"),
        (gzip.compress(b"x" * 1000)[:-9], "gzip"),
        (gzip.compress(b"x") + b"trailing", "gzip"),
        (zlib.compress(b"x"), "gzip"),
        (zstandard.compress(b"x" * 1000) + b"trailing", "zstd"),
    ],
    ids=["no gzip", "no zstd", "cut gzip", "gzip and more", "zlib", "zstd and more"],
)
def test_a_body_that_is_not_what_it_says_is_malformed(packed: bytes, coding: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_body(environ(packed, coding), LIMIT)
    assert refusal.value.field == "Content-Encoding"


def test_several_members_are_one_body() -> None:
    assert read_body(environ(gzip.compress(b"a") + gzip.compress(b"b"), "gzip"), LIMIT) == b"ab"
    assert read_body(environ(zstandard.compress(b"a") + zstandard.compress(b"b"), "zstd"), LIMIT) == b"ab"


@given(st.binary(max_size=5_000), st.sampled_from(["gzip", "zstd"]))
def test_any_bytes_are_a_body_or_refused(packed: bytes, coding: str) -> None:
    try:
        read_body(environ(packed, coding), LIMIT)
    except (InvalidRequest, TooLarge):
        return
