"""A world under attack: what a request did to it, and whether it still works."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import unquote

from sqlalchemy import func, select

from hub.domain.canonical import jcs
from hub.services.context import Bounds
from hub.store import keys, tables
from hub.store.database import Database
from tests.web.hostile.json_rows import MAX_CONTENT_LENGTH
from tests.web.hostile.row import CANARY, Row
from tests.web.hostile.signature_rows import KEY
from tests.web.taxii.world import OBJECTS, START, Answer, World, build, indicator

CHANGING = {"submission", "refusal", "log_leaf"}
"""Tables where a refused object leaves its status, and what the operator may want to know."""


@dataclass
class Target:
    """A world, and a number for each good object that was posted after an attack."""

    world: World
    numbers: Any = field(default_factory=lambda: count(10_000))
    answered: set[str] = field(default_factory=set)

    def send(self, row: Row) -> Answer:
        """Send a hostile request as a member who may read and write."""
        return self.world.aa.call(row.method, row.target, row.body, row.headers, chunked=row.chunked)

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has that a refused request must not change."""
        with self.world.hub.db.read() as tx:
            return {
                table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables.metadata.sorted_tables
                if table.name not in CHANGING
            }

    def check_alive(self) -> None:
        """Post a good object, and find it as the last of the collection."""
        good = indicator(next(self.numbers))
        self.world.aa.add("indicators", good)
        assert jcs(good) in self.world.aa.get(f"{OBJECTS}?match[id]={good['id']}").body


def check_no_echo(answer: Answer) -> None:
    """Assert that nothing of the request comes back."""
    seen = answer.body.decode() + "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    assert CANARY not in unquote(seen).lower(), "the answer repeats what was sent"
    assert b"<html" not in answer.body.lower()
    assert b"Traceback" not in answer.body


def check_failure(answer: Answer, names: str) -> None:
    """Assert that the status has one failure, or more, that name what is wrong, and no success."""
    status = answer.json
    assert (status["status"], status["success_count"]) == ("complete", 0), status
    assert status["failure_count"] == status["total_count"]
    for line in status["failures"]:
        assert names in line["message"], line
        assert len(line["message"]) < 500


def make_target(database: Database) -> Target:
    """Return a world with one object and a signing key of ``aa``."""
    world = build(database, bounds=Bounds(max_content_length=MAX_CONTENT_LENGTH))
    with database.write() as tx:
        keys.add(
            tx,
            peer_id=world.peers["aa"].id,
            kid=KEY.public.kid,
            algorithm=KEY.algorithm,
            public_key=KEY.public.text,
            valid_from=START - 10**12,
            valid_until=None,
            now=START,
        )
    world.aa.add("indicators", indicator(1))
    return Target(world)
