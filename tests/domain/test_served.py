"""Ranges of what was served: a model says what each answer held, and the ledger never says more and misses nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import limits
from hub.domain.served import How, ServedRange, ServedVersion, merged, proof, strongest

SECOND = 1_000_000
DOUBT = limits.CLOCK_DOUBT_US
TYPES = ("incident", "indicator")


def ranged(after: int, upto: int, at: int = 0, **more: object) -> ServedRange:
    return replace(ServedRange(after, upto, "page", None, at, at), **more)  # type: ignore[arg-type]  # one field a test


@dataclass(frozen=True)
class Reading:
    """One answer: at a moment, of what lies after a place, cut off at a limit, through a filter."""

    at: int
    after: int
    limit: int
    types: frozenset[str] | None
    every: bool


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[ServedVersion], list[Reading]]:
    """Return versions in the order of their dates, and readings at any time; times are spread around the doubt."""
    dates = sorted(draw(st.sets(st.integers(1, 12), min_size=1, max_size=6)))
    versions = []
    for place, date in enumerate(dates):
        replaced = draw(st.one_of(st.none(), st.sampled_from(dates[place + 1 :]))) if dates[place + 1 :] else None
        expires = draw(st.one_of(st.none(), st.integers(date + 1, 16)))
        versions.append(
            ServedVersion(
                date * 2 * SECOND,
                draw(st.sampled_from(TYPES)),
                None if replaced is None else replaced * 2 * SECOND,
                None if expires is None else expires * 2 * SECOND,
            )
        )
    readings = draw(
        st.lists(
            st.builds(
                Reading,
                at=st.integers(1, 20).map(lambda n: n * 2 * SECOND),
                after=st.sampled_from([0, *(date * 2 * SECOND for date in dates)]),
                limit=st.integers(1, 4),
                types=st.sampled_from([None, frozenset({"incident"})]),
                every=st.booleans(),
            ),
            max_size=6,
        )
    )
    return versions, readings


def answer(versions: list[ServedVersion], reading: Reading, skew: int = 0) -> list[ServedVersion]:
    """Return what the hub answers; it commits what is dated up to ``skew`` ahead of its clock."""
    now = reading.at
    there = [
        one
        for one in versions
        if reading.after < one.date_added <= now + skew
        and (reading.types is None or one.type in reading.types)
        and (one.expires_at is None or one.expires_at > now)
        and (reading.every or one.superseded_at is None or one.superseded_at > now + skew)
    ]
    return there[: reading.limit]


def noted(reading: Reading, held: list[ServedVersion]) -> list[ServedRange]:
    """Return what the ledger notes of an answer; nothing of an empty one."""
    how: How = "versions" if reading.every else "page"
    if not held:
        return []
    return [ServedRange(reading.after, held[-1].date_added, how, reading.types, reading.at, reading.at)]


@given(histories(), st.sampled_from([0, DOUBT, 3600 * SECOND]), st.sampled_from([-DOUBT // 2, 0, DOUBT // 2]))
def test_the_ledger_says_served_only_of_what_was_and_misses_nothing_that_was(
    history: tuple[list[ServedVersion], list[Reading]], window: int, skew: int
) -> None:
    versions, readings = history
    truly: set[ServedVersion] = set()
    ranges: list[ServedRange] = []
    for reading in readings:
        held = answer(versions, reading, skew)
        truly |= set(held)
        ranges = merged([*ranges, *noted(reading, held)], window)
    for version in versions:
        said = strongest(proof(one, version) for one in ranges)
        if version in truly:
            assert said in ("served", "served-this-or-later")
            assert any(one.covers(version.date_added, version.type) for one in ranges)
        elif said is not None:
            assert said != "served"


@given(histories())
def test_merging_keeps_what_is_covered_and_its_times(history: tuple[list[ServedVersion], list[Reading]]) -> None:
    versions, readings = history
    apart = [one for reading in readings for one in noted(reading, answer(versions, reading))]
    together = merged(apart, 10 * SECOND)
    for one in apart:
        assert any(
            (each.how, each.types) == (one.how, one.types)
            and each.after <= one.after
            and one.upto <= each.upto
            and each.first_at <= one.first_at
            and one.last_at <= each.last_at
            for each in together
        )
    for each in together:
        kind = [one for one in apart if (one.how, one.types) == (each.how, each.types)]
        dates = {date for one in kind for date in range(one.after + 1, one.upto + 1, SECOND)}
        assert set(range(each.after + 1, each.upto + 1, SECOND)) <= dates
        assert each.last_at - each.first_at <= 10 * SECOND


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        pytest.param([ranged(0, 5), ranged(5, 9)], [ranged(0, 9)], id="adjoining"),
        pytest.param([ranged(0, 7), ranged(5, 9)], [ranged(0, 9)], id="overlapping"),
        pytest.param([ranged(0, 9), ranged(2, 3)], [ranged(0, 9)], id="inside"),
        pytest.param([ranged(0, 5), ranged(6, 9)], [ranged(0, 5), ranged(6, 9)], id="a date between them"),
        pytest.param(
            [ranged(0, 5), ranged(5, 9, types=frozenset({"incident"}))],
            [ranged(0, 5), ranged(5, 9, types=frozenset({"incident"}))],
            id="other filters",
        ),
        pytest.param(
            [ranged(0, 5), ranged(5, 9, how="object")], [ranged(0, 5), ranged(5, 9, how="object")], id="other kinds"
        ),
        pytest.param([ranged(0, 5, 1), ranged(5, 9, 102)], [ranged(0, 5, 1), ranged(5, 9, 102)], id="long apart"),
        pytest.param(
            [ranged(4, 5, 1, how="object"), ranged(4, 5, 999, how="object")],
            [ranged(4, 5, 1, how="object", last_at=999)],
            id="the same object long apart",
        ),
    ],
)
def test_ranges_become_one_when_they_touch(ranges: list[ServedRange], expected: list[ServedRange]) -> None:
    assert merged(ranges, 100) == expected
    assert merged(reversed(ranges), 100) == expected


@pytest.mark.parametrize(
    ("served", "version", "expected"),
    [
        pytest.param(ranged(0, 5), ServedVersion(5, "incident"), "served", id="its last date"),
        pytest.param(ranged(5, 9), ServedVersion(5, "incident"), None, id="its lower bound is outside"),
        pytest.param(ranged(0, 5, types=frozenset({"tool"})), ServedVersion(5, "incident"), None, id="another type"),
        pytest.param(
            ranged(0, 5, 90 * SECOND), ServedVersion(5, "incident", 60 * SECOND), "superseded", id="replaced before"
        ),
        pytest.param(ranged(0, 5, 30 * SECOND), ServedVersion(5, "incident", 60 * SECOND), "served", id="and after"),
        pytest.param(
            ranged(0, 5, 30 * SECOND, last_at=90 * SECOND),
            ServedVersion(5, "incident", 60 * SECOND),
            "served-this-or-later",
            id="and while it was read",
        ),
        pytest.param(
            ranged(0, 5 * SECOND, 90 * SECOND),
            ServedVersion(5 * SECOND, "incident", 4 * SECOND),
            "served-this-or-later",
            id="replaced before it came",
        ),
        pytest.param(
            ranged(0, 5, 90 * SECOND, how="versions"),
            ServedVersion(5, "incident", 60 * SECOND),
            "served",
            id="every one",
        ),
        pytest.param(ranged(0, 5, 90 * SECOND), ServedVersion(5, "incident", None, 60 * SECOND), None, id="expired"),
        pytest.param(
            ranged(4, 5, 90 * SECOND, how="object"), ServedVersion(5, "incident", 60 * SECOND), "served", id="by its id"
        ),
        pytest.param(ranged(0, 5, how="presumed"), ServedVersion(5, "incident"), "presumed", id="presumed"),
    ],
)
def test_what_a_range_proves(served: ServedRange, version: ServedVersion, expected: str | None) -> None:
    assert proof(served, version) == expected
