"""Random histories, read through SQL on both databases and from a list in memory: the same, page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.audience import WHOLE_GROUP
from hub.domain.membership import Peer
from hub.domain.taxii import VersionMatch
from hub.store import collections, entries, members, pages
from hub.store.database import Database
from hub.store.pages import Selection
from tests.store.reading_model import Model
from tests.store.world import NOW, World, add_collection, add_peer, except_, make_world, named, new_entry

OBJECTS = [
    f"{name}--00000000-0000-4000-8000-00000000000{n}" for n, name in enumerate(("indicator", "incident", "note"))
]
OBSERVABLES = [f"{name}--00000000-0000-5000-8000-000000000000" for name in ("file", "url")]
VERSIONS = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.123456789Z", "2026-01-02T00:00:00Z"]
KEYS = ["20260101000000.", "20260101000000.5", "20260101000000.123456789", "20260102000000."]


@dataclass(frozen=True)
class Post:
    """Some entries of one POST: (object, version or None, audience by number, lives until)."""

    entries: tuple[tuple[str, str | None, int, int | None], ...]
    later: int


@dataclass(frozen=True)
class Removal:
    """A DELETE of some versions, or of the object."""

    stix_id: str
    keys: frozenset[str] | None


lives = st.sampled_from([None, None, None, NOW + 5, NOW + 10**9])
audience_numbers = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])
one_entry = st.one_of(
    st.tuples(st.sampled_from(OBJECTS), st.sampled_from(VERSIONS), audience_numbers, lives),
    st.tuples(st.sampled_from(OBSERVABLES), st.none(), audience_numbers, lives),
)
posts = st.builds(Post, st.lists(one_entry, min_size=1, max_size=5).map(tuple), st.sampled_from([0, 1, 7]))
removals = st.builds(
    Removal, st.sampled_from(OBJECTS + OBSERVABLES), st.one_of(st.none(), st.frozensets(st.sampled_from(KEYS)))
)
histories = st.lists(st.one_of(posts, posts, posts, removals), min_size=1, max_size=8)
matches = st.one_of(
    st.just(VersionMatch()),
    st.just(VersionMatch(last=False, all=True)),
    st.builds(
        VersionMatch, last=st.booleans(), first=st.booleans(), exact=st.frozensets(st.sampled_from(KEYS), max_size=2)
    ),
)
some_ids = st.one_of(st.none(), st.lists(st.sampled_from(OBJECTS + OBSERVABLES), max_size=3).map(tuple))
some_types = st.one_of(st.none(), st.lists(st.sampled_from(["indicator", "file", "url"]), max_size=2).map(tuple))
requests = st.lists(
    st.tuples(
        st.integers(0, 5),  # who
        matches,
        st.one_of(st.none(), st.integers(-1, 40)),  # added_after, as an offset
        some_ids,
        some_types,
        st.integers(1, 4),  # limit
        st.sampled_from([1, 300, 10**6]),  # octets
    ),
    min_size=3,
    max_size=6,
)


@pytest.fixture
def world(database: Database) -> World:
    return make_world(database)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, asked=requests)
def test_what_is_read_is_what_the_model_reads(world: World, history: list[Any], asked: list[Any]) -> None:
    collection_id, callers, model = _play(world, history)
    for who, versions, offset, ids, types, limit, octets in asked:
        selection = Selection(
            collection_id=collection_id,
            peer_id=callers[who].id,
            now=NOW + 8,
            added_after=None if offset is None else NOW + offset,
            limit=limit,
            max_bytes=octets,
            ids=ids,
            types=types,
            versions=versions,
        )
        _compare(world.db, model, selection)
    _compare_objects(world.db, model, collection_id, callers[asked[0][0]])


def _play(world: World, history: list[Any]) -> tuple[int, list[Peer], Model]:
    """Do all of it in a collection of its own, and in the model."""
    with world.db.write() as tx:
        collection_id = add_collection(tx, world.group).id
        number = collection_id
        suspended, barred, outside = (add_peer(tx, f"{name}-{number}") for name in ("suspended", "barred", "outside"))
        for peer in (suspended, barred):
            members.put(tx, group_id=world.group.id, peer_id=peer.id, rights=["read"], now=NOW)
        members.suspend(tx, world.group.id, suspended.id, NOW)
        collections.set_override(tx, collection_id, barred.id, can_read=False, can_write=None)
    aa, bb, cc = world.aa, world.bb, world.cc
    audiences = [
        WHOLE_GROUP,
        named(aa, bb),
        named(aa),
        except_(bb),
        named(suspended, barred, outside, cc),
        except_(),
    ]
    model = Model(readers={aa.id, bb.id, cc.id})
    now = NOW
    for step in history:
        with world.db.write() as tx:
            if isinstance(step, Removal):
                keys = None if step.keys is None else set(step.keys)
                removed = entries.delete(tx, collection_id, step.stix_id, keys, peer_id=aa.id, now=now)
                assert removed == model.delete(step.stix_id, keys)
                continue
            now += step.later
            here = {(one.new.stix_id, one.new.version) for one in model.kept}
            new = []
            for stix_id, version, audience, expires_at in step.entries:
                if version is not None and (stix_id, version) in here:
                    continue
                here.add((stix_id, version))
                new.append(
                    new_entry(aa, stix_id=stix_id, version=version, audience=audiences[audience], expires_at=expires_at)
                )
            assert entries.insert(tx, collection_id, now, new) == model.insert(now, new)
    return collection_id, [aa, bb, cc, suspended, barred, outside], model


def _compare(db: Database, model: Model, selection: Selection) -> None:
    expected = model.matching(selection)
    with db.read() as tx:
        _follow_positions(tx, selection, expected)
        _follow_added_after(tx, model, selection)
        assert pages.version_keys(tx, selection) == {one.key for one in expected}


def _compare_objects(db: Database, model: Model, collection_id: int, peer: Peer) -> None:
    with db.read() as tx:
        seen = model.visible(peer.id, NOW + 8)
        for stix_id in (*OBJECTS, *OBSERVABLES):
            mine = [one for one in seen if one.new.stix_id == stix_id]
            here = collection_id, peer.id, stix_id, NOW + 8
            assert pages.exists_visible(tx, *here) == bool(mine)
            assert [one.version_key for one in pages.visible_versions_of(tx, *here)] == [one.key for one in mine]


def _follow_positions(tx: Any, selection: Selection, expected: list[Any]) -> None:
    """Page by `next`: nothing lost, nothing twice, nothing empty but the end."""
    bodies: list[bytes] = []
    records: list[tuple[str, int, str]] = []
    step = selection
    while True:
        page = pages.objects(tx, step)
        assert len(page.bodies) <= selection.limit
        assert page.bodies or not page.more
        assert len(page.bodies) == 1 or sum(map(len, page.bodies)) <= selection.max_bytes or not page.bodies
        bodies += page.bodies
        if not page.more:
            break
        step = replace(step, position=page.last)
    step = selection
    while True:
        manifest = pages.manifest(tx, step)
        records += manifest.records
        if manifest.records:
            assert (manifest.first, manifest.last) == (manifest.records[0][1], manifest.records[-1][1])
        if not manifest.more:
            break
        step = replace(step, position=manifest.last)
    assert bodies == [one.new.body for one in expected]
    assert records == [(one.new.stix_id, one.date_added, one.version) for one in expected]


def _follow_added_after(tx: Any, model: Model, selection: Selection) -> None:
    """Page by the last date, as clients without `next` do (TAXII 2.1 §3.5): each page is right, and nothing is lost."""
    first = {one.date_added for one in model.matching(selection)}
    got: set[int] = set()
    step = selection
    while True:
        page = pages.manifest(tx, step)
        matching = model.matching(step)
        assert [record[1] for record in page.records] == [one.date_added for one in matching[: selection.limit]]
        assert page.more == (len(matching) > selection.limit)
        got |= {record[1] for record in page.records}
        if not page.more:
            break
        step = replace(step, added_after=page.last)
    if not selection.versions.first or selection.versions.last:
        assert got >= first
