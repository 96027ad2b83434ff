"""A parser of STIX 2.1 patterns (§9): a syntax tree, or the place and the reason of the first fault.

Recursive descent with one token of look-ahead. Only parentheses recurse and their depth is bounded, so neither the
stack nor the time can be exhausted. Messages name what was expected, never what was found.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from hub.domain import limits
from hub.domain.pattern_lexer import (
    BINARY,
    END,
    FLOAT,
    HEX,
    IDENTIFIER,
    INTEGER,
    OPERATOR,
    STRING,
    SYMBOL,
    TIMESTAMP,
    Token,
    tokens,
)
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
    Qualified,
    Qualifier,
    Repeats,
    StartStop,
    Within,
)
from hub.domain.stix import is_timestamp

_ESCAPE: Final = re.compile(r"\\(['\\])")
_LITERALS: Final = {
    STRING: LiteralKind.STRING,
    INTEGER: LiteralKind.INTEGER,
    FLOAT: LiteralKind.FLOAT,
    TIMESTAMP: LiteralKind.TIMESTAMP,
    HEX: LiteralKind.HEX,
    BINARY: LiteralKind.BINARY,
}
_TEXT_OPERATORS: Final = frozenset({"LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"})
_QUALIFIERS: Final = frozenset({"START", "WITHIN", "REPEATS"})
_SPELLINGS: Final = {"==": "=", "<>": "!="}
_OBJECT_TYPE: Final = re.compile(r"-?[a-z0-9]+(?:-[a-z0-9]+)*+-?")
_PROPERTY: Final = re.compile(r"[a-z0-9_]{3,250}|id")
_HEX_DIGITS: Final = re.compile(r"[0-9a-fA-F]*+")
_FUZZY: Final = re.compile(r"[a-zA-Z0-9/+:.]{1,128}")
_HASH_LENGTHS: Final = {
    "MD5": (32,),
    "MD6": (32, 40, 56, 64, 96, 128),
    "RIPEMD160": (40,),
    "SHA1": (40,),
    "SHA224": (56,),
    "SHA256": (64,),
    "SHA384": (96,),
    "SHA512": (128,),
    "SHA3224": (56,),
    "SHA3256": (64,),
    "SHA3384": (96,),
    "SHA3512": (128,),
    "WHIRLPOOL": (128,),
}
"""Hexadecimal digits of the digests of STIX 2.1 §10.7 and its 2.0 list, spelled without hyphens."""
_SHORT: Final = 250
"""Characters of a pattern that is judged at a glance: below the limit of every name in it."""
_KEPT: Final = 2_048
"""Characters of a pattern whose answer is kept: a few thousand of them must not fill the memory."""
_MAX_INTEGER: Final = 2**53 - 1
_MAX_INTEGER_DIGITS: Final = 17


_ORDINARY: Final = re.compile(
    r"\[ *(?!true:|false:)[a-z][a-z0-9]{2,60}+(?:-[a-z0-9]+)*+"
    r":(?!true\b|false\b|hashes\b)[a-z][a-z0-9_]{2,60}+"
    r"(?:\.(?!true\b|false\b|hashes\b)[a-z][a-z0-9_]*+)*+"
    r" *= *'[^'\\]*+' *\]"
)


class PatternFault(ValueError):
    """A pattern is not STIX: ``position`` counts characters from 0, ``reason`` has no content of the pattern."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason}, at character {position}")
        self.reason = reason
        self.position = position


def parse(text: str, *, strings_in_start_stop: bool = False) -> ObservationExpression:
    """Return the syntax tree of a pattern.

    :param strings_in_start_stop: STIX 2.0 patterns write ``START '...'`` with a string where 2.1 has a timestamp.
    Raises PatternFault.
    """
    if len(text) > limits.MAX_PATTERN_LENGTH:
        raise PatternFault(f"the pattern is longer than {limits.MAX_PATTERN_LENGTH} characters", 0)
    return _Parser(tokens(text), strings_in_start_stop).pattern()


def fault(text: str, *, strings_in_start_stop: bool = False) -> PatternFault | None:
    """Return why a pattern is not STIX, None when it is; the answers for the last few thousand patterns are kept."""
    if is_ordinary(text):
        return None
    return (_fault_kept if len(text) <= _KEPT else _fault)(text, strings_in_start_stop)


def is_ordinary(text: str) -> bool:
    """Say whether a pattern is one comparison of a property with a string, in which nothing can be at fault.

    Nine in ten published patterns are. Narrower than the grammar on purpose; a hash is left to the parser.
    """
    return len(text) <= _SHORT and _ORDINARY.fullmatch(text) is not None


def _fault(text: str, strings_in_start_stop: bool) -> PatternFault | None:
    try:
        parse(text, strings_in_start_stop=strings_in_start_stop)
    except PatternFault as found:
        return PatternFault(found.reason, found.position)  # a fresh one: a raised one would keep its stack alive
    return None


