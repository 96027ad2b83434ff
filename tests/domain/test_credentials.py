"""Secrets: their form, their hash, and that reading never takes one for another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import credentials as c

SECRETS = st.binary(min_size=c.SECRET_BYTES, max_size=c.SECRET_BYTES)
LOOKUPS = st.binary(min_size=c.LOOKUP_BYTES, max_size=c.LOOKUP_BYTES)


@given(LOOKUPS, SECRETS)
def test_a_token_is_read_as_it_was_written(lookup: bytes, secret: bytes) -> None:
    parts = (c.secret_text(lookup), c.secret_text(secret))
    assert c.read_bearer_token(c.bearer_token(*parts)) == parts


@given(st.text())
def test_no_other_text_is_a_token(text: str) -> None:
    parts = c.read_bearer_token(text)
    assert parts is None or c.bearer_token(*parts) == text


@given(st.binary(min_size=16, max_size=16), st.text(), st.text())
def test_only_the_secret_itself_matches(salt: bytes, secret: str, other: str) -> None:
    stored = c.secret_hash(salt, secret)
    assert c.secret_matches(salt, stored, secret)
    assert c.secret_matches(salt, stored, other) == (secret == other)
    assert secret.encode("utf-8", "surrogatepass") not in stored or len(secret) < 3


def test_a_secret_has_200_bits_and_the_salt_counts() -> None:
    assert len(c.secret_text(bytes(c.SECRET_BYTES))) == 40
    assert c.secret_hash(b"a" * 16, "x") != c.secret_hash(b"b" * 16, "x")


@pytest.mark.parametrize(
    ("username", "password", "expected"),
    [("token", "cybex_x", True), ("tokens", "cybex_x", True), ("token", "x", False), ("aa", "cybex_x", False)],
)
def test_a_token_is_taken_out_of_basic_only_when_the_user_name_says_so(
    username: str, password: str, expected: bool
) -> None:
    assert (c.as_bearer(c.Basic(username, password)) is not None) == expected


@pytest.mark.parametrize("text", ["ab" * 32, "AB" * 32, ":".join(["aB"] * 32)])
def test_a_fingerprint_is_read_in_every_spelling(text: str) -> None:
    assert c.fingerprint_text(text) == "ab" * 32


@pytest.mark.parametrize("text", ["", "ab" * 31, "zz" * 32, "ab" * 33])
def test_what_is_no_fingerprint_is_none(text: str) -> None:
    assert c.fingerprint_text(text) is None
