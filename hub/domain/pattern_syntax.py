"""The syntax tree of a STIX 2.1 pattern (§9): what exporters and matchers read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias


class LiteralKind(StrEnum):
    """The types a pattern literal can have (STIX 2.1 §9.2)."""

    BINARY = "binary"  # base64 text as written
    BOOLEAN = "boolean"
    FLOAT = "float"
    HEX = "hex"  # hexadecimal text as written
    INTEGER = "integer"
    STRING = "string"  # escapes undone
    TIMESTAMP = "timestamp"  # RFC 3339 text as written


@dataclass(frozen=True, slots=True)
class Literal:
    """One constant of a pattern."""

    kind: LiteralKind
    value: str | int | float | bool


class AnyIndex(StrEnum):
    """The list index ``[*]``."""

    ANY = "*"


ANY: Final = AnyIndex.ANY


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """``type:step.step[index]``: a str step is a property or key, an int an index, ``ANY`` any index (§9.7).

    ``AnyIndex`` is a str too: compare with ``is ANY`` first.
    """

    object_type: str
    steps: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator value``; ``value`` is a tuple for IN and None for EXISTS.

    :param operator: ``=`` ``!=`` ``<`` ``<=`` ``>`` ``>=`` ``IN`` ``LIKE`` ``MATCHES`` ``ISSUBSET`` ``ISSUPERSET``
        ``EXISTS``; ``==`` and ``<>`` are given as ``=`` and ``!=``.
    """

    path: ObjectPath
    operator: str
    negated: bool
    value: Literal | tuple[Literal, ...] | None


@dataclass(frozen=True, slots=True)
class ComparisonGroup:
    """Two or more comparisons joined by one operator, ``AND`` or ``OR``."""

    operator: str
    operands: tuple[ComparisonExpression, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """``[ comparison ]``."""

    comparison: ComparisonExpression


@dataclass(frozen=True, slots=True)
class ObservationGroup:
    """Two or more observations joined by one operator, ``AND``, ``OR`` or ``FOLLOWEDBY``."""

    operator: str
    operands: tuple[ObservationExpression, ...]


@dataclass(frozen=True, slots=True)
class StartStop:
    """``START t'...' STOP t'...'``: timestamps as written."""

    start: str
    stop: str


@dataclass(frozen=True, slots=True)
class Within:
    """``WITHIN n SECONDS``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeats:
    """``REPEATS n TIMES``."""

    times: int


@dataclass(frozen=True, slots=True)
class Qualified:
    """An observation expression and the qualifiers behind it, in their order."""

    observation: ObservationExpression
    qualifiers: tuple[Qualifier, ...]


Qualifier: TypeAlias = StartStop | Within | Repeats
ComparisonExpression: TypeAlias = Comparison | ComparisonGroup
ObservationExpression: TypeAlias = Observation | ObservationGroup | Qualified
