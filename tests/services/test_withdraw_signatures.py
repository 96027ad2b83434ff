"""A deleted object leaves nothing behind that tells of it."""

from __future__ import annotations

import json

from hub.domain.sco_id import deterministic_id
from hub.domain.taxii import Query, VersionMatch
from hub.services import access, ingest, read, withdraw
from hub.store.database import Database
from tests.leaks.matrix import make_matrix


def test_deleting_an_object_deletes_the_signatures_beside_it(database: Database) -> None:
    matrix = make_matrix(database)
    hub, aa = matrix.hub, matrix.caller("aa")
    domain = {"type": "domain-name", "spec_version": "2.1", "value": "gone.example"}
    domain["id"] = str(deterministic_id(domain))
    with hub.db.read() as tx:
        opened = access.collection(tx, aa, "alpha", "indicators")
    body = json.dumps({"objects": matrix.signed([domain])}).encode()
    assert len(ingest.submit(hub, aa, opened, body).successes) == 2
    assert len(read.objects(hub, aa, opened, Query()).bodies) == 2
    withdraw.delete(hub, aa, opened, domain["id"], None)
    left = read.manifest(hub, aa, opened, Query(versions=VersionMatch(last=False, all=True))).records
    assert [stix_id.partition("--")[0] for stix_id, _, _ in left] == ["note"]  # which says that it was deleted
