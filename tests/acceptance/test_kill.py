"""`kill -9` at any moment of ingest: what was acknowledged is there afterwards, and no envelope is there by half.

Fifty kills: of `cybex serve` itself, and, because that takes seconds to start, of web server and worker forked from a
warm process.
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.engine import make_url

from hub.store import integrity
from hub.store.database import Database
from tests.acceptance.kill_world import Place, Poster, check_status, make_place, read_all
from tests.acceptance.processes import BIN, KILLS, Probe, RunningProcess, clean_environment, free_port, start
from tests.acceptance.warm_hub import warm_process

SYNC_CONTENT_LENGTH = 64 * 1024
LARGE = 520  # objects: more than one transaction of the worker
LONGEST_LIFE = 0.35  # seconds from the first post to the kill
KILLS_OF_SERVE = 2
KILLS_OF_WARM = KILLS - KILLS_OF_SERVE


class Victim(Protocol):
    """A hub that answers, and can be killed with all its processes."""

    base_url: str

    def kill(self) -> None:
        """End it at once."""


class Served:
    """`cybex serve` with its worker."""

    def __init__(self, place: Place) -> None:
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}/"
        command: list[str | Path] = [BIN / "cybex", "serve", "--data", place.data, "--port", str(port), "--worker"]
        self._running: RunningProcess = start(command, place.environment)
        self._running.wait_until(Probe(f"{self.base_url}readyz"))

    def kill(self) -> None:
        """End every process of it at once."""
        self._running.kill()


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    """A hub on a database of its own."""
    environment = clean_environment(database_url, CYBEX_SYNC_CONTENT_LENGTH=str(SYNC_CONTENT_LENGTH))
    return make_place(tmp_path / "hub", environment)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same database, for a look from the side."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


def test_a_killed_cybex_serve_loses_nothing_it_acknowledged(place: Place, database: Database) -> None:
    survive(place, database, lambda: Served(place), kills=KILLS_OF_SERVE, seed=1)


def test_a_hub_killed_over_and_over_loses_nothing_it_acknowledged(
    place: Place, database: Database, database_url: str
) -> None:
    with warm_process(place.data, place.environment) as warm:
        survive(place, database, warm.start, kills=KILLS_OF_WARM, seed=2)
    if database.dialect == "sqlite":
        file = make_url(database_url).database
        assert file is not None
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def survive(place: Place, database: Database, begin: Callable[[], Victim], *, kills: int, seed: int) -> None:
    """Kill a hub so many times while somebody posts, and look after each what is there."""
    chance = random.Random(seed)
    poster = Poster(place, random.Random(seed + 100), LARGE)
    history: list[Stored] = []
    interrupted = unfinished = 0
    with killed_at_the_end() as killing:
        victim = killing(begin())
        for _ in range(kills):
            started = threading.Event()
            posting = Posting(poster, victim.base_url, started)
            assert started.wait(60)
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            victim.kill()
            posting.finish()
            interrupted += not poster.sent[-1].acknowledged
            unfinished += pass_two_minutes(database)
            victim = killing(begin())
            check(place, database, victim, poster, history)
        with poster.session() as session:
            repeat_unanswered(session, victim.base_url, poster)
            wait_for_the_worker(database, session, victim.base_url, poster)
            whole = read_collection(session, victim.base_url + place.collection, poster, None)
    assert whole[: len(history)] == history, "what was there has been lost or moved"
    assert interrupted >= kills / 2, "the kills must hit requests"
    assert kills < 20 or unfinished, "so many kills must hit the worker too"
    assert sorted(one.stix_id for one in whole) == sorted(name for envelope in poster.sent for name in envelope.objects)
    assert integrity.problems(database) == []


class Posting:
    """A thread that posts until the hub is gone; what went wrong in it is raised by `finish`."""

    def __init__(self, poster: Poster, base_url: str, started: threading.Event) -> None:
        self._wrong: list[AssertionError] = []
        self._thread = threading.Thread(target=self._run, args=(poster, base_url, started))
        self._thread.start()

    def finish(self) -> None:
        """Wait for its end."""
        self._thread.join(90)
        assert not self._thread.is_alive()
        if self._wrong:
            raise self._wrong[0]

    def _run(self, poster: Poster, base_url: str, started: threading.Event) -> None:
        try:
            poster.run(base_url, started)
        except AssertionError as error:
            self._wrong.append(error)


@contextmanager
def killed_at_the_end() -> Iterator[Callable[[Victim], Victim]]:
    """Give a function that remembers a hub, so that none is left when the test ends."""
    begun: list[Victim] = []

    def remember(victim: Victim) -> Victim:
        begun.append(victim)
        return victim

    try:
        yield remember
    finally:
        for victim in begun:
            try:
                victim.kill()
            except ProcessLookupError:
                continue


def pass_two_minutes(database: Database) -> int:
    """End the leases of the worker that was killed, as time would; return how many envelopes it had not finished."""
    with database.write() as tx:
        tx.execute(text("UPDATE submission SET leased_until = 0 WHERE leased_until IS NOT NULL"))
        return int(tx.execute(text("SELECT count(*) FROM submission WHERE completed_at IS NULL")).scalar_one())


def check(place: Place, database: Database, victim: Victim, poster: Poster, history: list[Stored]) -> None:
    """Assert every promise after a restart; add what was stored since to the history."""
    with poster.session() as session:
        wait_for_the_worker(database, session, victim.base_url, poster)
        since = history[-1].date_added if history else None
        history += read_collection(session, victim.base_url + place.collection, poster, since)
        there = {one.stix_id for one in history}
        assert len(there) == len(history), "an object is there twice"
        for envelope in poster.sent:
            found = len(envelope.objects.keys() & there)
            if envelope.acknowledged:
                assert found == len(envelope.objects), "an acknowledged object is lost"
            else:
                assert found in (0, len(envelope.objects)), "an envelope is stored by half"
        repeat_unanswered(session, victim.base_url, poster)


def repeat_unanswered(session: requests.Session, base_url: str, poster: Poster) -> None:
    """Post again what got no answer, as a client does that cannot know whether it was taken."""
    for envelope in poster.sent:
        if not envelope.acknowledged:
            poster.post(session, base_url, envelope)


def wait_for_the_worker(database: Database, session: requests.Session, base_url: str, poster: Poster) -> None:
    """Return once nothing is pending; every status on the way adds up, and at the end all of it is stored."""
    deadline = time.monotonic() + 60
    waiting = [envelope for envelope in poster.sent if envelope.status is not None]
    while True:
        with database.read() as tx:
            pending = tx.execute(text("SELECT count(*) FROM submission WHERE completed_at IS NULL")).scalar_one()
        for envelope in list(waiting):
            answer = session.get(f"{base_url}{envelope.status}", timeout=60)
            assert answer.status_code == 200, answer.text
            check_status(answer.json(), len(envelope.objects))
            if answer.json()["status"] == "complete":
                assert [line["id"] for line in answer.json()["successes"]] == list(envelope.objects)
                waiting.remove(envelope)
                envelope.status = None
        if not pending and not waiting:
            return
        assert time.monotonic() < deadline, "an envelope stays pending"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Stored:
    """A line of the manifest."""

    stix_id: str
    date_added: str


def read_collection(
    session: requests.Session, collection_url: str, poster: Poster, added_after: str | None
) -> list[Stored]:
    """Return what was stored after a date, having compared each octet, and every date, with what must be there."""
    sent = {stix_id: body for envelope in poster.sent for stix_id, body in envelope.objects.items()}
    ids: list[str] = []
    for page in read_all(session, f"{collection_url}objects/", added_after):
        on_page = [obj["id"] for obj in json.loads(page).get("objects", [])]
        assert b",".join(sent[stix_id] for stix_id in on_page) in page, "other bytes than were sent"
        ids += on_page
    stored = [
        Stored(record["id"], record["date_added"])
        for page in read_all(session, f"{collection_url}manifest/", added_after)
        for record in json.loads(page).get("objects", [])
    ]
    assert [one.stix_id for one in stored] == ids
    dates = [added_after or "", *(one.date_added for one in stored)]
    assert all(earlier < later for earlier, later in itertools.pairwise(dates)), "dates must increase"
    return stored
