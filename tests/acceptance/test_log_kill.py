"""`kill -9` while leaves are written and checkpoints signed, fifty times: the log stays one log, whole and provable."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hub import config
from hub.bootstrap import open_hub
from hub.domain import merkle
from hub.services import checkpoints, log_reading
from hub.store import checkpoints as store
from hub.store.database import Database
from tests.acceptance.kill_world import Place, make_place
from tests.acceptance.log_writer import writers
from tests.acceptance.processes import KILLS, clean_environment
from tests.services.log_world import check_log

LONGEST_LIFE = 0.12  # seconds from the first checkpoint to the kill


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    """A hub on a database of its own."""
    return make_place(tmp_path / "hub", clean_environment(database_url, CYBEX_PUBLIC_URL="https://hub.example/"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same database, for a look from the side."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


def test_a_log_that_is_killed_over_and_over_stays_one_log(place: Place, database: Database) -> None:
    chance = random.Random(5)
    signed: list[tuple[int, bytes]] = []
    behind = 0
    with writers(place.data, place.environment) as made:
        for kill in range(KILLS):
            writer = made.start()
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            os.kill(writer, signal.SIGKILL)
            with database.read() as tx:
                now = [(row.size, row.root) for row in store.every(tx)]
                behind += store.standing(tx).waiting_since is not None
            assert now[: len(signed)] == signed, "a checkpoint has gone or changed"
            assert len(now) > len(signed)
            signed = now
            if kill % 8 == 0:
                check_log(database)
    assert behind, "a kill must come between a leaf and its checkpoint"
    hub = open_hub(config.load(place.data, place.environment))
    try:
        checkpoints.make(hub)
        last = check_log(database, hub)
        with database.read() as tx:
            assert tx.execute(text("SELECT size FROM log_state")).scalar_one() == last
        for (old, old_root), (new, new_root) in itertools.pairwise(signed):
            proof = log_reading.consistency(hub, old, new)
            assert merkle.verify_consistency(old, new, old_root, new_root, proof.hashes)
    finally:
        hub.db.close()
