"""Audiences as sets of peers, whoever joins later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.audience import WHOLE_GROUP, Audience

EVERYBODY = range(8)  # 7 is in no audience: it stands for whoever joins later
_PEERS = st.frozensets(st.integers(0, 6), max_size=7)
AUDIENCES = st.one_of(
    st.just(WHOLE_GROUP),
    _PEERS.map(lambda peers: Audience("named", peers)),
    _PEERS.map(lambda peers: Audience("except", peers)),
)


def members(audience: Audience) -> set[int]:
    return {peer for peer in EVERYBODY if audience.admits(peer)}


@given(AUDIENCES, AUDIENCES)
def test_an_audience_covers_another_exactly_when_it_admits_all_of_it(one: Audience, other: Audience) -> None:
    assert one.covers(other) == (members(one) >= members(other))


@given(AUDIENCES, AUDIENCES)
def test_an_intersection_admits_exactly_whom_both_admit(one: Audience, other: Audience) -> None:
    both = one.intersection(other)
    assert members(both) == members(one) & members(other)
    assert one.covers(both)
    assert other.covers(both)


@given(AUDIENCES, AUDIENCES, AUDIENCES)
def test_the_order_of_intersections_does_not_matter(a: Audience, b: Audience, c: Audience) -> None:
    assert members(a.intersection(b).intersection(c)) == members(c.intersection(a.intersection(b)))


@given(AUDIENCES, _PEERS)
def test_including_peers_admits_them_and_changes_nobody_else(audience: Audience, peers: frozenset[int]) -> None:
    assert members(audience.including(peers)) == members(audience) | peers


@given(AUDIENCES)
def test_the_key_of_an_audience_reads_back(audience: Audience) -> None:
    assert Audience.from_key(audience.key()) == audience


def test_an_audience_that_names_nobody_is_nobody() -> None:
    assert members(Audience("named")) == set()


@pytest.mark.parametrize("key", ["", "group:1", "all", "named:x", "Except:1"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError):
        Audience.from_key(key)
