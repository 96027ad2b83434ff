"""TAXII timestamps: six digits and Z out, every RFC 3339 form in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.taxii_time import format_timestamp, parse_timestamp

BASE = 1_577_836_800_000_000  # 2020-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("text", "us"),
    [
        pytest.param("2020-01-01T00:00:00.000000Z", BASE, id="the form of the standard"),
        pytest.param("2020-01-01T00:00:00Z", BASE, id="no fraction"),
        pytest.param("2020-01-01T00:00:00.5Z", BASE + 500_000, id="one digit"),
        pytest.param("2020-01-01T00:00:00.123Z", BASE + 123_000, id="milliseconds"),
        pytest.param("2020-01-01T00:00:00.12345Z", BASE + 123_450, id="five digits"),
        pytest.param("2020-01-01T00:00:00.1234569Z", BASE + 123_456, id="seven digits are cut"),
        pytest.param("2020-01-01T00:00:00.999999999999Z", BASE + 999_999, id="twelve digits are cut, not rounded"),
        pytest.param("2020-01-01T00:00:00+00:00", BASE, id="offset zero"),
        pytest.param("2020-01-01T00:00:00 00:00", BASE, id="a raw plus that became a space"),
        pytest.param("2020-01-01T02:00:00 02:00", BASE, id="a raw plus that became a space, two hours"),
        pytest.param("2020-01-01T02:30:00+02:30", BASE, id="offset east"),
        pytest.param("2019-12-31T19:00:00-05:00", BASE, id="offset west"),
        pytest.param("2020-01-01t00:00:00z", BASE, id="lower case"),
        pytest.param("2020-01-01 00:00:00Z", BASE, id="space between date and time"),
        pytest.param("2019-12-31T23:59:60Z", BASE - 1, id="leap second errs downwards"),
        pytest.param("2019-12-31T23:59:59.999999Z", BASE - 1, id="the last microsecond"),
        pytest.param("1969-12-31T23:59:59.999999Z", -1, id="before the epoch"),
    ],
)
def test_every_rfc_3339_form_is_read(text: str, us: int) -> None:
    assert parse_timestamp(text) == us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "undefined",
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00Z",
        "2020-13-01T00:00:00Z",
        "2020-02-30T00:00:00Z",
        "2020-01-01T24:00:00Z",
        "2020-01-01T00:00:61Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00+00:60",
        "2020-01-01T00:00:00+0000",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00Z",
        "٢٠٢٠-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z\n",
        "1577836800",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_survives_the_round_trip(moment: datetime) -> None:
    us = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    text = format_timestamp(us)
    assert len(text) == 27
    assert text.endswith("Z")
    assert parse_timestamp(text) == us


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        us = parse_timestamp(text)
    except ValueError:
        return
    assert parse_timestamp(format_timestamp(us)) == us
