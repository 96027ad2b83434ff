"""``Prefer: wait=N``: the first wait that is a number, however the list is written; anything else is no preference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.prefer import wait_seconds

HEADERS = {
    "plain": ("wait=10", 10),
    "in capitals": ("WAIT=10", 10),
    "quoted": ('wait="10"', 10),
    "with spaces": (" wait = 10 ", 10),
    "zero": ("wait=0", 0),
    "after another": ("respond-async, wait=10", 10),
    "with a parameter": ("wait=10; foo=bar", 10),
    "the first counts": ("wait=10, wait=20", 10),
    "a comma in a quoted string": ('foo="a, wait=3", wait=10', 10),
    "an escaped quote": (r'foo="a\", wait=3", wait=10', 10),
    "absent": (None, None),
    "empty": ("", None),
    "another": ("return=minimal", None),
    "no number": ("wait=soon", None),
    "negative": ("wait=-1", None),
    "a fraction": ("wait=1.5", None),
    "too long to be meant": ("wait=9999999999", None),
    "other digits": ("wait=١٢", None),
    "no value": ("wait", None),
    "a longer name": ("waiting=10", None),
    "an open quote": ('foo="wait=10', None),
}


@pytest.mark.parametrize(("header", "seconds"), HEADERS.values(), ids=HEADERS.keys())
def test_the_seconds_of_a_prefer_header(header: str | None, seconds: int | None) -> None:
    assert wait_seconds(header) == seconds


@given(st.text())
def test_no_header_is_an_error(header: str) -> None:
    found = wait_seconds(header)
    assert found is None or 0 <= found < 1_000_000_000
