"""Accept and Content-Type: generous in, exact out (TAXII 2.1 §3.1; RFC 9110 §12.5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.media_type import TAXII, MediaRange, accepts_taxii, is_envelope_type, parse_media_ranges


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "   ",
        TAXII,
        "application/taxii+json",
        "application/taxii+json; version=2.1",
        "application/taxii+json ;version = 2.1",
        'application/taxii+json;version="2.1"',
        'application/taxii+json;version="2\\.1"',
        "Application/TAXII+JSON;Version=2.1",
        "application/taxii+json;version=2.1;q=0.1",
        "application/taxii+json;version=2.1;charset=utf-8",
        "application/taxii+json;charset=utf-8",
        "application/taxii+json;version=2",
        "application/taxii+json;version=2.0, application/taxii+json;version=2.1",
        "text/html,application/taxii+json;q=0.5",
        "application/taxii+json;version=2.1,application/stix+json;version=2.1",
        "application/taxii+json;version=2.1;q=0",
        "application/vnd.oasis.taxii+json",
        "application/json",
        "application/json, text/plain, */*",
        "*/*",
        "*/*;q=0.001",
        "application/*",
        "garbage,,;;, application/taxii+json",
    ],
)
def test_an_answer_is_given_to_whoever_can_mean_taxii(header: str | None) -> None:
    assert accepts_taxii(header)


@pytest.mark.parametrize(
    "header",
    [
        "text/html",
        "application/xml",
        "application/taxii+json;version=2.0",
        "application/taxii+json;version=3.0",
        "application/taxii+json;version=",
        "application/vnd.oasis.taxii+json; version=2.0",
        "application/stix+json;version=2.1",
        "application/problem+json",
        "*/*;q=0",
        "application/json;q=0.0",
        "text/*",
        '"application/taxii+json"',
        "garbage",
        ",",
    ],
)
def test_a_real_mismatch_is_not_accepted(header: str) -> None:
    assert not accepts_taxii(header)


def test_the_manifest_also_defines_the_stix_media_type() -> None:
    assert accepts_taxii("application/stix+json;version=2.1", manifest=True)
    assert not accepts_taxii("application/stix+json;version=2.0", manifest=True)


@pytest.mark.parametrize(
    "header",
    [
        TAXII,
        "application/taxii+json",
        "application/taxii+json; version=2.1",
        'APPLICATION/taxii+json;VERSION="2.1"; charset=UTF-8',
        "application/vnd.oasis.taxii+json",
        "application/stix+json",
        "application/stix+json;version=2.1",
        "application/vnd.oasis.stix+json",
        "application/vnd.oasis.stix+json; version=2.1",
        "application/json",
        "application/json; charset=utf-8",
    ],
)
def test_a_body_that_may_hold_an_envelope_is_taken(header: str) -> None:
    assert is_envelope_type(header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/taxii+json;version=2.0",
        "application/stix+json;version=2.0",
        "application/json, application/json",
        "*/*",
        "garbage",
    ],
)
def test_a_body_of_another_kind_is_not_taken(header: str | None) -> None:
    assert not is_envelope_type(header)


def test_quotes_hide_commas_and_semicolons() -> None:
    assert parse_media_ranges('a/b;x="1,2;3";q=0.5, c/d') == [
        MediaRange("a/b", {"x": "1,2;3"}, 0.5),
        MediaRange("c/d", {}, 1.0),
    ]


@given(st.text(max_size=300))
def test_any_header_is_read(header: str) -> None:
    accepts_taxii(header)
    is_envelope_type(header)


TOKENS = st.text(st.sampled_from("abcXYZ019-_.+*"), min_size=1, max_size=8)
OTHERS = st.builds("{}/{};{}={}".format, TOKENS, TOKENS, TOKENS, TOKENS) | st.builds("{}/{}".format, TOKENS, TOKENS)
DEFINED = st.sampled_from([TAXII, "application/taxii+json", 'application/taxii+json; VERSION="2.1"'])
QUALITY = st.sampled_from(["", ";q=0", ";q=0.5", "; q=1.000", ";q=banana"])


@given(st.lists(OTHERS, max_size=5), DEFINED, QUALITY, st.lists(OTHERS, max_size=5), st.sampled_from([",", " , "]))
def test_a_list_with_a_defined_type_is_always_accepted(
    before: list[str], defined: str, quality: str, after: list[str], comma: str
) -> None:
    assert accepts_taxii(comma.join([*before, defined + quality, *after]))
