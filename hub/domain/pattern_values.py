"""The values that alone make a STIX pattern match: what a list of addresses, names or hashes can say of an indicator.

``[a = 'x']``, ``[a IN ('x', 'y')]``, and these joined by OR, inside an observation or between observations. Whatever
needs two things at once, an order, a time or a wildcard says more than a list can, and is not reduced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from typing import Literal as OneOf

from hub.domain.pattern import PatternFault, parse
from hub.domain.pattern_syntax import (
    ANY,
    Comparison,
    ComparisonExpression,
    ComparisonGroup,
    Literal,
    LiteralKind,
    ObjectPath,
    Observation,
    ObservationExpression,
    ObservationGroup,
)

Sort = OneOf["address", "name", "host", "url", "email", "hash"]
"""``host`` is an address or a name, as ``network-traffic:dst_ref.value`` may be either."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One value as the pattern writes it, escapes undone. :param algorithm: of a hash, as written."""

    sort: Sort
    text: str
    algorithm: str = ""


_PATHS: Final[dict[tuple[str, ...], Sort]] = {
    ("ipv4-addr", "value"): "address",
    ("ipv6-addr", "value"): "address",
    ("domain-name", "value"): "name",
    ("url", "value"): "url",
    ("email-addr", "value"): "email",
    ("network-traffic", "dst_ref", "value"): "host",
    ("network-traffic", "src_ref", "value"): "host",
    ("email-message", "from_ref", "value"): "email",
    ("email-message", "sender_ref", "value"): "email",
}
_SIMPLE: Final = re.compile(
    r"\[ *(ipv4-addr|ipv6-addr|domain-name|url):value *= *'([^'\\\x00-\x1f]{1,200})' *\]"
    r"|\[ *file:hashes\.(?:'(MD5|SHA-1|SHA-256)'|(MD5)) *= *'([0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})' *\]"
)
"""Nine in ten published patterns; the parser gives the same answer in ten times the time."""
_SIMPLE_SORTS: Final[dict[str, Sort]] = {
    "ipv4-addr": "address",
    "ipv6-addr": "address",
    "domain-name": "name",
    "url": "url",
}
_DIGITS: Final = {"MD5": 32, "SHA-1": 40, "SHA-256": 64}


def observed(pattern: str) -> tuple[Observed, ...] | None:
    """Return the values each of which alone makes the pattern match; None when there is none, or it is no pattern.

    Of alternatives, those that a list cannot say are left out: the others match without them.
    """
    simple = _SIMPLE.fullmatch(pattern)
    if simple is not None:
        kind, text, quoted, bare, digest = simple.groups()
        if kind is not None:
            return (Observed(_SIMPLE_SORTS[kind], text),)
        if len(digest) == _DIGITS[quoted or bare]:
            return (Observed("hash", digest, quoted or bare),)
    try:
        found = tuple(dict.fromkeys(_of_observation(parse(pattern))))
    except PatternFault:
        return None
    return found or None


def _of_observation(expression: ObservationExpression) -> Iterator[Observed]:
    if isinstance(expression, Observation):
        yield from _of_comparison(expression.comparison)
    elif isinstance(expression, ObservationGroup) and expression.operator == "OR":
        for operand in expression.operands:
            yield from _of_observation(operand)


def _of_comparison(expression: ComparisonExpression) -> Iterator[Observed]:
    if isinstance(expression, ComparisonGroup):
        if expression.operator == "OR":
            for operand in expression.operands:
                yield from _of_comparison(operand)
        return
    yield from _of_one(expression)


def _of_one(comparison: Comparison) -> Iterator[Observed]:
    sort, algorithm = _sort(comparison.path)
    if sort is None or comparison.negated or comparison.value is None:
        return
    # A set of addresses within a network is that network, and for addresses a network is what a list can say.
    if comparison.operator not in ("=", "IN") and not (comparison.operator == "ISSUBSET" and sort == "address"):
        return
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    for value in values:
        if isinstance(value, Literal) and value.kind is LiteralKind.STRING:
            yield Observed(sort, str(value.value), algorithm)


def _sort(path: ObjectPath) -> tuple[Sort | None, str]:
    steps = tuple(step for step in path.steps if isinstance(step, str) and step is not ANY)
    if len(steps) != len(path.steps):
        return None, ""
    if path.object_type in ("file", "artifact") and len(steps) == 2 and steps[0] == "hashes":
        return "hash", steps[1]
    return _PATHS.get((path.object_type, *steps)), ""
