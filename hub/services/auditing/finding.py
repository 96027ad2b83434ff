"""One thing that is wrong with what a hub has stored, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored value that contradicts what it should follow from.

    :param code: dotted and stable, such as ``entry.bytes``: what kind of contradiction it is.
    :param place: table and column of the value, such as ``entry.audience_id``; the table alone where a row is lacking.
    :param row: which row, in words for the operator.
    :param text: what is wrong, and with what it was compared.
    """

    code: str
    place: str
    row: str
    text: str


Findings: TypeAlias = Iterator[Finding]
Unverifiable: TypeAlias = Callable[[str], None]
"""Called with the reason for each thing that is neither right nor wrong because what it depended on is gone."""
