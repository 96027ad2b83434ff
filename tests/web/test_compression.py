"""Accept-Encoding: which coding an answer gets."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hub.web.compression import compress, negotiate


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("br", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("zstd; q=0, gzip; q=0.001", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0.000, zstd;q=0", None),
        ("*", "zstd"),
        ("*;q=0", None),
        ("zstd;q=0, *", "gzip"),
        ("identity;q=1, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=1.0", "gzip"),
        ("gzip;q=banana", None),
        (",,;;=", None),
    ],
)
def test_the_best_coding_of_both_sides_is_chosen(header: str | None, coding: str | None) -> None:
    assert negotiate(header) == coding


@given(st.text(max_size=100))
def test_any_header_is_read(header: str) -> None:
    assert negotiate(header) in (None, "gzip", "zstd")


@given(st.binary(max_size=10_000))
def test_compressed_bodies_come_back(body: bytes) -> None:
    assert gzip.decompress(compress(body, "gzip")) == body
    assert zstandard.decompress(compress(body, "zstd")) == body