_fault_kept = lru_cache(maxsize=4096)(_fault)


class _Parser:
    def __init__(self, found: list[Token], strings_in_start_stop: bool) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._strings_in_start_stop = strings_in_start_stop

    def pattern(self) -> ObservationExpression:
        result = self._followed_by()
        if self._tokens[self._at][0] != END:
            raise self._fault("an operator, a qualifier or the end was expected")
        return result

    # observation expressions, loosest binding first

    def _followed_by(self) -> ObservationExpression:
        operands = [self._observations_or()]
        while self._take("FOLLOWEDBY"):
            operands.append(self._observations_or())
        return operands[0] if len(operands) == 1 else ObservationGroup("FOLLOWEDBY", tuple(operands))

    def _observations_or(self) -> ObservationExpression:
        operands = [self._observations_and()]
        while self._take("OR"):
            operands.append(self._observations_and())
        return operands[0] if len(operands) == 1 else ObservationGroup("OR", tuple(operands))

    def _observations_and(self) -> ObservationExpression:
        operands = [self._observation()]
        while self._take("AND"):
            operands.append(self._observation())
        return operands[0] if len(operands) == 1 else ObservationGroup("AND", tuple(operands))

    def _observation(self) -> ObservationExpression:
        inner: ObservationExpression
        grouped = False
        if self._take("["):
            inner = Observation(self._comparisons_or())
            self._expect("]", "a closing bracket or an operator")
        elif self._take("("):
            grouped = True
            self._descend()
            inner = self._followed_by()
            self._depth -= 1
            self._expect(")", "a closing parenthesis or an operator")
        else:
            raise self._fault("an observation in square brackets was expected")
        if self._tokens[self._at][1] not in _QUALIFIERS or self._tokens[self._at][0] != SYMBOL:
            return inner
        return Qualified(inner, self._qualifiers(grouped))

    def _qualifiers(self, grouped: bool) -> tuple[Qualifier, ...]:
        found: list[Qualifier] = []
        kinds: set[type] = set()
        while True:
            at = self._at
            qualifier = self._qualifier()
            if qualifier is None:
                return tuple(found)
            if not grouped and type(qualifier) in kinds:
                raise PatternFault("an observation takes each qualifier once", self._tokens[at][2])
            kinds.add(type(qualifier))
            found.append(qualifier)

    def _qualifier(self) -> Qualifier | None:
        if self._take("START"):
            start = self._moment()
            self._expect("STOP", "STOP")
            return StartStop(start, self._moment())
        if self._take("WITHIN"):
            seconds = self._positive((INTEGER, FLOAT))
            self._expect("SECONDS", "SECONDS")
            return Within(float(seconds))
        if self._take("REPEATS"):
            times = self._positive((INTEGER,))
            self._expect("TIMES", "TIMES")
            return Repeats(int(times))
        return None

    def _moment(self) -> str:
        kind, text, _ = self._tokens[self._at]
        if kind == TIMESTAMP or (kind == STRING and self._strings_in_start_stop):
            if not is_timestamp(text):
                raise self._fault("the timestamp names no real moment")
            self._at += 1
            return text
        raise self._fault("a timestamp was expected")

    def _positive(self, kinds: tuple[int, ...]) -> str:
        kind, text, _ = self._tokens[self._at]
        if kind not in kinds or text.startswith("-") or len(text) > _MAX_INTEGER_DIGITS or float(text) <= 0:
            raise self._fault("a number greater than zero was expected")
        self._at += 1
        return text

    # comparison expressions

    def _comparisons_or(self) -> ComparisonExpression:
        operands = [self._comparisons_and()]
        while self._take("OR"):
            operands.append(self._comparisons_and())
        return operands[0] if len(operands) == 1 else ComparisonGroup("OR", tuple(operands))

    def _comparisons_and(self) -> ComparisonExpression:
        operands = [self._comparison()]
        while self._take("AND"):
            operands.append(self._comparison())
        return operands[0] if len(operands) == 1 else ComparisonGroup("AND", tuple(operands))

    def _comparison(self) -> ComparisonExpression:
        if self._take("("):
            self._descend()
            inner = self._comparisons_or()
            self._depth -= 1
            self._expect(")", "a closing parenthesis or an operator")
            return inner
        if self._take("EXISTS"):
            return Comparison(self._path(), "EXISTS", False, None)
        path = self._path()
        negated = self._take("NOT")
        kind, text, _ = self._tokens[self._at]
        if kind == OPERATOR:
            self._at += 1
            operator = _SPELLINGS.get(text, text)
            equality = operator in ("=", "!=")
            return Comparison(path, operator, negated, self._literal(path, booleans=equality, checked=equality))
        if kind == SYMBOL and text in _TEXT_OPERATORS:
            self._at += 1
            if self._tokens[self._at][0] != STRING:
                raise self._fault("a string was expected")
            return Comparison(path, text, negated, self._literal(path, booleans=False, checked=False))
        if self._take("IN"):
            return Comparison(path, "IN", negated, self._set(path))
        raise self._fault("a comparison operator was expected")

    def _set(self, path: ObjectPath) -> tuple[Literal, ...]:
        self._expect("(", "an opening parenthesis")
        if self._take(")"):
            return ()
        values = [self._literal(path, booleans=True, checked=True)]
        while self._take(","):
            values.append(self._literal(path, booleans=True, checked=True))
        self._expect(")", "a comma or a closing parenthesis")
        return tuple(values)

    def _literal(self, path: ObjectPath, *, booleans: bool, checked: bool) -> Literal:
        """Take one constant; ``checked`` ones must be whole hash values where the path names a hash."""
        kind, text, _ = self._tokens[self._at]
        literal: Literal
        if kind == STRING:
            value = _ESCAPE.sub(r"\1", text) if "\\" in text else text
            if checked and "hashes" in path.steps and not _is_hash(path.steps[-1], value):
                raise self._fault("the hash value does not have the form of its algorithm")
            literal = Literal(LiteralKind.STRING, value)
        elif kind == SYMBOL and booleans and text in ("true", "false"):
            literal = Literal(LiteralKind.BOOLEAN, text == "true")
        elif kind == INTEGER:
            literal = Literal(LiteralKind.INTEGER, self._integer(text))
        elif kind == FLOAT:
            literal = Literal(LiteralKind.FLOAT, float(text))
        elif kind in _LITERALS:
            if kind == TIMESTAMP and not is_timestamp(text):
                raise self._fault("the timestamp names no real moment")
            literal = Literal(_LITERALS[kind], text)
        else:
            raise self._fault("a constant was expected")
        self._at += 1
        return literal

    def _integer(self, text: str) -> int:
        if len(text) > _MAX_INTEGER_DIGITS or abs(int(text)) > _MAX_INTEGER:
            raise self._fault("the integer is beyond 53 bits")
        return int(text)

    def _path(self) -> ObjectPath:
        kind, object_type, _ = self._tokens[self._at]
        if kind != IDENTIFIER:
            raise self._fault("an object path was expected")
        if not 3 <= len(object_type) <= 250 or _OBJECT_TYPE.fullmatch(object_type) is None:
            raise self._fault("the object type does not have the form of a type name")
        self._at += 1
        self._expect(":", "a colon behind the object type")
        first = self._key()
        if _PROPERTY.fullmatch(first) is None:
            self._at -= 1
            raise self._fault("the property does not have the form of a property name")
        steps: list[str | int] = [first]
        while True:
            if self._take("."):
                steps.append(self._key())
            elif self._take("["):
                steps.append(self._index())
                self._expect("]", "a closing bracket behind the index")
            else:
                return ObjectPath(object_type, tuple(steps))

    def _key(self) -> str:
        kind, text, _ = self._tokens[self._at]
        if kind == STRING:
            self._at += 1
            return _ESCAPE.sub(r"\1", text)
        if kind == IDENTIFIER and "-" not in text:
            self._at += 1
            return text
        raise self._fault("a property name was expected; quote names with hyphens")

    def _index(self) -> str | int:
        if self._take("*"):
            return ANY
        kind, text, _ = self._tokens[self._at]
        if kind != INTEGER:
            raise self._fault("a list index or an asterisk was expected")
        index = self._integer(text)
        self._at += 1
        return index

    # tokens

    def _take(self, symbol: str) -> bool:
        kind, text, _ = self._tokens[self._at]
        if text == symbol and kind == SYMBOL:
            self._at += 1
            return True
        return False

    def _expect(self, symbol: str, name: str) -> None:
        if not self._take(symbol):
            raise self._fault(f"{name} was expected")

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > limits.MAX_PATTERN_DEPTH:
            raise self._fault(f"more than {limits.MAX_PATTERN_DEPTH} nested parentheses")

    def _fault(self, reason: str) -> PatternFault:
        return PatternFault(reason, self._tokens[self._at][2])


def _is_hash(name: str | int, value: str) -> bool:
    """Say whether a value has the form of the digest that the last step of its path names; others are not known."""
    if name is ANY or isinstance(name, int):
        return True
    algorithm = name.upper().replace("-", "")
    if algorithm == "SSDEEP":
        return _FUZZY.fullmatch(value) is not None
    lengths = _HASH_LENGTHS.get(algorithm)
    return lengths is None or (len(value) in lengths and _HEX_DIGITS.fullmatch(value) is not None)
