"""How far a retraction has come is for its own people, and names only whom they may know of."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.domain.membership import MemberVisibility
from hub.errors import NotFound
from hub.services import groups, retractions
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from tests.services.desk import Desk


def removed(desk: Desk, handle: str, stix_id: str) -> None:
    """Put on record that a peer has removed an object."""
    with desk.hub.db.write() as tx:
        tx.execute(
            text(
                "INSERT INTO acknowledgement (group_id, stix_id, version, peer_id, outcome, at, statement)"
                " SELECT group_id, stix_id, 'v', :peer, 'removed', :now, :nothing FROM retraction"
                " JOIN collection ON collection.id = collection_id WHERE stix_id = :id"
            ),
            {"peer": desk.callers[handle].peer.id, "now": desk.now() + 1, "nothing": b"", "id": stix_id},
        )


@pytest.fixture
def withdrawn(desk: Desk) -> str:
    """The id of an object of bb's that bb has deleted; aa moderates, ee has it."""
    incident = desk.incident("bb")
    desk.share("bb", incident)
    desk.withdraw("bb", incident["id"])
    return str(incident["id"])


def test_answers_are_counted_and_the_one_who_did_it_is_not(desk: Desk, withdrawn: str) -> None:
    (before,) = retractions.found(desk.hub, desk.callers["bb"], withdrawn)
    assert (before.removed, [one.handle for one in before.holders or ()]) == (0, ["aa", "ee"])
    removed(desk, "ee", withdrawn)
    (after,) = retractions.found(desk.hub, desk.callers["bb"], before.uuid)
    assert (after.removed, [one.removed_at is None for one in after.holders or ()]) == (1, [True, False])
    assert retractions.found(desk.hub, OPERATOR, before.notices[0]) == [after]


@pytest.mark.parametrize("handle", ["ee", "cc"])
def test_for_everybody_else_there_is_none(desk: Desk, withdrawn: str, handle: str) -> None:
    (known,) = retractions.found(desk.hub, desk.callers["aa"], withdrawn)
    said = set()
    for name in (withdrawn, known.uuid, known.notices[0], desk.incident()["id"]):
        with pytest.raises(NotFound) as caught:
            retractions.found(desk.hub, desk.callers[handle], name)
        said.add(str(caught.value))
    assert len(said) == 1
    assert retractions.listed(desk.hub, desk.callers[handle], limit=10) == []
    assert retractions.listed(desk.hub, desk.callers["bb"], limit=10) == retractions.found(
        desk.hub, desk.callers["bb"], withdrawn
    )


def test_whom_the_asker_may_not_know_is_counted_and_not_named(desk: Desk, withdrawn: str) -> None:
    groups.update(desk.hub, OPERATOR, "alpha", member_visibility=MemberVisibility.HIDDEN)
    (seen,) = retractions.found(desk.hub, desk.callers["bb"], withdrawn)
    assert [one.handle for one in seen.holders or ()] == [None, None]
