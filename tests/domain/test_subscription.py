"""A subscription matches what it asks for and nothing else, and an alert says no more than the marking lets it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain import alert, tlp
from hub.domain.releasability import EXTENSION_ID as RELEASABILITY
from hub.domain.subscription import BadWatch, Match, Networks, subscription

INDICATOR: dict[str, Any] = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
    "created_by_ref": "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
    "created": "2026-01-02T03:04:05.678Z",
    "modified": "2026-01-03T03:04:05.678Z",
    "name": "Loader of Zeus",
    "description": "Seen with evil[.]example and at 198.51.100[.]7.",
    "pattern": "[ipv4-addr:value = '192.0.2.77' OR url:value = 'http://www.bank.example/login']",
    "pattern_type": "stix",
    "valid_from": "2026-01-02T03:04:05.678Z",
    "labels": ['rsit:malicious-code="c2-server"', "exercise:no"],
    "indicator_types": ["malicious-activity"],
    "confidence": 60,
}

CASES: list[tuple[str, dict[str, Any], list[Match] | None]] = [
    ("everything", {"everything": True}, []),
    ("type", {"types": ["indicator"]}, []),
    ("other type", {"types": ["report"]}, None),
    ("label", {"labels": ["exercise:no"]}, []),
    ("label with a star", {"labels": ["rsit:malicious-code=*"]}, []),
    ("other label", {"labels": ["rsit:fraud=*"]}, None),
    ("indicator type", {"indicator_types": ["benign", "malicious-activity"]}, []),
    ("other indicator type", {"indicator_types": ["benign"]}, None),
    ("author", {"authors": [INDICATOR["created_by_ref"]]}, []),
    ("other author", {"authors": ["identity--00000000-0000-4000-8000-000000000000"]}, None),
    ("enough confidence", {"min_confidence": 60}, []),
    ("too little confidence", {"min_confidence": 61}, None),
    ("low enough", {"tlp_at_most": "green"}, []),
    ("too high", {"tlp_at_most": "clear"}, None),
    ("network of the pattern", {"networks": ["192.0.2.0/24"]}, [Match("networks", "192.0.2.0/24")]),
    ("address in the description", {"networks": ["198.51.100.7"]}, [Match("networks", "198.51.100.7/32")]),
    ("other network", {"networks": ["192.0.3.0/24", "2001:db8::/32"]}, None),
    ("name above the one in a url", {"domains": ["bank.example"]}, [Match("domains", "bank.example")]),
    ("name in the description", {"domains": ["*.evil.example"]}, [Match("domains", "evil.example")]),
    ("name that only ends alike", {"domains": ["ank.example"]}, None),
    ("word", {"keywords": ["ZEUS"]}, [Match("keywords", "zeus")]),
    ("words", {"keywords": ["loader of zeus"]}, [Match("keywords", "loader of zeus")]),
    ("part of a word", {"keywords": ["zeu"]}, None),
    ("hash", {"hashes": ["0" * 32]}, None),
    ("one list of two", {"networks": ["192.0.3.0/24"], "keywords": ["zeus"]}, [Match("keywords", "zeus")]),
    ("a list, but another type", {"types": ["report"], "keywords": ["zeus"]}, None),
]


@pytest.mark.parametrize(("asked", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_every_criterion_must_hold_and_of_the_lists_one(asked: dict[str, Any], expected: list[Match] | None) -> None:
    found = subscription(**asked).matches(INDICATOR, "green")
    assert found == (None if expected is None else tuple(expected))


def test_a_cyber_observable_is_matched_by_what_it_is() -> None:
    wanted = subscription(hashes=["d41d8cd98f00b204e9800998ecf8427e"], networks=["2001:db8::/32"])
    assert wanted.matches({"type": "file", "hashes": {"MD5": "D41D8CD98F00B204E9800998ECF8427E"}}, "green") == (
        Match("hashes", "d41d8cd98f00b204e9800998ecf8427e"),
    )
    assert wanted.matches({"type": "ipv6-addr", "value": "2001:db8:1::/48"}, "green") is not None
    assert wanted.matches({"type": "ipv6-addr", "value": "2001:db9::"}, "green") is None


@pytest.mark.parametrize(
    "asked",
    [{}, {"networks": ["nonsense"]}, {"domains": ["com"]}, {"hashes": ["12"]}, {"keywords": ["?"]}, {"keywords": [""]}],
)
def test_what_could_never_match_is_refused_and_not_echoed(asked: dict[str, Any]) -> None:
    with pytest.raises(BadWatch) as caught:
        subscription(**asked)
    assert "nonsense" not in str(caught.value)


_NETWORK = st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda pair: str(ip_network(pair, strict=False)))


@settings(max_examples=60, deadline=None)
@given(st.lists(_NETWORK, max_size=20), _NETWORK)
def test_a_network_is_hit_exactly_when_it_shares_an_address(watched: list[str], asked: str) -> None:
    overlaps = [one for one in watched if ip_network(one).overlaps(ip_network(asked))]
    hit = Networks(watched).hit(asked)
    assert (hit is not None) == bool(overlaps)
    assert hit is None or hit in overlaps


@settings(max_examples=40, deadline=None)
@given(st.lists(st.ip_addresses(v=6), min_size=1, max_size=20))
def test_an_address_that_is_watched_is_hit(watched: list[Any]) -> None:
    networks = Networks([str(one) for one in watched])
    assert all(networks.hit(str(one)) for one in watched)
    assert networks.hit(str(ip_address("192.0.2.1"))) is None


def _marked(level: str) -> dict[str, Any]:
    return INDICATOR | {"object_marking_refs": [tlp.IDS[level]]}  # type: ignore[index] # every level of the table


_STATEMENT = {
    "type": "marking-definition",
    "id": "marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
    "created": "2026-01-02T03:04:05.678Z",
    "spec_version": "2.1",
}


@pytest.mark.parametrize("level", tlp.LEVELS)
def test_the_level_of_an_object_is_its_markings(level: tlp.Level) -> None:
    assert alert.level_of(_marked(level), {}, "amber") == level
    assert alert.level_of(INDICATOR, {}, level) == level


def test_what_is_not_understood_or_for_some_only_is_handled_as_red() -> None:
    obj = INDICATOR | {"object_marking_refs": [_STATEMENT["id"]]}
    assert alert.level_of(obj, {}, "clear") == "red"
    statement = _STATEMENT | {"definition_type": "statement", "definition": {"statement": "x"}}
    assert alert.level_of(obj, {statement["id"]: statement}, "clear") == "clear"
    strange = _STATEMENT | {"extensions": {RELEASABILITY: {"extension_type": "property-extension"}}}
    assert alert.level_of(obj, {strange["id"]: strange}, "clear") == "red"


@pytest.mark.parametrize("ceiling", tlp.LEVELS)
@pytest.mark.parametrize("level", tlp.LEVELS)
def test_above_the_ceiling_an_alert_says_nothing_that_the_object_says(level: tlp.Level, ceiling: tlp.Level) -> None:
    made = alert.matched(
        INDICATOR, level, (Match("keywords", "zeus"),), content_up_to=ceiling, link_prefix="https://hub.example/o/"
    )
    assert made.withheld is tlp.stricter(level, ceiling)
    assert made.link == f"https://hub.example/o/{INDICATOR['id']}"
    said = repr(made)
    assert ("Zeus" in said) is not made.withheld
    if made.withheld:
        assert (made.type, made.name, made.labels, made.matches, made.confidence) == ("", "", (), (), None)


def test_the_id_of_an_alert_is_that_of_its_event_and_version() -> None:
    def made(obj: dict[str, Any], level: tlp.Level = "green") -> str:
        return alert.matched(obj, level, (), content_up_to="amber", link_prefix="").uuid

    assert made(INDICATOR) == made(dict(INDICATOR)) == made(INDICATOR, "red")
    newer = INDICATOR | {"modified": "2026-01-04T03:04:05.678Z"}
    gone = alert.withdrawn(INDICATOR["id"], link_prefix="").uuid
    assert len({made(INDICATOR), made(newer), gone}) == 3


def test_a_long_name_is_cut() -> None:
    made = alert.matched(INDICATOR | {"name": "x" * 5000}, "green", (), content_up_to="amber", link_prefix="")
    assert len(made.name) == 200
