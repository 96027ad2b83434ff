"""Feedback reaches the author, also under a pseudonym, and counts only for those who may see it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import text

from hub.errors import NotFound
from hub.services import feedback
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.feedback import Inbox, Tally
from tests.services.desk import Desk, Stix, later, marked
from tests.services.test_pseudonyms import adopt, signed


def about(desk: Desk, author: str, kind: str, target: str, **more: Any) -> Stix:
    """Return a sighting, opinion or note by a peer about an object."""
    made: Stix = {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid.uuid4()}",
        "created": desk.stamp(),
        "modified": desk.stamp(),
        "created_by_ref": desk.identity[author],
    }
    made |= {"sighting_of_ref": target} if kind == "sighting" else {"object_refs": [target]}
    return made | ({"content": "see"} if kind == "note" else {}) | more


def tally(desk: Desk, handle: str, stix_id: str) -> Tally:
    return feedback.of_object(desk.hub, desk.callers[handle], stix_id)


def inbox(desk: Desk, handle: str, after: str | None = None, limit: int = 100) -> Inbox:
    return feedback.inbox(desk.hub, desk.callers[handle], after=after, limit=limit)


def targets(found: Inbox) -> list[tuple[str, list[str]]]:
    return [(item.row.stix_id, item.about) for item in found.items]


def test_everything_said_of_an_object_is_counted_by_what_it_says(desk: Desk) -> None:
    target = desk.incident("aa")
    desk.share("aa", target)
    of = target["id"]
    said = [
        about(desk, "bb", "sighting", of),
        about(desk, "bb", "sighting", of, count=4),
        about(desk, "bb", "sighting", of, count=0),
        about(desk, "bb", "opinion", of, opinion="agree"),
        about(desk, "bb", "opinion", of, opinion="strongly-disagree"),
        about(desk, "bb", "note", of),
    ]
    desk.share("bb", *said)
    for handle in ("aa", "bb", "ee"):
        found = tally(desk, handle, of)
        assert (found.sightings, found.seen, found.unseen, found.notes) == (2, 5, 1, 1)
        assert {name: count for name, count in found.opinions.items() if count} == {"agree": 1, "strongly-disagree": 1}
        assert found.false_positives == 2
        assert {item.row.stix_id for item in found.items} == {one["id"] for one in said}
    assert feedback.of_object(desk.hub, OPERATOR, of).notes == 1
    with pytest.raises(NotFound):
        tally(desk, "cc", of)


def test_a_later_version_counts_alone_and_a_withdrawn_one_not_at_all(desk: Desk) -> None:
    target = desk.incident("aa")
    desk.share("aa", target)
    opinion = about(desk, "bb", "opinion", target["id"], opinion="agree")
    desk.share("bb", opinion)
    desk.share("bb", later(opinion, opinion="disagree"))
    assert tally(desk, "aa", target["id"]).opinions | {} == {
        "strongly-disagree": 0, "disagree": 1, "neutral": 0, "agree": 0, "strongly-agree": 0,
    }  # fmt: skip
    desk.share("bb", later(opinion, 2, opinion="disagree", revoked=True))
    assert sum(tally(desk, "aa", target["id"]).opinions.values()) == 0


def test_what_is_deleted_leaves_no_row(desk: Desk) -> None:
    target = desk.incident("aa")
    sighting = about(desk, "bb", "sighting", target["id"])
    desk.share("aa", target)
    desk.share("bb", sighting)
    desk.withdraw("bb", sighting["id"])
    assert tally(desk, "aa", target["id"]).sightings == 0
    assert not [item for item in inbox(desk, "aa").items if item.row.stix_id == sighting["id"]]
    with desk.hub.db.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM feedback")).scalar() == 0


def test_feedback_to_the_author_alone_reaches_him_and_counts_for_nobody_else(desk: Desk) -> None:
    target = desk.incident("aa")
    desk.share("aa", target)
    marking = desk.releasability("bb", recipient_refs=[desk.identity["aa"]])
    sighting = marked(about(desk, "bb", "sighting", target["id"], count=3), marking)
    desk.share("bb", marking, sighting)
    assert tally(desk, "aa", target["id"]).seen == tally(desk, "bb", target["id"]).seen == 3
    assert tally(desk, "ee", target["id"]).seen == 0
    assert not tally(desk, "ee", target["id"]).items
    assert targets(inbox(desk, "aa")) == [(sighting["id"], [target["id"]])]
    assert targets(inbox(desk, "ee")) == []


def test_feedback_about_a_pseudonyms_object_is_in_its_peers_inbox_and_no_others(desk: Desk) -> None:
    adopt(desk)
    target = desk.incident("nym")
    assert not desk.post("aa", *signed(desk, "nym", target)).failures
    marking = desk.releasability("bb", recipient_refs=[desk.identity["nym"]])
    opinion = marked(about(desk, "bb", "opinion", target["id"], opinion="disagree"), marking)
    desk.share("bb", marking, opinion)
    (item,) = inbox(desk, "aa").items
    assert (item.row.stix_id, item.about, item.false_positive) == (opinion["id"], [target["id"]], True)
    for handle in ("bb", "ee", "cc"):
        assert inbox(desk, handle).items == []
    assert tally(desk, "ee", target["id"]).false_positives == 0


def test_the_inbox_pages_in_the_order_of_the_log_and_goes_on_where_it_stopped(desk: Desk) -> None:
    desk.wait(60)
    first, second = desk.incident("aa"), desk.incident("aa")
    desk.share("aa", first, second)
    notes = [about(desk, "bb", "note", first["id"]) | {"object_refs": [first["id"], second["id"]]} for _ in range(3)]
    for alias, note in zip(("incidents", "indicators", "incidents"), notes, strict=True):
        desk.wait(-5)  # the clock of another process may be behind: the log orders all the same
        desk.share("bb", note, alias=alias)
    found, after = [], None
    for _ in range(3):
        page = inbox(desk, "aa", after, limit=1)
        found += targets(page)
        after = str(page.following)
    assert found == [(note["id"], sorted([first["id"], second["id"]])) for note in notes]
    last = inbox(desk, "aa", after)
    assert (last.items, last.more, str(last.following)) == ([], False, after)
    desk.share("bb", about(desk, "bb", "note", first["id"]))
    assert len(inbox(desk, "aa", after).items) == 1


def test_a_page_looks_at_a_bounded_stretch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, others = desk.incident("aa"), desk.incident("ee")
    desk.share("aa", mine)
    desk.share("ee", others)
    for target in (others, others, others, mine):
        desk.share("bb", about(desk, "bb", "sighting", target["id"]))
    monkeypatch.setattr("hub.domain.limits.FEEDBACK_STRETCH", 2)
    after, found = None, []
    for _ in range(5):
        page = inbox(desk, "aa", after)
        found += page.items
        after = str(page.following)
        if not page.more:
            break
    assert [item.about for item in found] == [[mine["id"]]]
    assert not page.more
