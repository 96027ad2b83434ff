"""An observable becomes one STIX object and one pattern, and is read back from both."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.observable_stix import alternatives, cyber_observable, named_in, observable_of, pattern, quoted
from hub.domain.observable_text import Observable, ObservableType, detect
from hub.domain.stix_validation import StixValidator
from hub.services.schema_files import read_schemas

_VALUES = [
    "192.0.2.1",
    "192.0.2.0/24",
    "2001:db8::1",
    "evil.example",
    "http://u:p@evil.example/it's?a\\b[c]#d#e",
    "http://evil.example/ä%",
    "a'b@evil.example",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "0" * 128,
    "00:11:22:aa:bb:cc",
    "AS64500",
    "invoice.zip",
]


@cache
def _validator() -> StixValidator:
    return StixValidator(read_schemas())


def _observable(value: str) -> Observable:
    found = detect(value)
    assert found is not None
    return found


@pytest.mark.parametrize("value", _VALUES)
def test_an_observable_is_valid_stix_and_comes_back_from_it(value: str) -> None:
    observable = _observable(value)
    obj = cyber_observable(observable)
    assert obj is not None
    assert _validator().problems(json.loads(json.dumps(obj))) == ()
    assert observable_of(obj) == (observable,)


@pytest.mark.parametrize("value", _VALUES)
def test_the_pattern_of_an_observable_names_it_and_nothing_else(value: str) -> None:
    observable = _observable(value)
    text = pattern(observable)
    assert text is not None
    assert named_in(text) == (observable,)
    assert alternatives(text) == (observable,)


def test_the_id_is_the_one_that_everybody_makes() -> None:
    obj = cyber_observable(_observable("198[.]51[.]100[.]3"))
    assert obj is not None
    assert obj["id"] == "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"


def test_a_vulnerability_is_no_cyber_observable() -> None:
    assert cyber_observable(_observable("CVE-2026-1234")) is None
    assert pattern(_observable("CVE-2026-1234")) is None


_A, _B = "[ipv4-addr:value = '192.0.2.1']", "[domain-name:value = 'evil.example']"


@pytest.mark.parametrize(
    ("text", "named", "any_of"),
    [
        (f"{_A} OR {_B}", ["192.0.2.1", "evil.example"], True),
        ("[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value IN ('192.0.2.2','192.0.2.3')]", 3, True),
        (f"({_A} OR {_B}) OR {_A}", 2, True),
        ("[file:hashes.'sha-256' = '" + "0" * 64 + "' OR file:hashes.MD5 = '" + "1" * 32 + "']", 2, True),
        (f"{_A} AND {_B}", 2, False),
        (f"{_A} FOLLOWEDBY {_B}", 2, False),
        (f"{_A} WITHIN 5 SECONDS", 1, False),
        ("[ipv4-addr:value = '192.0.2.1' AND domain-name:value = 'evil.example']", 2, False),
        ("[ipv4-addr:value != '192.0.2.1']", 0, False),
        ("[NOT ipv4-addr:value = '192.0.2.1']", 0, False),
        ("[ipv4-addr:value NOT = '192.0.2.1']", 0, False),
        ("[ipv4-addr:value LIKE '192.0.2.%']", 0, False),
        ("[ipv4-addr:value ISSUBSET '192.0.2.0/24']", ["192.0.2.0/24"], True),
        ("[network-traffic:dst_ref.value IN ('192.0.2.1', 'evil.example')]", ["192.0.2.1", "evil.example"], True),
        ("[domain-name:value ISSUBSET '192.0.2.0/24']", 0, False),
        ("[ipv4-addr:value = 'no address']", 0, False),
        ("[process:name = 'x'] OR " + _A, 1, False),
        ("no pattern", 0, False),
    ],
)
def test_only_a_choice_of_observables_becomes_a_list(text: str, named: int | list[str], any_of: bool) -> None:
    found = named_in(text)
    assert len(found) == (named if isinstance(named, int) else len(named))
    if isinstance(named, list):
        assert [one.value for one in found] == named
    listed = alternatives(text)
    assert (listed is not None) is any_of
    assert listed is None or set(listed) == set(found)


@pytest.mark.parametrize("obj", [{}, {"type": "file"}, {"type": "file", "hashes": 3}, {"type": "url", "value": True}])
def test_what_states_nothing_gives_nothing(obj: dict[str, object]) -> None:
    assert observable_of(obj) == ()


@settings(max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40))
def test_no_text_escapes_from_its_quotes(text: str) -> None:
    observable = Observable(ObservableType.FILE_NAME, text)
    made = f"[file:name = {quoted(text)}]"
    assert pattern(observable) == made
    assert len(named_in(made)) <= 1
    assert all(one.value == text.strip() for one in named_in(made))
