"""The syntax tree, the faults and the bounds of the pattern parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import limits
from hub.domain.pattern import PatternFault, fault, is_ordinary, parse
from hub.domain.pattern_syntax import (
    ANY,
    Comparison,
    ComparisonGroup,
    Literal,
    LiteralKind,
    ObjectPath,
    Observation,
    ObservationGroup,
    Qualified,
    Repeats,
    StartStop,
    Within,
)


def _string(text: str) -> Literal:
    return Literal(LiteralKind.STRING, text)


def test_an_equality_is_a_path_an_operator_and_a_constant() -> None:
    path = ObjectPath("file", ("hashes", "SHA-256"))
    assert parse(f"[file:hashes.'SHA-256' == '{'0' * 64}']") == Observation(
        Comparison(path, "=", False, _string("0" * 64))
    )


def test_and_binds_tighter_than_or_which_binds_tighter_than_followedby() -> None:
    a, b, c, d = (Observation(Comparison(ObjectPath("aaa", ("bbb",)), "=", False, _string(x))) for x in "abcd")
    text = "[aaa:bbb='a'] FOLLOWEDBY [aaa:bbb='b'] OR [aaa:bbb='c'] AND [aaa:bbb='d']"
    assert parse(text) == ObservationGroup(
        "FOLLOWEDBY", (a, ObservationGroup("OR", (b, ObservationGroup("AND", (c, d)))))
    )


def test_comparisons_group_the_same_way_inside_an_observation() -> None:
    tree = parse("[aaa:bbb = 1 OR aaa:bbb NOT IN (2, 3.5) AND EXISTS aaa:ccc]")
    path = ObjectPath("aaa", ("bbb",))
    values = (Literal(LiteralKind.INTEGER, 2), Literal(LiteralKind.FLOAT, 3.5))
    assert tree == Observation(
        ComparisonGroup(
            "OR",
            (
                Comparison(path, "=", False, Literal(LiteralKind.INTEGER, 1)),
                ComparisonGroup(
                    "AND",
                    (
                        Comparison(path, "IN", True, values),
                        Comparison(ObjectPath("aaa", ("ccc",)), "EXISTS", False, None),
                    ),
                ),
            ),
        )
    )


def test_qualifiers_keep_their_order() -> None:
    tree = parse(
        "[aaa:bbb = true] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z' REPEATS 2 TIMES WITHIN 1.5 SECONDS"
    )
    assert isinstance(tree, Qualified)
    assert tree.qualifiers == (StartStop("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), Repeats(2), Within(1.5))


def test_escapes_are_undone_and_indexes_told_apart() -> None:
    tree = parse(r"[email-message:body_multipart[*].body_raw_ref.name[2] = 'it\'s \\ here']")
    assert isinstance(tree, Observation)
    assert isinstance(tree.comparison, Comparison)
    assert tree.comparison.path.steps == ("body_multipart", ANY, "body_raw_ref", "name", 2)
    assert tree.comparison.path.steps[1] is ANY
    assert tree.comparison.value == _string(r"it's \ here")


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "square brackets"),
        ("file:size = 1", 0, "square brackets"),
        ("[file:size = ]", 13, "constant"),
        ("[file:size 5]", 11, "comparison operator"),
        ("[file.size = 5]", 5, "colon"),
        ("[file:na-me = 5]", 6, "quote names"),
        ("[file:size = 5", 14, "closing bracket"),
        ("[file:size = 5] x", 16, "operator"),
        ("[file:name MATCHES 5]", 19, "string"),
        ("[file:name = 'abc]", 13, "constant"),
        ("[file:size = 99999999999999999999]", 13, "53 bits"),
        ("[file:size = 9007199254740992]", 13, "53 bits"),
        ("[file:hashes.MD5 = 'f00']", 19, "hash"),
        ("[file:size = 5] WITHIN 0 SECONDS", 23, "greater than zero"),
        ("[file:size = 5] WITHIN -5 SECONDS", 23, "greater than zero"),
        ("[file:size = 5] REPEATS 1.5 TIMES", 24, "greater than zero"),
        ("[file:size = 5] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'", 22, "timestamp"),
        ("[file:ctime = t'2026-02-30T00:00:00Z']", 14, "real moment"),
        ("[file:size = 5] REPEATS 2 TIMES REPEATS 3 TIMES", 32, "once"),
        ("[File:size = 5]", 1, "object type"),
        ("[file:Size = 5]", 6, "property"),
        ("[file:size IN 5]", 14, "parenthesis"),
        ("[file:size > true]", 13, "constant"),
    ],
)
def test_a_fault_has_a_place_and_a_reason(text: str, position: int, reason: str) -> None:
    found = fault(text)
    assert found is not None
    assert found.position == position
    assert reason in found.reason


def test_a_fault_repeats_nothing_of_the_pattern() -> None:
    found = fault("[file:name = 'a' SECRETWORD 'b']")
    assert found is not None
    assert "SECRETWORD" not in str(found)


def test_stix_2_0_patterns_may_have_strings_behind_start_and_stop() -> None:
    text = "[file:size = 5] START '2026-01-01T00:00:00Z' STOP '2026-01-02T00:00:00Z'"
    assert fault(text, strings_in_start_stop=True) is None


def test_parentheses_are_taken_up_to_the_bound_and_no_deeper() -> None:
    depth = limits.MAX_PATTERN_DEPTH
    assert fault("(" * depth + "[file:size = 5]" + ")" * depth) is None
    assert fault("[" + "(" * depth + "file:size = 5" + ")" * depth + "]") is None
    for text in ("(" * 30_000, "[" + "(" * 30_000, "(" * (depth + 1) + "[file:size = 5]" + ")" * (depth + 1)):
        found = fault(text)
        assert found is not None
        assert "nested" in found.reason


def test_a_pattern_longer_than_the_bound_is_not_read() -> None:
    text = "[file:name = '" + "a" * limits.MAX_PATTERN_LENGTH + "']"
    with pytest.raises(PatternFault, match="longer"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["[file:name = '" + "\\'" * 30_000, "[file:a = " + "9" * 60_000, "/*" * 30_000, "b'" + "A" * 60_000, "." * 60_000],
    ids=["escapes", "digits", "comments", "base64", "dots"],
)
def test_hostile_texts_of_full_length_are_refused(text: str) -> None:
    assert fault(text) is not None


@given(st.text(max_size=60))
def test_any_text_gets_a_verdict(text: str) -> None:
    found = fault(text)
    assert found is None or 0 <= found.position <= len(text)


@given(st.text(alphabet="[]():.,*='\\abft10 -\n", max_size=60))
def test_any_text_of_pattern_characters_gets_a_verdict(text: str) -> None:
    found = fault("[" + text)
    assert found is None or 0 <= found.position <= len(text) + 1


_WORDS = (
    "true",
    "false",
    "hashes",
    "id",
    "ab",
    "abc",
    "true_x",
    "value",
    "a1",
    "Abc",
    "_abc",
    "x-1",
    "x--1",
    "a.b",
    "NOT",
)


@given(
    kind=st.sampled_from((*_WORDS, "ipv4-addr", "a" * 62, "-".join(["abc"] * 70))),
    steps=st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4),
    value=st.text(alphabet="a1'\\ ]\n\u00e9", max_size=8),
    blanks=st.sampled_from((" ", "", "  ", "\t", "/**/")),
)
def test_what_is_ordinary_at_a_glance_is_without_fault_to_the_parser(
    kind: str, steps: list[str], value: str, blanks: str
) -> None:
    text = f"[{blanks}{kind}:{'.'.join(steps)}{blanks}={blanks}'{value}']"

    if is_ordinary(text):
        parse(text)


@pytest.mark.parametrize(
    ("text", "ordinary"),
    [
        ("[ipv4-addr:value = '198.51.100.7']", True),
        ("[domain-name:value='example.org']", True),
        ("[email-message:from_ref.value = 'a@example.org']", True),
        ("[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", False),
        ("[url:value = 'a\\'b']", False),
        ("[url:value = 'a'] ", False),
    ],
)
def test_one_comparison_with_a_string_is_ordinary(text: str, ordinary: bool) -> None:
    assert is_ordinary(text) is ordinary
