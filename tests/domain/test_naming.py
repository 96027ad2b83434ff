"""Names: what may stand in URLs, logs and terminals, and what may not."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import naming
from hub.errors import InvalidRequest

CHECKS: dict[str, Callable[[str], str]] = {
    "handle": naming.handle,
    "slug": naming.slug,
    "alias": naming.alias,
    "username": naming.username,
    "country": naming.country,
    "identity": naming.identity,
}

GOOD = [
    ("handle", "a"),
    ("handle", "cert-fi"),
    ("handle", "a" * 63),
    ("slug", "alpha"),
    ("slug", "a1"),
    ("alias", "indicators"),
    ("alias", "my_list-2"),
    ("username", "aa.misp"),
    ("country", "FI"),
    ("identity", "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"),
]

BAD = [
    ("handle", ""),
    ("handle", "-a"),
    ("handle", "a-"),
    ("handle", "A"),
    ("handle", "a.b"),
    ("handle", "a\n"),
    ("handle", "ä"),
    ("handle", "a" * 64),
    ("handle", "tokens"),
    ("slug", "a"),
    ("slug", "taxii2"),
    ("slug", "api"),
    ("slug", "hub"),
    ("slug", "a_b"),
    ("alias", "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4"),
    ("alias", "a/b"),
    ("username", "token-aa"),
    ("username", "aa:bb"),
    ("username", "aa."),
    ("country", "fi"),
    ("country", "FIN"),
    ("identity", "indicator--f431f809-377b-45e0-aa1c-6a4751cae5ff"),
    ("identity", "identity--F431F809-377b-45e0-aa1c-6a4751cae5ff"),
]


@pytest.mark.parametrize(("check", "value"), GOOD)
def test_a_good_name_is_returned(check: str, value: str) -> None:
    assert CHECKS[check](value) == value


@pytest.mark.parametrize(("check", "value"), BAD)
def test_a_bad_name_is_refused_and_not_repeated(check: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        CHECKS[check](value)
    assert refused.value.field == check
    assert len(value) < 4 or value not in refused.value.detail


@given(st.text())
def test_whatever_text_is_taken_fits_one_line_of_a_terminal(value: str) -> None:
    try:
        assert naming.line(value, "name") == value
    except InvalidRequest:
        return
    assert 0 < len(value) <= naming.TITLE_LENGTH
    assert len(value.splitlines()) == 1
    assert not {unicodedata.category(mark) for mark in value} & {"Cc", "Cs"}


@pytest.mark.parametrize("value", ["a\x1b[31m", "a\u202eb", "a\x00", "a\u2028b", "\ud800", " ", "a" * 201])
def test_a_text_that_would_disturb_a_terminal_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest):
        naming.line(value, "name")


def test_scripts_that_need_joiners_can_be_written() -> None:
    assert naming.line("مرکز ماهر می‌باشد", "name")
    assert naming.text("one\ntwo", "description")
    with pytest.raises(InvalidRequest):
        naming.line("one\ntwo", "name")
