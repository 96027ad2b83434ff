"""What our objects refer to can be fetched by id in every collection, and is on no page."""

from __future__ import annotations

import pytest

from hub.domain.releasability import EXTENSION_ID
from hub.domain.signature_extensions import DETACHED_EXTENSION_ID, INLINE_EXTENSION_ID, PROJECT_IDENTITY
from hub.domain.stix import version_key
from hub.domain.taxii import Query, VersionMatch
from hub.domain.tlp import IDS
from hub.errors import NotFound
from hub.services import access, read
from hub.store.database import Database
from tests.leaks.matrix import make_matrix

AMBER = IDS["amber"]
SERVED = [INLINE_EXTENSION_ID, DETACHED_EXTENSION_ID, EXTENSION_ID, PROJECT_IDENTITY["id"], *IDS.values()]


def test_every_reader_gets_the_hubs_own_objects_by_id_and_sees_none_on_a_page(database: Database) -> None:
    matrix = make_matrix(database)
    hub, bb = matrix.hub, matrix.caller("bb")
    with hub.db.read() as tx:
        opened = access.collection(tx, bb, "alpha", "incidents")
    for stix_id in SERVED:
        page = read.one(hub, bb, opened, stix_id, Query())
        assert [stix_id.encode() in body for body in page.bodies] == [True]
        assert read.versions(hub, bb, opened, stix_id, Query()).records[0][0] == stix_id
    assert read.objects(hub, bb, opened, Query()).bodies == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(added_after=1), 1),
        (Query(added_after=2**60), 0),
        (Query(position=2**60), 0),
        (Query(spec_versions=("2.0",)), 0),
        (Query(versions=VersionMatch(last=False, exact=frozenset({version_key("2022-10-01T00:00:00Z")}))), 1),
        (Query(versions=VersionMatch(last=False, exact=frozenset({version_key("2001-01-01T00:00:00Z")}))), 0),
    ],
)
def test_filters_count_for_them_too(sqlite_url: str, query: Query, found: int) -> None:
    matrix = make_matrix(Database.open(sqlite_url))
    bb = matrix.caller("bb")
    with matrix.hub.db.read() as tx:
        opened = access.collection(tx, bb, "alpha", "incidents")
    assert len(read.one(matrix.hub, bb, opened, AMBER, query).bodies) == found


def test_an_id_that_is_nobodys_is_not_found(sqlite_url: str) -> None:
    matrix = make_matrix(Database.open(sqlite_url))
    bb = matrix.caller("bb")
    with matrix.hub.db.read() as tx:
        opened = access.collection(tx, bb, "alpha", "incidents")
    with pytest.raises(NotFound):
        read.one(matrix.hub, bb, opened, "identity--00000000-0000-4000-8000-000000000000", Query())
