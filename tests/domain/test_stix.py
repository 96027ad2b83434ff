"""Facts, version keys and instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.stix import facts, instant_us, is_sco, is_timestamp, version_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))
_FRACTIONS = st.one_of(st.just(""), st.text(alphabet="0123456789", min_size=1, max_size=15))


@st.composite
def _timestamps(draw: st.DrawFn) -> tuple[str, Fraction]:
    """A timestamp and the exact rational second it names; moments lie close together, so that fractions decide."""
    moment = draw(st.one_of(_MOMENTS, st.integers(0, 2).map(lambda s: _EPOCH + timedelta(seconds=s))))
    digits = draw(_FRACTIONS)
    exact = Fraction((moment - _EPOCH) // timedelta(seconds=1))
    if digits:
        exact += Fraction(int(digits), 10 ** len(digits))
    text = moment.replace(tzinfo=None).isoformat() + (f".{digits}" if digits else "") + "Z"
    return text, exact


@given(_timestamps(), _timestamps())
def test_version_keys_sort_as_the_exact_instants_do(a: tuple[str, Fraction], b: tuple[str, Fraction]) -> None:
    left, right = version_key(a[0]).encode(), version_key(b[0]).encode()
    assert (left < right) == (a[1] < b[1])
    assert (left == right) == (a[1] == b[1])


@given(_timestamps())
def test_an_instant_is_the_exact_one_cut_to_microseconds(a: tuple[str, Fraction]) -> None:
    assert instant_us(a[0]) == (a[1] * 1_000_000) // 1


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_agrees_with_the_standard_library(moment: datetime) -> None:
    text = moment.strftime("%Y").zfill(4) + moment.strftime("-%m-%dT%H:%M:%S.%fZ")
    assert instant_us(text) == (moment - _EPOCH) // timedelta(microseconds=1)


def test_a_version_key_has_the_settled_form() -> None:
    assert version_key("2026-11-22T03:42:03.120Z") == "20261122034203.12"
    assert version_key("2026-11-22T03:42:03Z") == "20261122034203."


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2024-02-29T00:00:00Z", True),
        ("2023-02-29T00:00:00Z", False),
        ("2000-02-29T00:00:00.000Z", True),
        ("1900-02-29T00:00:00.000Z", False),
        ("2024-04-31T00:00:00Z", False),
        ("0000-01-01T00:00:00Z", False),
        ("2016-12-31T23:59:60Z", True),
        ("2016-12-31T23:58:60Z", False),
        ("2016-11-30T23:59:60Z", False),
        ("2024-01-01T24:00:00Z", False),
        ("2024-01-01T00:00:00", False),
        ("2024-01-01T00:00:00+00:00", False),
        ("2024-01-01t00:00:00z", False),
        ("2024-01-01T00:00:00Z\n", False),
        ("2024-01-01T00:00:00.Z", False),
        ("２０24-01-01T00:00:00Z", False),
        (20240101, False),
    ],
)
def test_a_timestamp_is_rfc_3339_in_utc_on_a_day_that_exists(text: object, good: bool) -> None:
    assert is_timestamp(text) is good


@pytest.mark.parametrize("function", [version_key, instant_us])
def test_what_is_no_timestamp_has_neither_key_nor_instant(function: Callable[[str], object]) -> None:
    with pytest.raises(ValueError):
        function("2024-01-01")


def test_the_facts_of_an_indicator_name_its_version_owner_markings_and_references() -> None:
    known = facts(
        {
            "type": "indicator",
            "id": "indicator--1",
            "created": "2026-01-01T00:00:00.000Z",
            "modified": "2026-01-02T00:00:00.500Z",
            "created_by_ref": "identity--1",
            "object_marking_refs": ["marking-definition--1"],
            "granular_markings": [{"marking_ref": "marking-definition--2", "selectors": ["name"]}],
            "revoked": True,
        }
    )
    assert (known.version, known.version_key) == ("2026-01-02T00:00:00.500Z", "20260102000000.5")
    assert known.created_by_ref == "identity--1"
    assert known.marking_refs == {"marking-definition--1", "marking-definition--2"}
    assert known.refs == {"identity--1", "marking-definition--1", "marking-definition--2"}
    assert known.revoked
    assert not known.is_sco


def test_references_are_found_at_any_depth() -> None:
    known = facts(
        {
            "type": "incident",
            "id": "incident--1",
            "created": "2026-01-01T00:00:00.000Z",
            "modified": "2026-01-01T00:00:00.000Z",
            "extensions": {
                "extension-definition--1": {"events": [{"event_ref": "event--1"}], "impact_refs": ["impact--1"]}
            },
        }
    )
    assert known.refs == {"event--1", "impact--1"}
    assert known.marking_refs == frozenset()


def test_a_marking_definition_has_its_creation_as_version() -> None:
    known = facts({"type": "marking-definition", "id": "marking-definition--1", "created": "2026-01-01T00:00:00.000Z"})
    assert known.version == "2026-01-01T00:00:00.000Z"
    assert not known.revoked


def test_a_cyber_observable_has_no_version() -> None:
    known = facts({"type": "url", "id": "url--1", "value": "https://example.com/"})
    assert (known.version, known.version_key, known.is_sco) == (None, None, True)


@pytest.mark.parametrize(
    ("obj", "sco"),
    [
        ({"type": "x-acme"}, True),
        ({"type": "x-acme", "created": "2026-01-01T00:00:00.000Z"}, False),
        ({"type": "x-acme", "created": "", "extensions": {"e": {"extension_type": "new-sco"}}}, True),
        ({"type": "x-acme", "extensions": {"e": {"extension_type": "new-sdo"}}}, False),
        ({"type": "relationship"}, False),
        ({"type": "language-content"}, False),
    ],
    ids=["custom-without-created", "custom-with-created", "new-sco", "new-sdo", "sro", "meta"],
)
def test_what_counts_as_a_cyber_observable(obj: dict[str, object], sco: bool) -> None:
    assert is_sco(obj) is sco
