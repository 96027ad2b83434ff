"""What a reader was given, as ranges of dates: which versions a range proves as served, and when two ranges are one.

A page without filters holds everything its reader could see that was dated after its lower bound, up to the date of its
last object. So a feed that is read to its end is one range, however many objects it has; only what was asked for one by
one is a range of its own, of a single date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from hub.domain import limits

How: TypeAlias = Literal["page", "versions", "object", "push", "presumed"]
"""``page``: the latest versions in the range. ``versions``: every version in it. ``object``: exactly what the range
holds. ``push``: the same, sent by the hub. ``presumed``: he could have read it before he lost the right to."""

Proof: TypeAlias = Literal["served", "served-this-or-later", "presumed", "superseded"]
"""``served-this-or-later``: the range was read about when the version was replaced, or its permission ended, so that it
may have been the later one. ``superseded``: the range was read after that, so it was only the later one."""

STRENGTH: Final[tuple[Proof, ...]] = ("served", "served-this-or-later", "presumed", "superseded")
"""From the strongest to the weakest."""

_EXACT: Final = frozenset({"object", "push"})


@dataclass(frozen=True, slots=True)
class ServedRange:
    """Everything its reader could see that was dated after ``after`` and up to ``upto`` was given to him.

    :param types: only these; None is every type.
    :param first_at: no part of it was given earlier. :param last_at: nor later. Microseconds since the epoch.
    """

    after: int
    upto: int
    how: How
    types: frozenset[str] | None
    first_at: int
    last_at: int

    def covers(self, date_added: int, stix_type: str) -> bool:
        """Say whether a version of this date and type lies in the range."""
        return self.after < date_added <= self.upto and (self.types is None or stix_type in self.types)


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """What decides whether a range proves that a version was served. Times are microseconds since the epoch.

    :param superseded_at: date of the latest version that replaced it, None while it is the latest.
    """

    date_added: int
    type: str
    superseded_at: int | None = None
    expires_at: int | None = None


def proof(served: ServedRange, version: ServedVersion) -> Proof | None:
    """Return what a range proves of a version that its reader may see; None when it proves nothing.

    ``served`` is never said of a version that was not: dates may run ahead of the clock, and clocks of several machines
    differ, so whatever happened within `limits.CLOCK_DOUBT_US` of the reading counts as doubtful.
    """
    if not served.covers(version.date_added, version.type):
        return None
    if served.how == "presumed":
        return "presumed"
    if served.how in _EXACT:
        return "served"
    ended = _doubt(served, version.expires_at)
    if ended == "before":
        return None
    if served.how == "page":
        replaced = _doubt(served, version.superseded_at)
        # What came out of order, after the version that replaces it, is still on the page of those who ask from a place
        # between the two (TAXII 2.1 §3.4.1).
        in_order = version.superseded_at is not None and version.superseded_at > version.date_added
        if replaced == "before" and in_order:
            return "superseded"
        if replaced != "after":
            return "served-this-or-later"
    return "served" if ended == "after" else "served-this-or-later"


def _doubt(served: ServedRange, event: int | None) -> Literal["before", "about", "after"]:
    """Return when an event was, seen from the reading."""
    if event is None or event > served.last_at + limits.CLOCK_DOUBT_US:
        return "after"
    return "before" if event + limits.CLOCK_DOUBT_US < served.first_at else "about"


def strongest(proofs: Iterable[Proof | None]) -> Proof | None:
    """Return the strongest of several proofs, None when there is none."""
    return min((one for one in proofs if one is not None), key=STRENGTH.index, default=None)


def merged(ranges: Iterable[ServedRange], window_us: int) -> list[ServedRange]:
    """Return the ranges with those that touch or overlap made one, in the order of their lower bound.

    Only ranges of one kind become one, and only while what results was read within ``window_us``: a range says no more
    exactly when something was read. What was given one by one and is given again is the same range, whenever that is.
    The ranges together cover what they covered before, and say ``served`` of nothing they did not say it of before.
    """
    done: list[ServedRange] = []
    kinds: dict[tuple[How, frozenset[str] | None], list[ServedRange]] = {}
    for one in ranges:
        kinds.setdefault((one.how, one.types), []).append(one)
    for kind in kinds.values():
        reachable: list[ServedRange] = []  # those that a further range, which begins no earlier, can still touch
        for one in sorted(kind, key=lambda each: (each.after, each.first_at)):
            done += [each for each in reachable if each.upto < one.after]
            reachable = [each for each in reachable if each.upto >= one.after]
            place = next((place for place, each in enumerate(reachable) if _joins(each, one, window_us)), None)
            if place is None:
                reachable.append(one)
            else:
                reachable[place] = _joined(reachable[place], one)
        done += reachable
    return sorted(done, key=lambda each: (each.after, each.upto, each.first_at))


def _joins(one: ServedRange, other: ServedRange, window_us: int) -> bool:
    if one.how in _EXACT and (one.after, one.upto) == (other.after, other.upto):
        return True
    joined = _joined(one, other)
    return joined.last_at - joined.first_at <= window_us


def _joined(one: ServedRange, other: ServedRange) -> ServedRange:
    return replace(
        one,
        after=min(one.after, other.after),
        upto=max(one.upto, other.upto),
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )
