"""The honest report of a conversion: what became of every field, by name and count, never by content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What became of a field."""

    KEPT = "kept"  # its meaning is all there, on the other side
    MERGED = "merged"  # it went into something that others went into too, or that was there already
    GUESSED = "guessed"  # the other side wants something the source does not say: it was supplied
    DROPPED = "dropped"  # the other side has no place for it, or it could not be read


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of thing that happened, and how often.

    :param field: the field by its name in the source format, such as ``Attribute.ip-dst.to_ids`` or
        ``Incident/Assessment/SystemImpact``; never a value.
    :param became: the STIX place it went to, such as ``indicator.pattern``, or empty.
    :param reason: why, in words for an analyst; may not quote the source.
    """

    fate: Fate
    field: str
    became: str
    reason: str
    count: int

    def to_json(self) -> dict[str, Any]:
        """Return it as it is stored with the run."""
        return {
            "fate": self.fate.value,
            "field": self.field,
            "became": self.became,
            "reason": self.reason,
            "count": self.count,
        }


@dataclass(slots=True)
class Report:
    """What a conversion did, collected while it works. Equal lines are counted, not repeated."""

    _counts: dict[tuple[Fate, str, str, str], int] = field(default_factory=dict)

    def kept(self, field: str, became: str, count: int = 1) -> None:
        """Note that a field arrived with its meaning."""
        self._add(Fate.KEPT, field, became, "", count)

    def merged(self, field: str, became: str, reason: str, count: int = 1) -> None:
        """Note that a field was joined with others."""
        self._add(Fate.MERGED, field, became, reason, count)

    def guessed(self, field: str, became: str, reason: str, count: int = 1) -> None:
        """Note that something was supplied that the source does not say."""
        self._add(Fate.GUESSED, field, became, reason, count)

    def dropped(self, field: str, reason: str, count: int = 1) -> None:
        """Note that a field did not arrive."""
        self._add(Fate.DROPPED, field, "", reason, count)

    def _add(self, fate: Fate, field: str, became: str, reason: str, count: int) -> None:
        key = (fate, field, became, reason)
        self._counts[key] = self._counts.get(key, 0) + count

    def add(self, other: Report) -> None:
        """Take in the lines of another report."""
        for (fate, name, became, reason), count in other._counts.items():
            self._add(fate, name, became, reason, count)

    @property
    def lines(self) -> list[Line]:
        """All lines: what was dropped first, then guessed, merged and kept; within each by field."""
        order = [Fate.DROPPED, Fate.GUESSED, Fate.MERGED, Fate.KEPT]
        lines = [
            Line(fate, name, became, reason, count) for (fate, name, became, reason), count in self._counts.items()
        ]
        return sorted(lines, key=lambda line: (order.index(line.fate), line.field, line.became, line.reason))

    def count(self, fate: Fate) -> int:
        """Return how often this happened."""
        return sum(count for (one, *_), count in self._counts.items() if one is fate)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"kept": n, "merged": n, "guessed": n, "dropped": n, "lines": [...]}``."""
        counts: dict[str, Any] = {fate.value: self.count(fate) for fate in Fate}
        return counts | {"lines": [line.to_json() for line in self.lines]}

    @classmethod
    def from_json(cls, lines: Iterable[Mapping[str, Any]]) -> Report:
        """Read the ``lines`` that `to_json` wrote. Raises ValueError or KeyError for anything else."""
        report = cls()
        for line in lines:
            report._add(Fate(line["fate"]), line["field"], line["became"], line["reason"], int(line["count"]))
        return report
