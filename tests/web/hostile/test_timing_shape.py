"""What may not be known of costs the hub the same work as what does not exist: the same statements, and as many.

No time is measured. The statements are seen at the driver, where the hot ones bypass SQLAlchemy.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from hub.domain.releasability import EXTENSION_ID
from hub.store.database import Database
from tests.web.taxii.conftest import database as database_fixture
from tests.web.taxii.conftest import kept_database
from tests.web.taxii.world import OBJECTS, UNKNOWN_UUID, Answer, Client, World, build, identity_of, indicator

__all__ = ["kept_database"]
database = database_fixture

HIDDEN_COLLECTION = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b"
HIDDEN, ABSENT = indicator(1)["id"], indicator(999)["id"]
_COLLECTION = "/{}/collections/{}/"
Ask = Callable[[Client], Answer]


@pytest.fixture
def world(database: Database) -> World:
    """A world in which ``bb`` has posted one object that ``aa`` may not see, and has a status of his own."""
    made = build(database)
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--00000000-0000-4000-8000-00000000abcd",
        "created": "2026-10-01T00:00:00.000Z",
        "created_by_ref": identity_of(1),
        "extensions": {
            EXTENSION_ID: {
                "extension_type": "property-extension",
                "onward_relay": False,
                "recipient_refs": [identity_of(3)],
            }
        },
    }
    made.bb.add("indicators", marking)
    made.bb.add("indicators", indicator(1, created_by_ref=identity_of(1), object_marking_refs=[marking["id"]]))
    assert made.bb.get(OBJECTS).ids == [marking["id"], HIDDEN]
    assert HIDDEN not in made.aa.get(OBJECTS).ids
    return made


@contextmanager
def spied(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give the list of statements that the hub's database sends from now on."""
    seen: list[str] = []
    if world.hub.db.dialect == "sqlite":
        with world.hub.db.read() as tx:
            connection = tx.connection.driver_connection
        assert isinstance(connection, sqlite3.Connection)  # last in, first out: the next request gets the same one
        connection.set_trace_callback(lambda statement: seen.append(without_values(statement)))
        yield seen
        connection.set_trace_callback(None)
        return
    execute = psycopg.Cursor.execute

    def watched(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(str(query))
        return execute(cursor, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", watched)
        yield seen


def without_values(statement: str) -> str:
    """Return SQL without its literals, which SQLite's trace has filled in."""
    return re.sub(r"'(?:[^']|'')*'|\b\d+\b", "?", statement)


def get(path: str) -> Ask:
    """Return how to GET a path."""
    return lambda client: client.get(path)


def delete(path: str) -> Ask:
    """Return how to DELETE a path."""
    return lambda client: client.delete(path)


def post(path: str) -> Ask:
    """Return how to POST an indicator to a path."""
    return lambda client: client.post(path, {"objects": [indicator(5)]})


PAIRS: dict[str, tuple[Ask, Ask]] = {
    "group": (get("/bravo/"), get("/absent/")),
    "collections": (get("/bravo/collections/"), get("/absent/collections/")),
    "collection by id": (get(_COLLECTION.format("bravo", HIDDEN_COLLECTION)),
                         get(_COLLECTION.format("bravo", UNKNOWN_UUID))),
    "collection by alias": (get(_COLLECTION.format("bravo", "indicators")),
                            get(_COLLECTION.format("bravo", "absent"))),
    "collection of another group": (get(_COLLECTION.format("alpha", HIDDEN_COLLECTION)),
                                    get(_COLLECTION.format("alpha", UNKNOWN_UUID))),
    "objects": (get(_COLLECTION.format("bravo", "indicators") + "objects/"),
                get(_COLLECTION.format("absent", "indicators") + "objects/")),
    "manifest": (get(_COLLECTION.format("bravo", "indicators") + "manifest/"),
                 get(_COLLECTION.format("absent", "indicators") + "manifest/")),
    "posting": (post(_COLLECTION.format("bravo", "indicators") + "objects/"),
                post(_COLLECTION.format("absent", "indicators") + "objects/")),
    "object": (get(f"{OBJECTS}{HIDDEN}/"), get(f"{OBJECTS}{ABSENT}/")),
    "versions": (get(f"{OBJECTS}{HIDDEN}/versions/"), get(f"{OBJECTS}{ABSENT}/versions/")),
    "deleting": (delete(f"{OBJECTS}{HIDDEN}/"), delete(f"{OBJECTS}{ABSENT}/")),
    "status": (get("/alpha/status/{status}/"), get(f"/alpha/status/{UNKNOWN_UUID}/")),
    "status in another group": (get("/bravo/status/{status}/"), get(f"/absent/status/{UNKNOWN_UUID}/")),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_hidden_and_absent_cost_the_same_statements(name: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, absent = PAIRS[name]
    if "status" in name:
        number = world.bb.add("indicators", indicator(7))["id"]
        slug = "alpha" if name == "status" else "bravo"
        hidden = get(f"/{slug}/status/{number}/")
    world.aa.get("/taxii2/")  # the login is noted as used once a minute
    outcomes = []
    for ask in (hidden, absent):
        with spied(world, monkeypatch) as statements:
            answer = ask(world.aa)
        value = answer.json
        del value["error_id"]
        outcomes.append((answer.status, value, sorted(answer.headers.keys()), statements))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == 404
    assert len(outcomes[0][3]) >= 2, "nothing was seen"


def test_the_count_sees_a_difference(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for path in (f"{OBJECTS}{ABSENT}/", OBJECTS):
        with spied(world, monkeypatch) as statements:
            world.aa.get(path)
        seen.append(list(statements))
    assert seen[0] != seen[1]
