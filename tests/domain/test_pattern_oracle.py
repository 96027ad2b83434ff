"""The pattern parser beside stix2-patterns 2.1.2: grammar-made and mutated patterns, every difference named."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.domain.pattern import fault
from tests.domain.stix_examples import published

Oracle = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    from stix2patterns.validator import run_validator

    def errors(pattern: str) -> list[str]:
        try:
            return [str(error) for error in run_validator(pattern, "2.1")]
        except (AttributeError, UnboundLocalError) as crash:
            return [f"crash: {type(crash).__name__}"]

    return errors


_BLANK = st.sampled_from(["", " ", "  ", "\n", "\u2003", "/* c */", "// c\n"])
_TYPES = st.sampled_from(["file", "ipv4-addr", "x-acme-thing", "network-traffic", "email-message"])
_KEYS = st.sampled_from(["value", "name", "hashes", "src_ref", "a_b", "'quoted-key'", "'SHA-256'", "extensions"])
_STEPS = st.one_of(
    _KEYS.map(lambda key: f".{key}"), st.sampled_from(["[*]", "[0]", "[12]", ".MD5", ".'windows-pebinary-ext'"])
)
_STRINGS = st.one_of(
    st.text(alphabet="abcXYZ09 .\\'%é/", max_size=8).map(
        lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    ),
    st.sampled_from(["'198.51.100.0/24'", "'" + "0" * 32 + "'", "'" + "a" * 64 + "'"]),
)
_CONSTANTS = st.one_of(
    _STRINGS,
    st.integers(-1000, 1000).map(str),
    st.sampled_from(
        ["+5", "0", "-0", "1.5", ".5", "-2.25", "true", "false", "h'0aff'", "h''", "b'aGk='", "b'aGVsbG8h'"]
    ),
    st.sampled_from(["t'2026-01-02T03:04:05Z'", "t'2026-01-02T03:04:05.123456789Z'"]),
)
_PATHS = st.builds(
    lambda kind, first, steps: f"{kind}:{first}{''.join(steps)}",
    _TYPES,
    st.sampled_from(["value", "name", "hashes", "'a_key'", "extensions"]),
    st.lists(_STEPS, max_size=3),
)
_NOT = st.sampled_from(["", " NOT"])
_COMPARISONS = st.one_of(
    st.builds(
        lambda path, negation, operator, value: f"{path}{negation} {operator} {value}",
        _PATHS,
        _NOT,
        st.sampled_from(["=", "==", "!=", "<>", "<", "<=", ">", ">="]),
        _CONSTANTS,
    ),
    st.builds(
        lambda path, negation, operator, value: f"{path}{negation} {operator} {value}",
        _PATHS,
        _NOT,
        st.sampled_from(["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]),
        _STRINGS,
    ),
    st.builds(
        lambda path, negation, values: f"{path}{negation} IN ({', '.join(values)})",
        _PATHS,
        _NOT,
        st.lists(_CONSTANTS, max_size=3),
    ),
    _PATHS.map(lambda path: f"EXISTS {path}"),
)
_COMPARISON_TREES = st.recursive(
    _COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda a, o, b: f"{a} {o} {b}", inner, st.sampled_from(["AND", "OR"]), inner),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=4,
)
_QUALIFIERS = st.sampled_from(
    [
        "WITHIN 5 SECONDS",
        "WITHIN 0.5 SECONDS",
        "REPEATS 3 TIMES",
        "START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z'",
    ]
)
_OBSERVATIONS = st.builds(lambda a, text, b: f"[{a}{text}{b}]", _BLANK, _COMPARISON_TREES, _BLANK)
_PATTERNS = st.recursive(
    _OBSERVATIONS,
    lambda inner: st.one_of(
        st.builds(lambda a, o, b: f"{a} {o} {b}", inner, st.sampled_from(["AND", "OR", "FOLLOWEDBY"]), inner),
        inner.map(lambda text: f"({text})"),
        st.builds(lambda text, qualifier: f"{text} {qualifier}", inner, _QUALIFIERS),
    ),
    max_leaves=4,
)
_SCRAPS = [*"[]():.,*='\\+-?/ ", "AND", " NOT ", "t'", "h'0'", "b'='", "0x", "1.", "true", "LAST", "-", "x", "\n", "é"]


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    text = draw(_PATTERNS)
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 3)))
        text = text[:start] + draw(st.sampled_from(["", *_SCRAPS])) + text[end:]
    return text


STRICTER: dict[str, Callable[[str, str], bool]] = {
    "an object type has the form of one (§9.7, §3.1); stix2-validator checks it, stix2-patterns does not": (
        lambda reason, _: "object type does not" in reason
    ),
    "a property has the form of one (§9.7, §3.1); stix2-validator checks it, stix2-patterns does not": (
        lambda reason, _: "property does not" in reason
    ),
    "a timestamp is of a day that exists; the grammar counts 31 days in each month": (
        lambda reason, _: "no real moment" in reason
    ),
    "WITHIN and REPEATS take numbers greater than zero (§9.5); the grammar takes 0": (
        lambda reason, _: "greater than zero" in reason
    ),
    "integers have 53 bits (§2.10); the grammar has no bound": lambda reason, _: "beyond 53 bits" in reason,
    "parentheses are bounded": lambda reason, _: "nested parentheses" in reason,
}
"""What the hub refuses and the oracle accepts."""

LOOSER: dict[str, Callable[[str, str], bool]] = {
    "only constants that are compared whole are hash values; the oracle checks LIKE and MATCHES too": (
        lambda error, pattern: "is not a valid" in error and bool(re.search(r"LIKE|MATCHES|ISSU|[<>]", pattern))
    ),
    "a comment may come first; the oracle looks for a bracket before it parses": (
        lambda error, pattern: "missing square brackets" in error and pattern.lstrip("( \n\u2003").startswith("/")
    ),
    "the last step names the algorithm only if 'hashes' stands before it; the oracle looks at keys of any name": (
        lambda error, pattern: "is not a valid" in error and "hashes" in pattern
    ),
    "a hash compared with something else than a string: the oracle crashes": lambda error, _: error.startswith("crash"),
}
"""What the hub accepts and the oracle refuses."""


def _explained(pattern: str, errors: list[str]) -> bool:
    found = fault(pattern)
    if (found is not None) == bool(errors):
        return True
    if found is not None:
        return any(reason(found.reason, pattern) for reason in STRICTER.values())
    return all(any(reason(error, pattern) for reason in LOOSER.values()) for error in errors)


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pattern=_PATTERNS)
def test_both_take_patterns_made_by_the_grammar(oracle: Oracle, pattern: str) -> None:
    errors = oracle(pattern)
    assert _explained(pattern, errors), (pattern, fault(pattern), errors)


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pattern=_mutated())
@example(pattern="")
@example(pattern="[file:name = 'a']]")
@example(pattern="[file:name = 'a'] WITHIN 5 SECONDS WITHIN 6 SECONDS")
@example(pattern="([file:name = 'a'] REPEATS 2 TIMES) REPEATS 2 TIMES")
@example(pattern="([file:name = 'a']) WITHIN 5 SECONDS WITHIN 6 SECONDS")
@example(pattern="[file:name = t'2026-13-01T00:00:00Z']")
@example(pattern="[file:name = t'2026-02-30T00:00:00Z']")
@example(pattern="[file:size = 012]")
@example(pattern="[file:name LIKE 5]")
@example(pattern="[file:name = 'a'] within 2 seconds")
@example(pattern="[file:name = True]")
@example(pattern="[file:hashes.MD5 = 'f00']")
@example(pattern="[file:hashes.'SHA-256' IN ('f00')]")
@example(pattern="[x-usb:usb-drive = '5']")
@example(pattern="[file:size > true]")
@example(pattern="[file:name = b'']")
@example(pattern="[file:name[-1] = 'a']")
def test_a_mutated_pattern_gets_the_same_verdict_or_the_difference_has_a_name(oracle: Oracle, pattern: str) -> None:
    errors = oracle(pattern)
    assert _explained(pattern, errors), (pattern, fault(pattern), errors)


def test_both_take_every_published_pattern_of_the_incident_and_espionage_bundles(oracle: Oracle) -> None:
    patterns = {obj["pattern"] for _, obj in published() if obj.get("pattern_type") == "stix"}
    assert len(patterns) > 300
    assert [pattern for pattern in patterns if fault(pattern) is not None] == []
    assert [pattern for pattern in sorted(patterns)[::10] if oracle(pattern)] == []
