"""Which values alone make a pattern match; a list says nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import pattern_values
from hub.domain.pattern_values import Observed, observed


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ipv4-addr:value = '1.2.3.4']", [("address", "1.2.3.4")]),
        ("[ ipv6-addr:value='::1' ]", [("address", "::1")]),
        ("[domain-name:value = 'a.b'] OR [url:value = 'http://x']", [("name", "a.b"), ("url", "http://x")]),
        ("([domain-name:value = 'a.b'])", [("name", "a.b")]),
        ("[domain-name:value IN ('a.b', 'c.d', 'a.b')]", [("name", "a.b"), ("name", "c.d")]),
        ("[domain-name:value = 'a.b' OR process:name = 'x']", [("name", "a.b")]),
        ("[ipv4-addr:value ISSUBSET '10.0.0.0/8']", [("address", "10.0.0.0/8")]),
        ("[network-traffic:dst_ref.value = 'x.y']", [("host", "x.y")]),
        ("[email-message:from_ref.value = 'a@b.c']", [("email", "a@b.c")]),
        ("[domain-name:value = 'it\\'s']", [("name", "it's")]),
        ("[url:value ISSUBSET 'x']", None),
        ("[domain-name:value != 'a.b']", None),
        ("[domain-name:value NOT = 'a.b']", None),
        ("[domain-name:value NOT IN ('a.b')]", None),
        ("[domain-name:value LIKE '%.b']", None),
        ("[domain-name:value MATCHES '^a']", None),
        ("[EXISTS domain-name:value]", None),
        ("[domain-name:value > 'a']", None),
        ("[domain-name:value = 'a.b' AND ipv4-addr:value = '1.2.3.4']", None),
        ("[domain-name:value = 'a.b'] AND [domain-name:value = 'c.d']", None),
        ("[domain-name:value = 'a.b'] FOLLOWEDBY [domain-name:value = 'c.d']", None),
        ("[domain-name:value = 'a.b'] WITHIN 5 SECONDS", None),
        ("[domain-name:value = 'a.b'] REPEATS 5 TIMES", None),
        ("([domain-name:value = 'a.b'] OR [domain-name:value = 'c.d']) WITHIN 5 SECONDS", None),
        ("[domain-name:resolves_to_refs[*].value = '1.2.3.4']", None),
        ("[file:name = 'x.exe']", None),
        ("[domain-name:value = 5]", None),
        ("not a pattern", None),
    ],
)
def test_only_what_alone_makes_it_match_is_taken(pattern: str, expected: list[tuple[str, str]] | None) -> None:
    found = observed(pattern)
    assert (None if found is None else [(one.sort, one.text) for one in found]) == expected


def test_a_hash_comes_with_its_algorithm() -> None:
    assert observed(f"[file:hashes.'SHA-256' = '{'a' * 64}']") == (Observed("hash", "a" * 64, "SHA-256"),)
    assert observed(f"[file:hashes.MD5 = '{'a' * 32}' OR file:hashes.'SHA-1' = '{'b' * 40}']") == (
        Observed("hash", "a" * 32, "MD5"),
        Observed("hash", "b" * 40, "SHA-1"),
    )
    assert observed(f"[file:hashes.MD5 = '{'a' * 40}']") is None


PIECES = ["[", "]", " ", "=", "'", "\\", "ipv4-addr", "domain-name", "url", ":value", "file:hashes.", "MD5",
          "'SHA-256'",          "a" * 32, "b" * 64, "x.y", "\n", "é", " OR ", "IN", "(", ")"]  # fmt: skip


@given(st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=10).map("".join),
    st.text(max_size=20).map(lambda text: f"[domain-name:value = '{text}']"),
    st.tuples(st.sampled_from(PIECES), st.sampled_from(PIECES)).map(lambda two: f"[file:hashes.{two[0]} = '{two[1]}']"),
))  # fmt: skip
def test_the_short_way_gives_the_answer_of_the_parser(pattern: str) -> None:
    quick = observed(pattern)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pattern_values, "_SIMPLE", pattern_values.re.compile(r"(?!)"))
        assert observed(pattern) == quick
