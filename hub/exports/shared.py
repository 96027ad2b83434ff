"""What an export is made of: the objects its reader may see, and what is known of each; and the account of what became
of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.domain import tlp
from hub.domain.tlp import Level

PAP: Final = "pap"
WARNING_LIST: Final = "warning list "
"""Begins the reason of what a warning list keeps out; its name follows."""


@dataclass(slots=True)
class Shared:
    """One object that its reader may see, as it is stored.

    :param level: its TLP as it was decided when it was published. :param given: set once it, or what it says, is in the
        export: that is what the reader was served.
    """

    body: bytes
    level: str
    given: bool = False


@dataclass(slots=True)
class Account:
    """What became of the objects, filled while an export is written; complete once it is.

    :param entries: lines, rules, records: what the format counts. :param left_out: why others are not among them.
    :param levels: of what was given. :param next_change: earliest time after ``now`` at which the same objects would
        make another export, microseconds; None for never.
    """

    entries: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    levels: set[str] = field(default_factory=set)
    next_change: int | None = None

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Count what is left out."""
        self.left_out[reason] += count

    def give(self, shared: Shared) -> None:
        """Note that this object, or what it says, is in the export."""
        shared.given = True
        self.levels.add(shared.level)

    def changes_at(self, when: int) -> None:
        """Note a later time at which something begins or ends to be in the export."""
        if self.next_change is None or when < self.next_change:
            self.next_change = when

    @property
    def level(self) -> Level:
        """The strictest TLP level of what was given; clear for nothing."""
        known = [level for level in tlp.LEVELS if level in self.levels]
        return known[-1] if known else "clear"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the objects come from and for whom; names only, which the hub has checked.

    :param place: ``group/collection``, or ``group`` for all of its collections. :param now: microseconds.
    :param uuid: a new one, for formats whose documents have an id.
    :param definitions: the marking-definitions among the objects, by id.
    """

    peer: str
    place: str
    now: int
    uuid: str
    definitions: Mapping[str, Mapping[str, Any]]


Objects = Iterable[Shared]
