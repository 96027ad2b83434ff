"""Strict I-JSON in, JCS bytes out (RFC 7493, RFC 8785): what `parse` accepts `jcs` can write, and back again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import jiter
import orjson
import rfc8785

from hub.domain import limits
from hub.errors import MalformedJson

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_INTEGER: Final = 2**53 - 1
"""The greatest integer that every JSON implementation keeps exact (RFC 7493 §2.2)."""

# Python's, orjson's and ECMAScript's spelling of a number agree inside this range for numbers with a fraction; outside
# (1e-6, 1e+21, 1.0) they do not, and rfc8785 has to write the document. Widening it would break signatures.
_PLAIN_FLOAT_MIN: Final = 1e-4
_PLAIN_FLOAT_MAX: Final = 1e15
# Above U+DFFF the order of UTF-8 bytes, which orjson sorts by, is not that of UTF-16 units (RFC 8785 §3.2.3).
_FIRST_ODD_KEY: Final = "\ue000"
# From here on ECMAScript writes a whole number with an exponent, and a reader sees no integer any more.
_EXPONENT: Final = 1e21

_BOM: Final = b"\xef\xbb\xbf"
_POSITION: Final = re.compile(r" at line ([0-9]+) column ([0-9]+)$")
_REASONS: Final = (
    # what the parser says starts with -> what we say: its own words may hold a name out of the document
    ("Detected duplicate key", "a name stands twice in one object"),
    ("recursion limit", "it is nested too deeply"),
    ("lone leading surrogate", "a \\u escape is half of a surrogate pair"),
    ("unexpected end of hex escape", "a \\u escape is half of a surrogate pair"),
    ("invalid unicode code point", "it is not UTF-8"),
    ("control character", "a control character in a string is not escaped"),
    ("invalid escape", "a string holds an unknown escape"),
    ("number out of range", "a number is out of range"),
    ("trailing characters", "something follows the document"),
    ("EOF", "it ends too early"),
)


@dataclass(frozen=True, slots=True)
class Document:
    """What an I-JSON text says.

    :param plain: every number and name in it is spelled and sorted alike by RFC 8785 and by any fast encoder, so `jcs`
        need not look again at what is made of its parts and of nothing else.
    """

    value: Json
    plain: bool


def parse(data: bytes, *, max_depth: int = limits.MAX_DEPTH) -> Json:
    """Return the value of an I-JSON text; see `read`. Raises MalformedJson."""
    return read(data, max_depth=max_depth).value


def read(data: bytes, *, max_depth: int = limits.MAX_DEPTH) -> Document:
    """Return an I-JSON text as a document; arrays and objects nest at most ``max_depth`` levels.

    Raises:
        MalformedJson: it is not JSON in UTF-8 without a byte order mark, a name stands twice in one object, a string
            holds a lone surrogate, an integer lies outside ±(2^53-1), a number overflows, or it is nested too deeply.
    """
    if data.startswith(_BOM):
        raise MalformedJson("it starts with a byte order mark; send plain UTF-8 (RFC 8259 §8.1)")
    try:
        value: Json = jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedJson(_reason(str(error), data)) from None
    return Document(value, _guard(value, max_depth))


def jcs(value: object, *, plain: bool = False) -> bytes:
    """Return the canonical bytes of a JSON value (RFC 8785); ``1.0`` and ``1`` give the same bytes.

    :param plain: the value is made of parts of `Document`s that are all plain, unchanged: they were looked at when they
        were read, and looking costs several times what writing does.

    Raises:
        MalformedJson: it holds what I-JSON cannot carry: NaN, a lone surrogate, an integer outside ±(2^53-1), a name
            that is not a string, a type that JSON has not, or more than twice ``limits.MAX_DEPTH`` levels.
    """
    try:
        if plain or _guard(value, limits.MAX_DEPTH * 2):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)  # type: ignore[arg-type] # the guard has seen that it is JSON
    except (TypeError, UnicodeError, rfc8785.CanonicalizationError):
        # Their words may hold content. What the guard lets through fails on names and on surrogates only.
        raise MalformedJson("a name is no string, or a string holds a lone surrogate") from None


def sha256_hex(data: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def _guard(value: object, max_depth: int) -> bool:
    """Refuse what I-JSON cannot carry; say whether orjson spells every number and sorts every name as RFC 8785 does."""
    plain = True
    wrapped: list[Any] = [[value]]  # the value itself may be a scalar
    depth = -1
    while wrapped:
        depth += 1
        if depth > max_depth:
            raise MalformedJson(f"it is nested more than {max_depth} levels deep")
        deeper: list[Any] = []
        for container in wrapped:
            items: Iterable[Any] = container
            if type(container) is dict:
                items = container.values()
                names = "".join(container)
                if not names.isascii() and max(names) >= _FIRST_ODD_KEY:
                    plain = False
            for item in items:
                kind = type(item)
                if kind is str or kind is bool or item is None:
                    continue
                if kind is dict or kind is list:
                    deeper.append(item)
                elif kind is int:
                    if not -MAX_INTEGER <= item <= MAX_INTEGER:
                        raise MalformedJson("an integer lies outside ±(2^53-1); send it as a string (RFC 7493 §2.2)")
                elif kind is float:
                    plain &= _is_plain(item)
                else:
                    raise MalformedJson("a value has a type that JSON has not")
        wrapped = deeper
    return plain


def _is_plain(number: float) -> bool:
    """Say whether orjson spells a number as ECMAScript does; refuse one that no strict reader would take back."""
    size = abs(number)
    if not size < float("inf"):
        raise MalformedJson("a number is not finite or overflows (RFC 7493 §2.2)")
    whole = number.is_integer()
    if whole and MAX_INTEGER < size < _EXPONENT:
        # Written canonically it becomes an integer that no strict reader would take.
        raise MalformedJson("a whole number lies outside ±(2^53-1); send it as a string (RFC 7493 §2.2)")
    return not whole and _PLAIN_FLOAT_MIN <= size <= _PLAIN_FLOAT_MAX


def _reason(message: str, data: bytes) -> str:
    """Turn the parser's message into ours: the rule and the place, nothing out of the document."""
    reason = next((ours for theirs, ours in _REASONS if message.startswith(theirs)), "it is not JSON")
    place = _POSITION.search(message)
    if place is None:
        return reason
    line, column = int(place[1]), int(place[2])
    if _stands(b"NaN", data, line, column) or _stands(b"Infinity", data, line, column):
        reason = "NaN and Infinity are not JSON"
    return f"{reason}, at line {line} column {column}"


def _stands(word: bytes, data: bytes, line: int, column: int) -> bool:
    """Say whether a word starts at a place; lines and columns count from 1, columns in bytes."""
    start = 0
    for _ in range(line - 1):
        start = data.find(b"\n", start) + 1
    at = start + column - 1
    return data.startswith(word, at)
