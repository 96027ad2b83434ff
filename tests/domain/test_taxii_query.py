"""Query strings: what each endpoint takes, what is malformed, what is ignored (TAXII 2.1 §3.4)."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import limits
from hub.domain.stix import version_key
from hub.domain.taxii import VersionMatch
from hub.domain.taxii_query import TAKEN, Asked, Endpoint, Filters, parse_query
from hub.domain.taxii_time import parse_timestamp
from hub.errors import InvalidRequest

STAMP = "2020-01-01T00:00:00.123Z"
READING = (Endpoint.MANIFEST, Endpoint.OBJECTS, Endpoint.OBJECT, Endpoint.VERSIONS)
INDICATOR = "indicator--11111111-1111-4111-8111-111111111111"


def read(raw: str, endpoint: Endpoint = Endpoint.OBJECTS) -> Asked:
    return parse_query(raw, endpoint)


def test_no_query_string_asks_for_the_defaults() -> None:
    assert read("") == Asked(Filters(), None, None)


@pytest.mark.parametrize(
    ("raw", "filters"),
    [
        pytest.param(f"added_after={STAMP}", Filters(added_after=parse_timestamp(STAMP)), id="added_after"),
        pytest.param(f"match[id]={INDICATOR}", Filters(ids=(INDICATOR,)), id="id"),
        pytest.param("match[type]=malware,indicator", Filters(types=("indicator", "malware")), id="types sorted"),
        pytest.param("match[type]=tool,tool", Filters(types=("tool",)), id="same type twice"),
        pytest.param("match[type]=x-made-up", Filters(types=("x-made-up",)), id="custom type"),
        pytest.param("match%5Btype%5D=malware%2Ctool", Filters(types=("malware", "tool")), id="percent-encoded"),
        pytest.param("match[spec_version]=2.0,2.1", Filters(spec_versions=("2.0", "2.1")), id="spec versions"),
        pytest.param("match[version]=last", Filters(versions=VersionMatch()), id="last"),
        pytest.param("match[version]=first", Filters(versions=VersionMatch(last=False, first=True)), id="first"),
        pytest.param("match[version]=all", Filters(versions=VersionMatch(last=False, all=True)), id="all"),
        pytest.param(
            f"match[version]=first,{STAMP},last",
            Filters(versions=VersionMatch(first=True, exact=frozenset({version_key(STAMP)}))),
            id="first, one exact and last",
        ),
    ],
)
def test_a_filter_is_read(raw: str, filters: Filters) -> None:
    assert read(raw).filters == filters


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("added_after=yesterday", "added_after"),
        ("added_after=", "added_after"),
        (f"added_after={STAMP},{STAMP}", "added_after"),
        (f"added_after={STAMP}&added_after={STAMP}", "added_after"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=abc", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=٣", "limit"),
        ("limit=1&limit=1", "limit"),
        ("next=a&next=b", "next"),
        ("match[type]=a&match[type]=b", "match[type]"),
        ("match[type]=a&match%5Btype%5D=a", "match[type]"),
        ("match[nonsense]=a&match[nonsense]=b", "match"),
        ("match[type]=", "match[type]"),
        ("match[type]=a,,b", "match[type]"),
        ("match[type]=a, b", "match[type]"),
        ("match[id]=a%00b", "match[id]"),
        ("match[id]=é", "match[id]"),
        ("match[version]=garbage", "match[version]"),
        ("match[version]=2020-02-30T00:00:00.000Z", "match[version]"),
        ("match[version]=all,last", "match[version]"),
        (f"match[version]=all,{STAMP}", "match[version]"),
        ("match[version]=last,last", "match[version]"),
        (f"match[version]={STAMP},{STAMP}", "match[version]"),
        ("match[version]=2020-01-01T00:00:00.1Z,2020-01-01T00:00:00.100Z", "match[version]"),
        ("match[spec_version]=two", "match[spec_version]"),
        ("match[type]=" + ",".join(f"t{n}" for n in range(limits.MAX_QUERY_VALUES + 1)), "match[type]"),
        ("match[type]=%ff", None),
        ("&".join(f"p{n}=1" for n in range(limits.MAX_QUERY_PARAMETERS + 1)), None),
    ],
)
def test_a_malformed_parameter_is_refused_by_name(raw: str, field: str | None) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read(raw)
    assert refusal.value.field == field
    assert "garbage" not in refusal.value.detail


@pytest.mark.parametrize(
    "raw",
    [
        "_=1700000000",
        "_=1&_=2",
        "match[nonsense]=1",
        "match[confidence-gte]=50",
        "added-after=2020-01-01T00:00:00Z",
        "LIMIT=0",
        "next=",
        "match[=x",
        "&&&",
        "=",
    ],
)
def test_what_taxii_does_not_know_is_ignored(raw: str) -> None:
    assert read(raw) == Asked()


@pytest.mark.parametrize("endpoint", READING, ids=str)
def test_an_endpoint_takes_the_parameters_of_its_table_and_ignores_the_others(endpoint: Endpoint) -> None:
    values = {
        "added_after": STAMP,
        "limit": "7",
        "next": "token",
        "match[id]": INDICATOR,
        "match[type]": "indicator",
        "match[version]": "all",
        "match[spec_version]": "2.1",
    }
    asked = read("&".join(f"{name}={value}" for name, value in values.items()), endpoint)
    taken = TAKEN[endpoint]
    assert (asked.filters.added_after is not None) == ("added_after" in taken)
    assert (asked.limit == 7) == ("limit" in taken)
    assert (asked.next == "token") == ("next" in taken)
    assert (asked.filters.ids is not None) == ("match[id]" in taken)
    assert (asked.filters.types is not None) == ("match[type]" in taken)
    assert (asked.filters.versions is not None) == ("match[version]" in taken)
    assert (asked.filters.spec_versions is not None) == ("match[spec_version]" in taken)


@pytest.mark.parametrize("name", ["added_after", "limit", "next", "match[id]", "match[type]", "match[vresion]"])
def test_delete_refuses_a_filter_it_would_have_to_ignore(name: str) -> None:
    with pytest.raises(InvalidRequest):
        read(f"{name}=1", Endpoint.DELETE)


def test_delete_takes_versions_and_ignores_what_is_not_taxii() -> None:
    asked = read("match[version]=first&match[spec_version]=2.1&_=1", Endpoint.DELETE)
    assert asked.filters == Filters(versions=VersionMatch(last=False, first=True), spec_versions=("2.1",))


@pytest.mark.parametrize(
    ("text", "limit"),
    [("1", 1), ("007", 7), ("5000", 5000), ("5001", 5000), ("9" * 5000, 5000)],
    ids=["one", "leading zeros", "the maximum", "above", "absurd"],
)
def test_a_large_limit_is_bounded_not_refused(text: str, limit: int) -> None:
    assert read(f"limit={text}").limit == limit == min(limit, limits.PAGE_OBJECTS_MAX)


def test_a_raw_plus_in_an_offset_is_understood() -> None:
    assert read("added_after=2020-01-01T02:00:00+02:00").filters.added_after == parse_timestamp("2020-01-01T00:00:00Z")


@given(st.text(max_size=200), st.sampled_from(Endpoint))
def test_any_query_string_is_read_or_refused(raw: str, endpoint: Endpoint) -> None:
    try:
        read(raw, endpoint)
    except InvalidRequest:
        return


PIECES = st.sampled_from(
    [*sorted(TAKEN[Endpoint.OBJECTS]), "&", "=", ",", "[", "]", "%", "+", STAMP, "all", "last", "1", "match"]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(Endpoint))
def test_any_jumble_of_real_pieces_is_read_or_refused(raw: str, endpoint: Endpoint) -> None:
    named: str | None = None
    try:
        read(raw, endpoint)
    except InvalidRequest as refusal:
        named = refusal.field
    assert named is None or named in TAKEN[Endpoint.OBJECTS] | {"match"}


WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1, max_size=20)


@given(st.lists(WORD, min_size=1, max_size=5))
def test_values_come_back_as_they_were_sent(words: list[str]) -> None:
    raw = "match[type]=" + ",".join(quote(word, safe="") for word in words)
    assert read(raw).filters.types == tuple(sorted(set(words)))
