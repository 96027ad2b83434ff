"""Strict I-JSON in, JCS out: against json and rfc8785 as oracles, and the traps where naive code differs."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.canonical import MAX_INTEGER, jcs, parse, read, sha256_hex
from hub.errors import MalformedJson


def _is_exact(number: float) -> bool:
    return not (number.is_integer() and MAX_INTEGER < abs(number) < 1e21)


_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(_is_exact)
_COORDINATES = st.floats(min_value=-1e16, max_value=1e16).filter(_is_exact)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-MAX_INTEGER, MAX_INTEGER), _FLOATS, _COORDINATES, _TEXT)
# Names around the place where UTF-8 and UTF-16 order part, and ordinary ones.
_NAMES = st.one_of(_TEXT, st.text(alphabet="a\ud7ff\ue000\uffff\U00010000\U0010ffff", max_size=3))
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=5), max_leaves=20
)


@given(_VALUES)
def test_canonical_bytes_are_those_of_the_reference_implementation(value: Any) -> None:
    assert jcs(value) == rfc8785.dumps(value)


@given(st.floats(min_value=-1e17, max_value=1e17).filter(_is_exact))
def test_every_number_is_spelled_as_ecmascript_does(number: float) -> None:
    assert jcs(number) == rfc8785.dumps(number)


@given(_VALUES)
def test_canonical_bytes_parse_to_the_same_bytes_again(value: Any) -> None:
    assert jcs(parse(jcs(value))) == jcs(value)


@given(_VALUES, st.booleans())
def test_what_is_accepted_is_read_as_the_standard_library_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert parse(text.encode()) == json.loads(text)


@given(st.binary(max_size=40))
def test_no_input_raises_anything_but_malformed_json(data: bytes) -> None:
    try:
        jcs(parse(data))
    except MalformedJson:
        return


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b'{"a":1,"a":1}', "twice", id="duplicate"),
        pytest.param(b'{"a":1,"\\u0061":2}', "twice", id="duplicate, escaped"),
        pytest.param(b'{"x":[{"secret":1,"b":2,"secret":3}]}', "twice", id="duplicate, deep"),
        pytest.param(b'{"a":NaN}', "NaN", id="NaN"),
        pytest.param(b'{"a":\n Infinity}', "NaN and Infinity are not JSON, at line 2 column 2", id="Infinity"),
        pytest.param(b"[-Infinity]", "NaN", id="-Infinity"),
        pytest.param(b"[9007199254740992]", "integer", id="2^53"),
        pytest.param(b"[-9007199254740992]", "integer", id="-2^53"),
        pytest.param(b"[18446744073709551616]", "integer", id="2^64"),
        pytest.param(b"[" + b"9" * 400 + b"]", "integer", id="400 digits"),
        pytest.param(b"[" + b"9" * 5000 + b"]", "out of range", id="5000 digits"),
        pytest.param(b"[1e20]", "whole number", id="whole float that reads back as an integer"),
        pytest.param(b"[1e400]", "overflows", id="overflow"),
        pytest.param(b"[-1e400]", "overflows", id="negative overflow"),
        pytest.param(b'["\\ud800"]', "surrogate", id="lone surrogate"),
        pytest.param(b'["\\ud800x"]', "surrogate", id="lone surrogate before text"),
        pytest.param(b'["\\udc00\\ud800"]', "surrogate", id="surrogates the wrong way round"),
        pytest.param(b'{"\\ud800":1}', "surrogate", id="lone surrogate in a name"),
        pytest.param(b'["\xed\xa0\x80"]', "UTF-8", id="surrogate in UTF-8"),
        pytest.param(b'["\xff"]', "UTF-8", id="no UTF-8"),
        pytest.param(b'["\xc0\xaf"]', "UTF-8", id="overlong UTF-8"),
        pytest.param("[1]".encode("utf-16"), "not JSON", id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf[1]", "byte order mark", id="BOM"),
        pytest.param(b"[" * 65 + b"]" * 65, "64 levels", id="65 levels"),
        pytest.param(b'{"a":' * 65 + b"1" + b"}" * 65, "64 levels", id="65 levels of objects"),
        pytest.param(b"[" * 100_000, "deeply", id="100,000 levels"),
        pytest.param(b"[01]", "not JSON", id="leading zero"),
        pytest.param(b"[1,]", "not JSON", id="trailing comma"),
        pytest.param(b"{'a':1}", "not JSON", id="single quotes"),
        pytest.param(b'["\x01"]', "control", id="control character"),
        pytest.param(b"[1] x", "something follows", id="trailing text"),
        pytest.param(b"", "too early", id="empty"),
        pytest.param(b'{"a":', "too early", id="cut off"),
    ],
)
def test_what_is_not_i_json_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedJson, match=reason) as caught:
        parse(data)

    assert "secret" not in str(caught.value)


def test_a_document_of_exactly_the_permitted_depth_is_accepted() -> None:
    assert parse(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(MalformedJson):
        parse(b"[[[1]]]", max_depth=2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(1.0, "1", id="1.0"),
        pytest.param(-0.0, "0", id="-0.0"),
        pytest.param(1e-7, "1e-7", id="1e-7"),
        pytest.param(2.5e-6, "0.0000025", id="2.5e-6"),
        pytest.param(1e21, "1e+21", id="1e21"),
        pytest.param(1e23, "1e+23", id="1e23"),
        pytest.param(4.50, "4.5", id="4.50"),
        pytest.param(333333333.33333329, "333333333.3333333", id="seventeen digits"),
        pytest.param(5e-324, "5e-324", id="smallest"),
        pytest.param({"\ufb33": 2, "😀": 1}, '{"😀":1,"\ufb33":2}', id="names by UTF-16 units"),
        pytest.param({"x": {"\ufb33": 2, "😀": 1}}, '{"x":{"😀":1,"\ufb33":2}}', id="names by UTF-16 units, deeper"),
        pytest.param([{"\ufb33": 2, "😀": 1}], '[{"😀":1,"\ufb33":2}]', id="names by UTF-16 units, in a list"),
        pytest.param({"é": 1, "z": 2, "": 3}, '{"":3,"z":2,"é":1}', id="names, ordinary"),
        pytest.param("\u007f\u2028\x0f\n/", '"\u007f\u2028\\u000f\\n/"', id="escapes"),
        pytest.param(True, "true", id="true"),
    ],
)
def test_canonical_text_is_that_of_rfc_8785(value: Any, text: str) -> None:
    assert jcs(value).decode() == text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(math.nan, id="NaN"),
        pytest.param([math.inf], id="Infinity"),
        pytest.param(2**53, id="2^53"),
        pytest.param({"a": -(2**53)}, id="-2^53"),
        pytest.param(1e20, id="1e20"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param({"\ud800": 1}, id="lone surrogate in a name"),
        pytest.param({"\ud800": 1.0}, id="lone surrogate in a name, slow path"),
        pytest.param({1: 2}, id="number as name"),
        pytest.param({None: 1.0}, id="null as name"),
        pytest.param((1, 2), id="tuple"),
        pytest.param({"a": b"x"}, id="bytes"),
    ],
)
def test_what_json_cannot_carry_is_not_written(value: Any) -> None:
    with pytest.raises(MalformedJson):
        jcs(value)


def test_a_value_that_contains_itself_is_not_written() -> None:
    loop: list[Any] = []
    loop.append(loop)

    with pytest.raises(MalformedJson, match="levels"):
        jcs(loop)


def test_sha256_is_written_in_lower_case_hexadecimal() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _parts(value: Any) -> list[Any]:
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(part for one in inside for part in _parts(one))]


@given(_VALUES)
def test_what_is_made_of_parts_of_a_plain_document_is_written_alike_without_another_look(value: Any) -> None:
    document = read(jcs(value))
    if document.plain:
        for part in _parts(document.value):
            assert jcs({"b": part, "a": [part]}, plain=True) == jcs({"b": part, "a": [part]})


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param('{"a":[1,-2,0.5,"x",null,true]}', True, id="ordinary"),
        pytest.param('{"a":{"b":[1.0]}}', False, id="a whole number with a fraction, deep inside"),
        pytest.param('{"a":1e-7}', False, id="a small number"),
        pytest.param('{"\\uffff":1,"\\ud83d\\ude00":2}', False, id="names beyond the surrogates"),
        pytest.param('{"\u00e9":1}', True, id="a name that is not ASCII"),
    ],
)
def test_a_document_is_plain_if_a_fast_encoder_spells_and_sorts_it_canonically(text: str, plain: bool) -> None:
    document = read(text.encode())

    assert document.plain is plain
    assert jcs(document.value, plain=document.plain) == rfc8785.dumps(json.loads(text))
