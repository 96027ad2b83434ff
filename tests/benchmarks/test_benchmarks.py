from __future__ import annotations

import orjson
import pytest
from stix2 import parse

from benchmarks import dataset
from benchmarks.client import indicators_in, next_of
from benchmarks.results import Results
from hub.client import keyfile

AUTHOR = "identity--6f8a8805-9bd1-4853-b211-c7bbe10659a0"


def test_the_same_seed_gives_the_same_indicators() -> None:
    assert list(dataset.indicators(50, seed=7, author=AUTHOR)) == list(dataset.indicators(50, seed=7, author=AUTHOR))


def test_two_seeds_share_no_id() -> None:
    ids = [indicator["id"] for seed in (1, 2) for indicator in dataset.indicators(200, seed=seed, author=AUTHOR)]
    assert len(set(ids)) == 400


def test_an_indicator_is_about_a_kilobyte_of_valid_stix() -> None:
    made = list(dataset.indicators(100, seed=1, author=AUTHOR))
    assert 900 < sum(len(orjson.dumps(indicator)) for indicator in made) / len(made) < 1300
    assert all(parse(indicator).id == indicator["id"] for indicator in made)


def test_signing_keeps_what_the_peers_are_fed() -> None:
    plain = next(dataset.indicators(1, seed=1, author=AUTHOR))
    signed = dataset.signed(plain, keyfile.generate())
    assert {name: signed[name] for name in plain} == plain
    assert len(signed["signatures"]) == 1


def test_envelopes_hold_every_object_once() -> None:
    made = list(dataset.indicators(25, seed=1, author=AUTHOR))
    bodies = dataset.envelopes(made, 10)
    assert [indicators_in(body) for body in bodies] == [10, 10, 5]
    assert [stix_object for body in bodies for stix_object in orjson.loads(body)["objects"]] == made


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        (b'{"more":true,"next":"abc","objects":[' + b" " * 1000 + b"]}", "abc"),
        (b'{"objects": [' + b" " * 1000 + b'], "more": true, "next": "x="}', "x="),
        (b'{"more":false,"objects":[' + b" " * 1000 + b'{"next":"an object\'s own"}' + b" " * 1000 + b"]}", None),
    ],
    ids=["before-the-objects", "after-the-objects", "inside-an-object"],
)
def test_next_is_found_without_parsing(envelope: bytes, expected: str | None) -> None:
    assert next_of(envelope) == expected


def test_a_ratio_is_of_medians_and_says_whether_its_target_is_met() -> None:
    results = Results({})
    results.add("read", "ours", "objects/s", [90.0, 100.0, 900.0])
    results.add("read", "theirs", "objects/s", [9.0, 10.0, 11.0])
    results.compare("read", "read", "ours", "theirs", 40)
    results.compare("absent", "absent", "ours", "theirs", 40)
    assert [(ratio.value, ratio.met) for ratio in results.ratios] == [(10.0, False)]
    assert "Missed: read: 10.0 x, target at least 40.0 x." in results.as_markdown()
