"""A backup is one moment of the hub in one file, and restores into either database."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, text

from hub.domain.membership import CredentialKind, Role
from hub.errors import Conflict, InvalidRequest
from hub.store import audit, collections, credentials, entries, held, keys, pages, refusals, relay_rights, submissions
from hub.store.backup import backup, restore
from hub.store.database import Database
from hub.store.held import NewHeld
from hub.store.integrity import problems
from hub.store.pages import Selection
from hub.store.refusals import Refusal
from hub.store.submissions import Submission
from hub.store.tables import metadata
from tests.store.world import NOW, World, make_world, named, new_entry


@pytest.fixture
def world(database: Database) -> World:
    made = make_world(database)
    with database.write() as tx:
        fill(tx, made)
    return made


def fill(tx: Any, world: World) -> None:
    """Put at least one row into every table."""
    aa, bb, collection = world.aa, world.bb, world.collection
    key = keys.add(
        tx,
        peer_id=aa.id,
        kid="ab" * 32,
        algorithm="Ed25519",
        public_key="MCow",
        valid_from=NOW,
        valid_until=None,
        now=NOW,
    )
    credentials.add(
        tx,
        peer_id=aa.id,
        kind=CredentialKind.BASIC,
        role=Role.FEED,
        label="feed",
        username="aa.feed",
        lookup=None,
        salt=b"\0salt",
        secret_hash=b"\xffhash",
        fingerprint=None,
        now=NOW,
        expires_at=None,
    )
    collections.set_override(tx, collection.id, bb.id, can_read=None, can_write=False)
    relay_rights.grant(tx, group_id=world.group.id, peer_id=bb.id, author_identity=aa.identity, now=NOW)
    gone = new_entry(aa)
    new = [new_entry(aa), new_entry(aa, audience=named(aa, bb), key_id=key.id, body=b'{"\xc3\xa9":1}'), gone]
    entries.insert(tx, collection.id, NOW, new)
    entries.delete(tx, collection.id, gone.stix_id, None, peer_id=aa.id, now=NOW)
    submission = Submission(
        "s1", world.group.id, collection.id, aa.id, None, "complete", NOW, NOW, b"d", 1, [{"id": "x", "version": "y"}]
    )
    submissions.add(tx, submission, None)
    refusals.add_many(tx, [Refusal("s1", collection.id, aa.id, "x", "y", "rule", "reason", b"d", b"bytes", NOW)])
    held.add(tx, collection.id, aa.id, "s1", [NewHeld("x", b"{}", b"d", NOW)])
    audit.add(tx, at=NOW, actor_peer_id=None, credential_id=None, action="a.b", subject="s", detail={"n": 1})
    for table in metadata.sorted_tables:
        if tx.execute(select(table).limit(1)).first() is None:
            tx.execute(insert(table).values(any_row(table)))


def any_row(table: Table) -> dict[str, Any]:
    """Return a value for every column of a table; 1 refers to the first row of any other."""
    values: dict[str, Any] = {}
    for column in table.c:
        if column.name == "id" and column.autoincrement is True:
            continue
        kind = column.type.python_type
        values[column.name] = b"\x00\xff" if kind is bytes else "x" if kind is str else True if kind is bool else 1
    return values


def everything(db: Database) -> dict[str, list[Any]]:
    with db.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
        }


def test_a_backup_restores_into_either_database(world: World, empty_database: Database, tmp_path: Path) -> None:
    """All four directions: the two databases of each of the two fixtures."""
    seen: list[tuple[int, int]] = []
    backup(world.db, tmp_path / "hub.backup", lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 0
    restore(tmp_path / "hub.backup", empty_database)
    before = everything(world.db)
    assert all(before.values()), [name for name, rows in before.items() if not rows]
    assert everything(empty_database) == before
    assert problems(empty_database) == []
    with empty_database.write() as tx:  # and it goes on from there
        (date,) = entries.insert(tx, world.collection.id, NOW, [new_entry(world.aa, audience=named(world.cc))])
        page = pages.objects(tx, Selection(world.collection.id, world.bb.id, NOW))
    assert date == NOW + 3
    assert len(page.bodies) == 2


def test_a_backup_is_for_its_owner_only_and_one_file(world: World, tmp_path: Path) -> None:
    backup(world.db, tmp_path / "hub.backup")
    assert stat.S_IMODE((tmp_path / "hub.backup").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == ["hub.backup"]


def test_a_backup_overwrites_nothing(world: World, tmp_path: Path) -> None:
    (tmp_path / "hub.backup").write_bytes(b"precious")
    with pytest.raises(Conflict):
        backup(world.db, tmp_path / "hub.backup")
    assert (tmp_path / "hub.backup").read_bytes() == b"precious"


def test_a_database_that_holds_data_is_not_restored_into(world: World, tmp_path: Path) -> None:
    before = everything(world.db)
    backup(world.db, tmp_path / "hub.backup")
    with pytest.raises(Conflict, match="empty"):
        restore(tmp_path / "hub.backup", world.db)
    assert everything(world.db) == before


def damaged(file: Path) -> None:
    octets = bytearray(file.read_bytes())
    octets[4096:40960] = b"\xee" * (40960 - 4096)
    file.write_bytes(octets)


def of_something_else(file: Path) -> None:
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE cats (name)")
    connection.commit()
    connection.close()


def orphaned(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DELETE FROM trust_group")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda file: file.write_bytes(b"not a database, but long enough" * 100), id="no database"),
        pytest.param(lambda file: file.unlink(), id="missing"),
        pytest.param(damaged, id="damaged"),
        pytest.param(of_something_else, id="another program's"),
        pytest.param(orphaned, id="rows missing"),
    ],
)
def test_a_bad_backup_leaves_nothing_behind(
    sqlite_url: str, tmp_path: Path, empty_database: Database, harm: Callable[[Path], None]
) -> None:
    source = Database.open(sqlite_url)
    world = make_world(source)
    with source.write() as tx:
        fill(tx, world)
    backup(source, tmp_path / "hub.backup")
    source.close()
    harm(tmp_path / "hub.backup")
    empty_database.migrate()
    with pytest.raises(InvalidRequest):
        restore(tmp_path / "hub.backup", empty_database)
    with empty_database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM peer")).scalar() == 0


@pytest.fixture
def writer(world: World) -> Iterator[threading.Event]:
    """Submissions of ten entries each, one after the other, until the test is over; the event says it has begun."""
    begun, over = threading.Event(), threading.Event()

    def write() -> None:
        while not over.is_set():
            with world.db.write() as tx:
                entries.insert(tx, world.collection.id, NOW, [new_entry(world.aa, body=b"x" * 5000) for _ in range(10)])
            begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    yield begun
    over.set()
    thread.join(60)


def test_a_backup_during_writes_is_one_moment(
    world: World, writer: threading.Event, empty_database: Database, tmp_path: Path
) -> None:
    assert writer.wait(30)
    with world.db.read() as tx:
        before = collection_count(tx, world)
    backup(world.db, tmp_path / "hub.backup")
    with world.db.read() as tx:
        after = collection_count(tx, world)
    restore(tmp_path / "hub.backup", empty_database)
    assert problems(empty_database) == []
    with empty_database.read() as tx:
        count = collection_count(tx, world)
        assert count == tx.execute(text("SELECT count(*) FROM entry")).scalar()
    assert before <= count <= after
    assert count % 10 == 2  # whole transactions only: two entries were there before the first ten


def collection_count(tx: Any, world: World) -> int:
    found: int = tx.execute(text("SELECT entries FROM collection WHERE id = :id"), {"id": world.collection.id}).scalar()
    return found
