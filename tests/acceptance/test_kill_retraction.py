"""`kill -9` at any moment of a withdrawal: either nothing of it has happened, or all of it has."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from hub.domain.retraction import Target, notice
from hub.domain.taxii_time import parse_timestamp
from hub.store import integrity
from hub.store.database import Database
from tests.acceptance.kill_world import TAXII, Place, indicator, make_place
from tests.acceptance.processes import KILLS, clean_environment
from tests.acceptance.warm_hub import warm_process

LONGEST_LIFE = 0.3  # seconds from the first withdrawal to the kill
LATER = "2026-10-02T00:00:00.000Z"


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    """A hub on a database of its own."""
    return make_place(tmp_path / "hub", clean_environment(database_url))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same database, for a look from the side."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


@dataclass
class Author:
    """Posts objects and withdraws each in one of three ways until the hub is gone; keeps what it was promised."""

    place: Place
    random: random.Random
    begun: dict[str, str] = field(default_factory=dict)  # how, by STIX id
    promised: set[str] = field(default_factory=set)

    def run(self, base_url: str, started: threading.Event) -> None:
        objects = f"{base_url}{self.place.collection}objects/"
        with requests.Session() as session:
            session.auth = self.place.login
            session.headers.update({"Accept": TAXII, "Content-Type": TAXII})
            try:
                while True:
                    made = [self._new() for _ in range(3)]
                    self._post(session, objects, *made)
                    started.set()
                    for how, obj in zip(("deleted", "retracted", "revoked"), made, strict=True):
                        self.begun[obj["id"]] = how
                        if how == "deleted":
                            answer = session.delete(f"{objects}{obj['id']}/", timeout=60)
                            assert answer.status_code == 200, answer.text
                        elif how == "retracted":
                            self._post(session, objects, self._note(obj["id"]))
                        else:
                            self._post(session, objects, {**obj, "modified": LATER, "revoked": True})
                        self.promised.add(obj["id"])
            except requests.RequestException:
                started.set()

    def _new(self) -> dict[str, object]:
        return indicator(uuid.UUID(bytes=self.random.randbytes(16), version=4), self.place.identity)

    def _note(self, stix_id: str) -> dict[str, object]:
        return notice(
            stix_id=f"note--{uuid.UUID(bytes=self.random.randbytes(16), version=4)}",
            identity=self.place.identity,
            at=parse_timestamp("2026-10-03T00:00:00Z"),
            kind="retracted",
            targets=[Target(stix_id)],
        )

    def _post(self, session: requests.Session, objects: str, *some: dict[str, object]) -> None:
        answer = session.post(objects, data=json.dumps({"objects": some}), timeout=60)
        assert answer.status_code == 202, answer.text
        assert answer.json()["failure_count"] == 0, answer.text


def test_a_withdrawal_that_is_killed_has_happened_or_not(place: Place, database: Database) -> None:
    chance = random.Random(3)
    author = Author(place, random.Random(4))
    interrupted = 0
    with warm_process(place.data, place.environment) as warm:
        victim = warm.start()
        for number in range(KILLS):
            started, wrong = threading.Event(), list[BaseException]()
            thread = threading.Thread(target=_guarded(author, victim.base_url, started, wrong))
            thread.start()
            assert started.wait(60)
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            victim.kill()
            thread.join(90)
            assert not thread.is_alive()
            assert not wrong, wrong
            interrupted += author.begun.keys() != author.promised
            for stix_id, how in author.begun.items():
                happened = whole(database, stix_id, how)
                assert happened or stix_id not in author.promised, f"{how} was promised and is lost"
            author.begun = {stix_id: how for stix_id, how in author.begun.items() if stix_id in author.promised}
            if number + 1 < KILLS:
                victim = warm.start()
    assert author.promised
    assert interrupted, "a kill must hit a withdrawal"
    assert integrity.problems(database) == []


def _guarded(author: Author, base_url: str, started: threading.Event, wrong: list[BaseException]) -> Callable[[], None]:
    def run() -> None:
        try:
            author.run(base_url, started)
        except AssertionError as error:
            wrong.append(error)
            started.set()

    return run


def whole(database: Database, stix_id: str, how: str) -> bool:
    """Say whether a withdrawal has happened; it must not have happened by half."""
    with database.read() as tx:
        versions = tx.execute(
            text("SELECT version FROM entry WHERE stix_id = :id ORDER BY version"), {"id": stix_id}
        ).scalars()
        standing = list(versions)
        graves = tx.execute(text("SELECT count(*) FROM tombstone WHERE stix_id = :id"), {"id": stix_id}).scalar_one()
        rows = list(
            tx.execute(text("SELECT notice_id, log_index FROM retraction WHERE stix_id = :id"), {"id": stix_id})
        )
        notices = [
            tx.execute(text("SELECT count(*) FROM entry WHERE stix_id = :id"), {"id": notice_id}).scalar_one()
            for notice_id, _ in rows
        ]
        leaves = [
            tx.execute(text("SELECT kind FROM log_leaf WHERE idx = :index"), {"index": index}).scalar()
            for _, index in rows
        ]
    if not rows:
        assert (standing, graves) == (["2026-10-01T00:00:00.000Z"], 0), "gone without a word"
        return False
    assert standing == ([LATER] if how == "revoked" else []), "told, and still there"
    assert graves == (how != "revoked")
    assert notices == [1] * len(rows), "on record, and not told"
    assert leaves == ["retracted"] * len(rows)
    return True
