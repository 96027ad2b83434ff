"""``next``: round trip, missing parameters, contradictions, and that no altered or borrowed token opens."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import limits
from hub.domain.cursor import Scope, decode, encode, resolve
from hub.domain.taxii import VersionMatch
from hub.domain.taxii_query import Asked, Endpoint, Filters
from hub.errors import InvalidRequest

KEY = b"k" * 32
SCOPE = Scope(Endpoint.OBJECTS, "1105e147-e4c1-4566-8fb1-1046d181fbf8", 7)
FULL = Filters(
    added_after=5,
    ids=("a--1", "b--2"),
    types=("indicator",),
    versions=VersionMatch(last=False, first=True, exact=frozenset({"20200101000000.1"})),
    spec_versions=("2.1",),
)
MANY = Filters(ids=tuple(f"indicator--{n:08d}-1111-4111-8111-111111111111" for n in range(500)))

filters = st.builds(
    Filters,
    added_after=st.none() | st.integers(-(10**17), 10**17),
    ids=st.none() | st.lists(st.text(max_size=30), min_size=1, max_size=40).map(tuple),
    types=st.none() | st.lists(st.text(max_size=30), min_size=1, max_size=3).map(tuple),
    versions=st.none()
    | st.builds(VersionMatch, st.booleans(), st.booleans(), st.booleans(), st.frozensets(st.text(max_size=20))),
    spec_versions=st.none() | st.just(("2.0", "2.1")),
)


@given(filters, st.integers(0, 10**17))
def test_a_token_brings_back_place_and_filters(wanted: Filters, position: int) -> None:
    token = encode(position, wanted, SCOPE, KEY)
    query, carried = resolve(replace(Asked(wanted), next=token, limit=3), SCOPE, KEY)
    assert carried == wanted
    assert (query.position, query.limit, query.added_after) == (position, 3, wanted.added_after)
    assert (query.ids, query.types, query.spec_versions) == (wanted.ids, wanted.types, wanted.spec_versions)
    assert query.versions == (wanted.versions or VersionMatch())


def test_parameters_that_are_missing_beside_next_come_from_the_token() -> None:
    token = encode(9, FULL, SCOPE, KEY)
    query, carried = resolve(Asked(next=token), SCOPE, KEY)
    assert carried == FULL
    assert (query.added_after, query.ids, query.types) == (5, ("a--1", "b--2"), ("indicator",))


@pytest.mark.parametrize("limit", [None, 1, 100])
def test_the_limit_may_change_from_page_to_page(limit: int | None) -> None:
    token = encode(9, FULL, SCOPE, KEY)
    assert resolve(Asked(FULL, limit, token), SCOPE, KEY)[0].limit == limit


@pytest.mark.parametrize(
    "change",
    [
        {"added_after": 6},
        {"ids": ("a--1",)},
        {"types": ("malware",)},
        {"versions": VersionMatch()},
        {"spec_versions": ("2.0",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_parameter_that_contradicts_the_token_is_refused(change: dict[str, object]) -> None:
    token = encode(9, FULL, SCOPE, KEY)
    with pytest.raises(InvalidRequest) as refusal:
        resolve(Asked(replace(FULL, **change), None, token), SCOPE, KEY)
    assert refusal.value.field == "next"


def test_a_filter_added_beside_next_is_refused() -> None:
    token = encode(9, Filters(), SCOPE, KEY)
    with pytest.raises(InvalidRequest):
        resolve(Asked(Filters(types=("tool",)), None, token), SCOPE, KEY)


def test_many_ids_make_a_short_token_that_needs_them_again() -> None:
    token = encode(9, MANY, SCOPE, KEY)
    assert len(token) < limits.CURSOR_FILTER_BYTES
    assert resolve(Asked(MANY, None, token), SCOPE, KEY)[1] == MANY
    for other in (Filters(), replace(MANY, ids=MANY.ids and MANY.ids[1:]), replace(MANY, added_after=1)):
        with pytest.raises(InvalidRequest):
            resolve(Asked(other, None, token), SCOPE, KEY)


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(SCOPE, endpoint=Endpoint.MANIFEST),
        replace(SCOPE, collection="378e5de7-84a4-45e4-8a34-c02a43d0b657"),
        replace(SCOPE, peer_id=8),
        replace(SCOPE, object_id="tool--11111111-1111-4111-8111-111111111111"),
    ],
    ids=["endpoint", "collection", "peer", "object"],
)
def test_a_token_is_good_only_where_it_was_given(elsewhere: Scope) -> None:
    with pytest.raises(InvalidRequest):
        decode(encode(9, FULL, SCOPE, KEY), elsewhere, KEY)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        decode(encode(9, FULL, SCOPE, KEY), SCOPE, b"x" * 32)


def test_every_refusal_reads_the_same() -> None:
    good = encode(9, FULL, SCOPE, KEY)
    texts = set()
    for token in ("", "x", "é", good[:-1], good + "A", good.swapcase(), "A" * 5000, encode(9, FULL, SCOPE, b"x")):
        with pytest.raises(InvalidRequest) as refusal:
            decode(token, SCOPE, KEY)
        texts.add((refusal.value.detail, refusal.value.field))
    assert len(texts) == 1


@given(st.data())
def test_a_token_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    good = encode(data.draw(st.integers(0, 10**17)), FULL, SCOPE, KEY)
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda letter: letter != good[place]))
    with pytest.raises(InvalidRequest):
        decode(good[:place] + other + good[place + 1 :], SCOPE, KEY)


@given(st.data())
def test_a_token_with_anything_inserted_or_cut_is_refused(data: st.DataObject) -> None:
    good = encode(1_700_000_000_000_000, FULL, SCOPE, KEY)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    inserted = data.draw(st.text(st.characters(codec="ascii"), max_size=5))
    altered = good[:start] + inserted + good[end:]
    if altered == good:
        return
    with pytest.raises(InvalidRequest):
        decode(altered, SCOPE, KEY)


@given(st.binary(max_size=200))
def test_made_up_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        decode(base64.urlsafe_b64encode(raw).decode().rstrip("="), SCOPE, KEY)


def test_the_code_has_at_least_128_bits() -> None:
    short, long = (len(base64.urlsafe_b64decode(encode(n, Filters(), SCOPE, KEY) + "==")) for n in (1, 10))
    assert long - short == 1
    assert short - len("[1,[null,null,null,null,null]]") >= 16
