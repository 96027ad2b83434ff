"""The tokens of a STIX 2.1 pattern: longest match, keywords before identifiers, as in the OASIS grammar."""

from __future__ import annotations

import re
from typing import Final

KEYWORDS: Final = frozenset(
    {
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "LIKE",
        "MATCHES",
        "ISSUPERSET",
        "ISSUBSET",
        "EXISTS",
        "LAST",
        "IN",
        "START",
        "STOP",
        "SECONDS",
        "true",
        "false",
        "WITHIN",
        "REPEATS",
        "TIMES",
    }
)
"""Words that can be neither an object type nor a property name (STIX 2.1 §9); case counts."""

STRING, IDENTIFIER, SYMBOL, OPERATOR, INTEGER, FLOAT, TIMESTAMP, HEX, BINARY, INVALID, END = range(11)
"""Kinds of token. A keyword is a SYMBOL whose text is the keyword."""

_BLANKS: Final = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

_TOKEN: Final = re.compile(
    rf"""
    (?P<blank>[{_BLANKS}]++|/\*.*?\*/|//[^\r\n]*+)
    |'(?P<string>[^'\\]*+(?:\\['\\][^'\\]*+)*+)'
    |t'(?P<timestamp>[0-9]{{4}}-(?:0[1-9]|1[012])-(?:0[1-9]|[12][0-9]|3[01])
        T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]++)?Z)'
    |h'(?P<hex>(?:[0-9a-fA-F]{{2}})*+)'
    |b'(?P<binary>(?:[A-Za-z0-9+/]{{4}})*(?:[A-Za-z0-9+/]{{4}}|[A-Za-z0-9+/]{{3}}=|[A-Za-z0-9+/]{{2}}==))'
    |(?P<identifier>[a-zA-Z_][a-zA-Z0-9_-]*+)
    |(?P<float>[+-]?[0-9]*+\.[0-9]++)
    |(?P<integer>[+-]?(?:0|[1-9][0-9]*+))
    |(?P<operator>==|=|!=|<>|<=|>=|<|>)
    |(?P<symbol>[\[\]():.,*])
    |(?P<invalid>.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""No alternative can backtrack over what it has taken: the time is linear in the text."""

_KINDS: Final = {
    "string": STRING,
    "timestamp": TIMESTAMP,
    "hex": HEX,
    "binary": BINARY,
    "identifier": IDENTIFIER,
    "float": FLOAT,
    "integer": INTEGER,
    "operator": OPERATOR,
    "symbol": SYMBOL,
    "invalid": INVALID,
}

Token = tuple[int, str, int]
"""Kind, text (of literals: what stands between the quotes), and the position of the first character."""


def tokens(text: str) -> list[Token]:
    """Return the tokens of a pattern without blanks and comments, and END last; an INVALID one ends the list early."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        group = match.lastgroup
        if group == "blank" or group is None:
            continue
        kind, value = _KINDS[group], match[group]
        if kind == IDENTIFIER and value in KEYWORDS:
            kind = SYMBOL
        found.append((kind, value, match.start()))
        if kind == INVALID:
            return found
    found.append((END, "", len(text)))
    return found
