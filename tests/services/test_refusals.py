"""Who sees what was refused: an operator all of it, everybody else his own."""

from __future__ import annotations

import pytest

from hub.errors import Forbidden
from hub.services import collections, refusals
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import collections as collection_store
from hub.store import groups as group_store
from hub.store import peers as peer_store
from hub.store import refusals as store
from hub.store.refusals import Refusal
from tests.services.cast import START, Cast


def refuse(cast: Cast, *handles: str) -> None:
    with cast.hub.db.write() as tx:
        group = group_store.by_slug(tx, "alpha")
        assert group is not None
        collection = collection_store.of_group(tx, group.id)[0]
        rows = []
        for number, handle in enumerate(handles):
            peer = peer_store.by_handle(tx, handle)
            assert peer is not None
            rows.append(
                Refusal(
                    submission_uuid="5b9d6e53-53c0-4d5b-b65a-1d7c6f6f0c9c",
                    collection_id=collection.id,
                    peer_id=peer.id,
                    stix_id=f"indicator--00000000-0000-4000-8000-{number:012d}",
                    version="2026-01-01T00:00:00Z",
                    rule="tlp",
                    reason="stricter than the group takes",
                    sha256=None,
                    body=b"{}",
                    at=START + number,
                )
            )
        store.add_many(tx, rows)


def handles(cast: Cast, part: str | None) -> list[str]:
    actor = OPERATOR if part is None else cast.caller(part)
    return [row.handle for row in refusals.recent(cast.hub, actor, limit=10)]


def test_each_sees_his_own_and_an_operator_sees_all_the_newest_first(cast: Cast) -> None:
    refuse(cast, "aa", "bb", "aa", "bb", "bb")
    assert handles(cast, None) == handles(cast, "operator") == ["bb", "bb", "aa", "bb", "aa"]
    assert handles(cast, "analyst") == ["bb"] * 3
    assert handles(cast, "moderator") == ["aa"] * 2
    assert handles(cast, "foreign") == []


def test_a_feed_sees_none(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        handles(cast, "feed")


def test_pages_follow_each_other(cast: Cast) -> None:
    refuse(cast, "aa", "bb", "aa", "bb", "bb")
    caller = cast.caller("analyst")
    first = refusals.recent(cast.hub, caller, limit=2)
    rest = refusals.recent(cast.hub, caller, limit=2, before=first[-1].refusal.id)
    assert [row.refusal.stix_id[-1] for row in (*first, *rest)] == ["4", "3", "1"]
    assert first[0].collection == collections.listed(cast.hub, caller, "alpha")[1][0][0].uuid
