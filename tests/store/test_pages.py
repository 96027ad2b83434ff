"""Which versions a page holds, how it is bounded, and that its cost does not depend on what it leaves out."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from hub.domain.audience import Audience
from hub.domain.membership import Peer
from hub.domain.taxii import VersionMatch
from hub.store import collections, entries, members, pages, peers
from hub.store.database import Database, driver
from hub.store.page_sql import Shape, keys_sql
from hub.store.pages import Selection
from tests.store.world import NOW, World, add_collection, except_, make_world, named, new_entry

STIX_ID = "indicator--11111111-1111-4111-8111-111111111111"
FILE_ID = "file--22222222-2222-5222-8222-222222222222"
EARLY, MIDDLE, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"
KEY = {EARLY: "20260101000000.", MIDDLE: "20260102000000.", LATE: "20260103000000."}


@pytest.fixture
def world(database: Database) -> World:
    return make_world(database)


def insert(world: World, *given: dict[str, Any], now: int = NOW) -> list[int]:
    with world.db.write() as tx:
        return entries.insert(tx, world.collection.id, now, [new_entry(world.aa, **one) for one in given])


def read(world: World, peer: Peer, **given: Any) -> pages.ManifestPage:
    with world.db.read() as tx:
        return pages.manifest(tx, Selection(world.collection.id, peer.id, given.pop("now", NOW), **given))


def versions(page: pages.ManifestPage) -> list[str]:
    return [version for _, _, version in page.records]


MATCHES = [
    pytest.param(VersionMatch(), None, [LATE], id="the last one by default"),
    pytest.param(VersionMatch(last=False, all=True), None, [LATE, EARLY, MIDDLE], id="all, in the order they came"),
    pytest.param(VersionMatch(last=False, first=True), None, [EARLY], id="the first one"),
    pytest.param(VersionMatch(last=True, first=True), None, [LATE, EARLY], id="first and last"),
    pytest.param(VersionMatch(last=False, exact=frozenset({KEY[MIDDLE]})), None, [MIDDLE], id="an exact one"),
    pytest.param(
        VersionMatch(last=False, first=True, exact=frozenset({KEY[LATE]})), None, [LATE, EARLY], id="exact and first"
    ),
    pytest.param(VersionMatch(last=False), None, [], id="none that exists"),
    pytest.param(VersionMatch(), 0, [MIDDLE], id="last of those added since: an older one that came late"),
    pytest.param(VersionMatch(last=False, first=True), 0, [EARLY], id="first of those added since"),
    pytest.param(VersionMatch(last=False, first=True), 1, [MIDDLE], id="first of those added since, but the first"),
    pytest.param(VersionMatch(), 2, [], id="nothing was added since"),
]


@pytest.mark.parametrize(("wanted", "since", "expected"), MATCHES)
def test_versions_are_chosen_after_the_other_filters(
    world: World, wanted: VersionMatch, since: int | None, expected: list[str]
) -> None:
    """TAXII 2.1 §3.4.1; trap A-10. The versions arrive out of order: the latest first, then the earliest."""
    for version in (LATE, EARLY, MIDDLE):
        insert(world, {"stix_id": STIX_ID, "version": version})
    added_after = None if since is None else NOW + since
    assert versions(read(world, world.bb, versions=wanted, added_after=added_after)) == expected


AUDIENCES = [
    pytest.param(lambda w: Audience("group"), {"aa", "bb", "cc"}, id="the group"),
    pytest.param(lambda w: named(w.aa, w.bb), {"aa", "bb"}, id="named peers"),
    pytest.param(lambda w: except_(w.bb), {"aa", "cc"}, id="all but one"),
    pytest.param(lambda w: named(), set(), id="nobody"),
    pytest.param(lambda w: except_(), {"aa", "bb", "cc"}, id="all but nobody"),
]


@pytest.mark.parametrize(("audience", "expected"), AUDIENCES)
def test_only_the_audience_sees_an_entry(world: World, audience: Any, expected: set[str]) -> None:
    insert(world, {"audience": audience(world)})
    seen = {peer.handle for peer in (world.aa, world.bb, world.cc) if read(world, peer).records}
    assert seen == expected


@pytest.mark.parametrize(
    "harm", ["member suspended", "member removed", "peer suspended", "right withdrawn", "override"]
)
def test_a_reader_who_lost_the_right_sees_nothing(world: World, harm: str) -> None:
    insert(world, {})
    assert read(world, world.bb).records
    with world.db.write() as tx:
        match harm:
            case "member suspended":
                members.suspend(tx, world.group.id, world.bb.id, NOW)
            case "member removed":
                members.remove(tx, world.group.id, world.bb.id)
            case "peer suspended":
                peers.suspend(tx, world.bb.id, NOW)
            case "override":
                collections.set_override(tx, world.collection.id, world.bb.id, can_read=False, can_write=None)
            case _:
                members.put(tx, group_id=world.group.id, peer_id=world.bb.id, rights=["write"], now=NOW)
    assert not read(world, world.bb).records
    assert read(world, world.cc).records


def test_an_entry_is_seen_until_the_moment_it_expires(world: World) -> None:
    insert(world, {"expires_at": NOW + 10})
    assert read(world, world.bb, now=NOW + 9).records
    assert not read(world, world.bb, now=NOW + 10).records


def test_a_later_version_for_fewer_peers_hides_the_earlier_one_from_everybody(world: World) -> None:
    insert(world, {"stix_id": STIX_ID, "version": EARLY})
    insert(world, {"stix_id": STIX_ID, "version": LATE, "audience": named(world.aa)})
    assert versions(read(world, world.aa)) == [LATE]
    assert versions(read(world, world.bb)) == []
    assert versions(read(world, world.bb, versions=VersionMatch(last=False, all=True))) == [EARLY]


def test_the_first_version_is_the_first_one_that_the_caller_may_see(world: World) -> None:
    """Otherwise `first` would be empty where `all` is not, and betray that something is hidden."""
    insert(world, {"stix_id": STIX_ID, "version": EARLY, "audience": named(world.aa)})
    insert(world, {"stix_id": STIX_ID, "version": MIDDLE, "expires_at": NOW})
    insert(world, {"stix_id": STIX_ID, "version": LATE})
    first = VersionMatch(last=False, first=True)
    assert versions(read(world, world.aa, versions=first)) == [EARLY]
    assert versions(read(world, world.bb, versions=first)) == [LATE]
    assert versions(read(world, world.bb, versions=first, now=NOW - 1)) == [MIDDLE]


def test_an_observable_is_superseded_only_by_content_for_at_least_the_same_peers(world: World) -> None:
    (first,) = insert(world, {"stix_id": FILE_ID, "version": None, "body": b"1", "audience": named(world.aa, world.bb)})
    (narrow,) = insert(world, {"stix_id": FILE_ID, "version": None, "body": b"2", "audience": named(world.aa)})
    assert [date for _, date, _ in read(world, world.aa).records] == [first, narrow]
    assert [date for _, date, _ in read(world, world.bb).records] == [first]
    (wide,) = insert(world, {"stix_id": FILE_ID, "version": None, "body": b"3"})
    assert [date for _, date, _ in read(world, world.aa).records] == [wide]


def test_the_version_of_an_observable_is_the_moment_it_was_added(world: World) -> None:
    insert(world, {"stix_id": FILE_ID, "version": None}, now=1_790_000_000_123_456)
    assert versions(read(world, world.bb)) == ["2026-09-21T14:13:20.123456Z"]
    wanted = VersionMatch(last=False, exact=frozenset({"20260921141320.123456"}))
    assert versions(read(world, world.bb, versions=wanted)) == ["2026-09-21T14:13:20.123456Z"]


def test_a_page_holds_the_stored_bytes(world: World) -> None:
    body = b'{"\xc3\xa9":"\\u0000 %s :limit"}'
    insert(world, {"body": body})
    with world.db.read() as tx:
        assert pages.objects(tx, Selection(world.collection.id, world.bb.id, NOW)).bodies == [body]


PAGES = [
    pytest.param(10, 10**6, 5, False, id="all of them"),
    pytest.param(5, 10**6, 5, False, id="exactly the limit"),
    pytest.param(4, 10**6, 4, True, id="one too many"),
    pytest.param(10, 300, 3, True, id="exactly the octets"),
    pytest.param(10, 299, 2, True, id="an octet too few"),
    pytest.param(10, 1, 1, True, id="one object, however long"),
    pytest.param(10, 500, 5, False, id="all octets"),
]


@pytest.mark.parametrize(("limit", "octets", "count", "more"), PAGES)
def test_a_page_is_bounded_in_objects_and_octets(world: World, limit: int, octets: int, count: int, more: bool) -> None:
    dates = insert(world, *[{"body": bytes([48 + n]) * 100} for n in range(5)])
    with world.db.read() as tx:
        page = pages.objects(tx, Selection(world.collection.id, world.bb.id, NOW, limit=limit, max_bytes=octets))
    assert (len(page.bodies), page.more) == (count, more)
    assert (page.first, page.last) == (dates[0], dates[count - 1])


def test_a_page_is_never_empty_with_more_to_come(world: World) -> None:
    insert(world, {}, {"audience": named(world.aa)}, {"audience": named(world.aa)})
    page = read(world, world.bb, limit=1)
    assert (len(page.records), page.more) == (1, False)
    rest = read(world, world.bb, limit=1, position=page.last)
    assert (rest.records, rest.first, rest.last, rest.more) == ([], None, None, False)


def test_a_collection_shows_nothing_of_another(world: World) -> None:
    with world.db.write() as tx:
        other = add_collection(tx, world.group, "incidents").id
    insert(world, {"stix_id": STIX_ID})
    with world.db.read() as tx:
        assert not pages.exists_visible(tx, other, world.bb.id, STIX_ID, NOW)
        assert pages.exists_visible(tx, world.collection.id, world.bb.id, STIX_ID, NOW)


SHAPES = [
    pytest.param({"last": True}, "entry_page", id="last versions"),
    pytest.param({"last": True, "since": True}, "entry_page", id="last versions since"),
    pytest.param({"every": True}, "entry_page", id="all versions"),
    pytest.param({"last": True, "types": True}, "entry_page", id="of some types"),
    pytest.param({"exact": True}, "entry_page", id="exact versions"),
    pytest.param({"first": True}, "entry_page", id="first versions"),
]


@pytest.mark.parametrize(("given", "index"), SHAPES)
def test_a_page_is_one_scan_of_its_index(world: World, database_url: str, given: dict[str, bool], index: str) -> None:
    """The plan, on 3,000 entries: no table scan, no sorting, and no other table but for entries with an audience."""
    insert(world, *[{} for _ in range(3000)])
    flags = dict.fromkeys(("since", "ids", "types", "every", "last", "first", "exact"), False) | given
    sql = keys_sql(Shape(dialect=world.db.dialect, **flags))
    values = {"collection_id": world.collection.id, "peer_id": world.bb.id, "now": NOW, "since": NOW, "after": NOW}
    if world.db.dialect == "sqlite":
        lists: dict[str, Any] = {"ids": "[]", "types": "[]", "exact": "[]"}
        with world.db.read() as tx:
            rows = driver(tx).execute(f"EXPLAIN QUERY PLAN {sql}", {**values, **lists, "limit": 101}).fetchall()
        plan = "\n".join(row[3] for row in rows)
        assert f"SEARCH e USING COVERING INDEX {index} (collection_id=? AND date_added>?)" in plan or (
            flags["first"] and f"SEARCH e USING INDEX {index} (collection_id=? AND date_added>?)" in plan
        )
        assert "TEMP B-TREE" not in plan
        assert not re.search(r"SCAN (?!json_each)", plan)
    else:
        lists = {"ids": [STIX_ID], "types": ["indicator"], "exact": [KEY[EARLY]]}
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE entry")  # as autovacuum does after a while
        with world.db.read() as tx:
            rows = driver(tx).execute(f"EXPLAIN {sql}", {**values, **lists, "limit": 101}).fetchall()
        plan = "\n".join(row[0] for row in rows)
        # `first` needs the object's id, which is in no index by date: then the narrower one is as good.
        scan = r"Index Scan using entry_(page|date)" if flags["first"] else f"Index Only Scan using {index}"
        assert re.search(rf"{scan} on entry e", plan), plan
        assert "Sort" not in plan
        assert "hashed" not in plan
        assert "Seq Scan on entry" not in plan
