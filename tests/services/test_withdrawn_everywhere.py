"""However something is withdrawn, no way of reading finds it any more: every endpoint and filter, for every reader."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.domain.stix import version_key
from hub.domain.taxii import Query, VersionMatch
from hub.errors import NotFound
from hub.services import read, withdraw
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.signatures import of_object
from tests.services.desk import Desk, Stix, later, marked
from tests.services.test_retraction import retraction

MARKER = "Name of the victim"


def deleted(desk: Desk, incident: Stix) -> None:
    desk.withdraw("aa", incident["id"])


def retracted(desk: Desk, incident: Stix) -> None:
    desk.share("aa", retraction(desk, "aa", incident))


def revoked(desk: Desk, incident: Stix) -> None:
    desk.share("aa", {**later(incident, 5), "revoked": True, "name": "Withdrawn"})


def moderated(desk: Desk, incident: Stix) -> None:
    withdraw.withdraw(desk.hub, OPERATOR, "alpha", "incidents", incident["id"], reason="it names a victim")


def narrowed(desk: Desk, incident: Stix) -> None:
    for_aa = desk.releasability("aa", recipient_refs=[desk.identity["aa"]])
    desk.share("aa", for_aa, marked({**later(incident, 5), "name": MARKER}, for_aa))


WAYS: dict[str, Callable[[Desk, Stix], None]] = {
    each.__name__: each for each in (deleted, retracted, revoked, moderated, narrowed)
}


def everything(desk: Desk, handle: str, stix_id: str, keys: list[str]) -> list[bytes | str]:
    """Return all that a peer gets of the collection and of this object, by every endpoint and every filter."""
    hub, caller, opened = desk.hub, desk.callers[handle], desk.opened(handle)
    found: list[bytes | str] = []
    matches = [
        VersionMatch(),
        VersionMatch(last=False, first=True),
        VersionMatch(last=False, all=True),
        *(VersionMatch(last=False, exact=frozenset([key])) for key in keys),
    ]
    for match in matches:
        for ids in (None, (stix_id,)):
            query = Query(ids=ids, versions=match)
            found += read.objects(hub, caller, opened, query).bodies
            records = read.manifest(hub, caller, opened, query).records
            found += [f"{record[0]} {version_key(record[2])}" for record in records]
        try:
            found += read.one(hub, caller, opened, stix_id, Query(versions=match)).bodies
        except NotFound:
            continue
    try:
        versions = read.versions(hub, caller, opened, stix_id, Query()).records
        found += [f"{record[0]} {version_key(record[2])}" for record in versions]
        found += [repr(of_object(hub, caller, stix_id))]
    except NotFound:
        return found
    return found


@pytest.mark.parametrize("way", WAYS)
def test_what_is_withdrawn_is_found_by_no_endpoint_and_no_filter(desk: Desk, way: str) -> None:
    incident = {**desk.incident(), "name": MARKER}
    second = {**later(incident), "name": f"{MARKER}, once more"}
    desk.share("aa", incident, second)
    keys = [version_key(str(one["modified"])) for one in (incident, second)]
    before = {handle: everything(desk, handle, incident["id"], keys) for handle in ("bb", "ee")}
    assert all(any(MARKER in str(one) for one in found) for found in before.values())
    WAYS[way](desk, incident)
    for handle in ("bb", "ee"):
        found = [str(one) for one in everything(desk, handle, incident["id"], keys)]
        assert not [one for one in found if MARKER in one or any(f"{incident['id']} {key}" in one for key in keys)]
        assert any(incident["id"] in one for one in found), "nobody told him"
