"""What a collection keeps no longer goes, with what belongs to it, in steps and logged; what is held stays."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import pytest
from sqlalchemy import Connection, text

from hub.domain.canonical import jcs
from hub.domain.stix import instant_us
from hub.errors import Forbidden, InvalidRequest
from hub.services import audit, collections, retention
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store import collections as collection_store
from hub.store import holds as hold_store
from hub.store import retention as store
from tests.services.desk import EVERY_VERSION, Desk, Stix, domain, later, versions_of

DAYS = 24 * 3600
TOMORROW = "2026-11-23T00:00:00Z"


def keep(desk: Desk, added: int | None = None, expired: int | None = None, revoked: int | None = None) -> None:
    """Let the incidents of alpha be kept for so many days."""
    seconds = [None if days is None else days * DAYS for days in (added, expired, revoked)]
    collections.update(desk.hub, OPERATOR, "alpha", "incidents", retention=retention.checked(*seconds))


def run(desk: Desk) -> int:
    return sum(report.removed for report in retention.run(desk.hub))


def indicator(desk: Desk, **more: Any) -> Stix:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": desk.stamp(),
        "modified": desk.stamp(),
        "created_by_ref": desk.identity["aa"],
        "pattern": "[domain-name:value = 'login.example']",
        "pattern_type": "stix",
        "valid_from": desk.stamp(),
    } | more


def hold(desk: Desk, stix_id: str | None = None) -> str:
    made = str(uuid.uuid4())
    opened = desk.opened("aa")
    with desk.hub.db.write() as tx:
        hold_store.place(
            tx,
            uuid=made,
            group_id=opened.group.id,
            collection_id=None,
            stix_id=stix_id,
            reason="case 7",
            now=desk.now(),
        )
    return made


def entries(desk: Desk) -> tuple[int, int]:
    """Return how many entries the collection says it has, and how many it has."""
    with desk.hub.db.read() as tx:
        said = tx.execute(text("SELECT sum(entries) FROM collection")).scalar_one()
        return int(said), int(tx.execute(text("SELECT count(*) FROM entry")).scalar_one())


def test_nothing_goes_where_nothing_was_said(desk: Desk) -> None:
    desk.share("aa", desk.incident("aa"))
    desk.wait(10_000 * DAYS)
    assert retention.run(desk.hub) == []


def test_what_is_old_enough_goes_and_may_be_posted_again(desk: Desk) -> None:
    keep(desk, added=90)
    old, observable = desk.incident("aa"), domain()
    signed = desk.sign("aa", old)
    desk.post("aa", *signed)
    desk.share("aa", observable)
    desk.wait(60 * DAYS)
    new = desk.incident("aa")
    desk.share("aa", new)
    desk.wait(30 * DAYS - 1)
    assert run(desk) == 0
    desk.wait(2)
    assert run(desk) == 3  # the incident, the observable and the signature over it
    assert desk.ids("bb") == [new["id"]]
    assert len(set(entries(desk))) == 1
    assert run(desk) == 0
    status = desk.post("aa", *signed)
    assert not status.failures, status.failures
    assert old["id"] in desk.ids("bb")
    desk.wait(29 * DAYS)
    assert run(desk) == 0
    desk.wait(61 * DAYS)
    run(desk)
    assert desk.ids("bb") == []


def test_an_indicator_goes_some_time_after_its_own_end(desk: Desk) -> None:
    keep(desk, expired=30)
    ended, open_ = indicator(desk, valid_until=desk.stamp(DAYS)), indicator(desk)
    talk = desk.incident("aa", name='It says "valid_until":"2020-01-01T00:00:00Z" and "revoked":true in its name')
    desk.share("aa", ended, open_, talk)
    desk.wait(31 * DAYS - 1)
    assert run(desk) == 0
    desk.wait(1)
    assert run(desk) == 1
    assert desk.ids("bb") == [open_["id"], talk["id"]]


def test_what_its_author_lets_expire_goes_too(desk: Desk) -> None:
    keep(desk, expired=1)
    marking = desk.releasability("aa", permission_expires=desk.stamp(DAYS))
    incident = desk.incident("aa") | {"object_marking_refs": [marking["id"]]}
    desk.share("aa", marking, incident)
    desk.wait(2 * DAYS)
    assert run(desk) >= 1
    assert incident["id"].encode() not in b"".join(desk.stored())


def test_what_is_revoked_goes_some_time_later(desk: Desk) -> None:
    keep(desk, revoked=7)
    incident = desk.incident("aa")
    desk.share("aa", incident)
    desk.wait(30 * DAYS)
    desk.share("aa", later(incident, 5, revoked=True))
    desk.wait(7 * DAYS - 1)
    assert run(desk) == 0
    desk.wait(1)
    assert run(desk) == 1
    assert desk.seen("bb", versions=EVERY_VERSION) == []


def test_no_earlier_version_comes_back_as_the_latest(desk: Desk) -> None:
    keep(desk, expired=1)
    first = indicator(desk)
    desk.share("aa", first)
    desk.share("aa", later(first, 1, valid_until=desk.stamp(DAYS)))
    desk.wait(3 * DAYS)
    assert run(desk) == 2
    assert versions_of(desk.seen("bb", versions=EVERY_VERSION), first["id"]) == []


def test_a_later_version_stays_without_the_ones_before_it(desk: Desk) -> None:
    keep(desk, added=10)
    first = desk.incident("aa")
    desk.share("aa", first)
    desk.wait(5 * DAYS)
    second = later(first, 60)
    desk.share("aa", second)
    desk.wait(6 * DAYS)
    assert run(desk) == 1
    assert versions_of(desk.seen("bb", versions=EVERY_VERSION), first["id"]) == [second["modified"]]


@pytest.mark.parametrize("whole", [False, True], ids=["one object", "the whole group"])
def test_what_is_under_a_hold_stays_until_it_is_released(desk: Desk, whole: bool) -> None:
    keep(desk, added=1)
    held, other = desk.incident("aa"), desk.incident("aa")
    desk.share("aa", held, other)
    made = hold(desk, None if whole else held["id"])
    desk.wait(2 * DAYS)
    (report,) = retention.planned(desk.hub, OPERATOR, lambda _: None)
    assert (report.due.added, report.due.held) == ((0, 2) if whole else (1, 1))
    assert run(desk) == (0 if whole else 1)
    assert held["id"] in desk.ids("bb")
    with desk.hub.db.write() as tx:
        hold_store.release(tx, made, desk.now())
    assert run(desk) == (2 if whole else 1)
    assert desk.ids("bb") == []


def test_each_chunk_is_one_transaction_with_its_line_and_its_leaf(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.domain.limits.RETENTION_CHUNK_OBJECTS", 2)
    keep(desk, added=1)
    made = desk.sign("aa", *(desk.incident("aa", name=str(number)) for number in range(5)))
    desk.post("aa", *made)
    desk.wait(2 * DAYS)
    assert [report.finished for report in retention.run(desk.hub, chunks=1)] == [False]
    assert len(desk.ids("bb")) == 3
    assert run(desk) == 3
    lines = [one.line for one in audit.recent(desk.hub, OPERATOR, limit=20)][::-1]
    removed = [line for line in lines if line.action == "retention.remove"]
    assert [line.detail["versions"] for line in removed] == [2, 2, 1]
    first = [[one["id"], one["modified"], hashlib.sha256(jcs(one)).hexdigest()] for one in made[:2]]
    assert removed[0].detail["sha256"] == hashlib.sha256(jcs(first)).hexdigest()
    with desk.hub.db.read() as tx:
        leaves = tx.execute(text("SELECT payload FROM log_leaf WHERE kind = 'retention.remove' ORDER BY idx")).scalars()
        assert [json.loads(leaf)["detail"]["versions"] for leaf in leaves] == [2, 2, 1]
        assert tx.execute(text("SELECT count(*) FROM tombstone")).scalar() == 0


def test_bodies_are_looked_into_once_a_bounded_number_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.domain.limits.RETENTION_EXAMINED", 3)
    looked: list[int] = []
    real = store.unexamined

    def counting(tx: Connection, collection_id: int, *, limit: int) -> Any:
        rows = real(tx, collection_id, limit=limit)
        looked.extend(row[0] for row in rows if limit > 1)
        return rows

    monkeypatch.setattr(store, "unexamined", counting)
    keep(desk, expired=1)
    desk.share("aa", *(indicator(desk, valid_until=desk.stamp(DAYS)) for _ in range(7)))
    desk.wait(3 * DAYS)
    assert run(desk) == 7
    run(desk)
    assert len(looked) == len(set(looked)) == 7


def test_a_dry_run_counts_and_removes_nothing(desk: Desk) -> None:
    keep(desk, added=3, expired=1, revoked=1)
    desk.share("aa", indicator(desk, valid_until=desk.stamp(DAYS)), desk.incident("aa", revoked=True))
    desk.wait(2 * DAYS)
    (report,) = retention.planned(desk.hub, OPERATOR, lambda _: None)
    assert (report.due.added, report.due.expired, report.due.revoked, report.due.held) == (0, 1, 1, 0)
    assert len(desk.ids("bb")) == 2


def test_only_operators_set_and_run_it_and_a_day_is_the_least(desk: Desk) -> None:
    moderator = desk.cast.caller("moderator")
    with pytest.raises(Forbidden):
        collections.update(desk.hub, moderator, "alpha", "incidents", title="Mine")
    with pytest.raises(Forbidden):
        retention.run(desk.hub, moderator)
    with pytest.raises(InvalidRequest):
        retention.checked(3600, None, None)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        pytest.param(
            "indicator",
            {"valid_until": "2026-11-23T00:00:00Z"},
            [("expired", "2026-11-23T00:00:00Z")],
            id="valid_until",
        ),
        pytest.param("malware", {"valid_until": "2026-11-23T00:00:00Z"}, [], id="of another type"),
        pytest.param("incident", {"x": {"revoked": True}}, [], id="revoked deeper inside"),
        pytest.param("incident", {"revoked": True}, [("revoked", "1970-01-01T00:00:00.000007Z")], id="revoked"),
    ],
)
def test_only_what_the_object_says_of_itself_counts(kind: str, body: Stix, found: list[tuple[str, str]]) -> None:
    ends = retention.ends(kind, 7, None, jcs({"type": kind, **body}))
    assert [(one.cause, one.at) for one in ends] == [(cause, instant_us(at)) for cause, at in found]


def test_what_is_due_is_found_inside_indexes(desk: Desk) -> None:
    keep(desk, added=1, expired=1, revoked=1)
    desk.share("aa", *(indicator(desk, valid_until=desk.stamp(DAYS)) for _ in range(3)))
    retention.planned(desk.hub, OPERATOR, lambda _: None)
    opened = desk.opened("aa")
    with desk.hub.db.write() as tx:
        place = collection_store.by_id(tx, opened.collection.id)
        sqlite = tx.dialect.name == "sqlite"
        if not sqlite:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
        for name, statement in store._due(place, desk.now()).items():
            spelled = str(statement.limit(500).compile(tx.engine, compile_kwargs={"literal_binds": True}))
            explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plan = "\n".join(str(tuple(row)) for row in tx.execute(text(explain + spelled.replace(":", "\\:"))))
            wanted = "entry_" if name == "added" else "retention_due_at"  # entry_date and entry_page begin alike
            assert wanted in plan, (name, plan)
            assert "SCAN entry " not in plan, (name, plan)
            assert "Seq Scan on entry" not in plan, (name, plan)
