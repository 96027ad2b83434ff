"""What a connector remembers between runs: its bookmark, what waits to be posted, what was published, what was refused.

One SQLite file in the connector's folder; every method is one transaction, on disk when it returns. The connector's own
memory, not the hub's: when it is lost, everything is posted once more, and the hub says what it has already.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.sdk import limits
from hub.errors import ConfigError

FILE: Final = "ledger.sqlite3"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, stix_id TEXT NOT NULL, version TEXT NOT NULL, sha256 BLOB NOT NULL,
  body BLOB NOT NULL, original BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS published (
  stix_id TEXT NOT NULL, version TEXT NOT NULL, sha256 BLOB NOT NULL, PRIMARY KEY (stix_id, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refused (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, stix_id TEXT NOT NULL, version TEXT NOT NULL, rule TEXT NOT NULL,
  reason TEXT NOT NULL, at INTEGER NOT NULL, body BLOB, UNIQUE (stix_id, version));
"""

BOOKMARK: Final = "bookmark"
_NEXT: Final = "bookmark after the outbox"

OBJECT: Final = "object"
RETRACTION: Final = "retraction"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that is signed and not answered for yet.

    :param kind: ``object`` or ``retraction``. :param body: JSON list: the object as signed, and signatures beside it.
    :param sha256: of the object as the source gave it. :param original: that object, JSON.
    """

    kind: str
    stix_id: str
    version: str
    sha256: bytes
    body: bytes
    original: bytes
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """An object that was not taken, by the hub or by the system.

    :param at: microseconds since the epoch. :param body: the object as JSON, to be tried again; None when it is the
        hub's, which still has it.
    """

    stix_id: str
    version: str
    rule: str
    reason: str
    at: int
    body: bytes | None = None


class Ledger:
    """The memory of one connector. Only one process writes it: the runner holds a lock on the folder."""

    def __init__(self, folder: Path | None) -> None:
        """Open the file, made if it is not there; without a folder a memory that is gone afterwards."""
        try:
            self._db = sqlite3.connect(":memory:" if folder is None else folder / FILE, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise _damaged(folder, error) from None

    def copied(self) -> Ledger:
        """Return a copy that is gone afterwards, for a run that leaves nothing behind."""
        copy = Ledger(None)
        self._db.backup(copy._db)
        return copy

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @property
    def bookmark(self) -> str | None:
        """Where to go on."""
        return self._get(BOOKMARK)

    def move(self, bookmark: str) -> None:
        """Go on from here the next time."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (BOOKMARK, bookmark))

    def recall(self, name: str) -> str | None:
        """Return a note of the runner's own."""
        return self._get(f"note {name}")

    def note(self, name: str, value: str) -> None:
        """Keep a note of the runner's own."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (f"note {name}", value))

    def fill(self, waiting: Sequence[Waiting], bookmark: str | None, refusals: Sequence[Refusal]) -> None:
        """Keep what is to be posted, and where to go on once the hub has answered for all of it (None: as before)."""
        with self._transaction() as db:
            _add(db, waiting)
            _refuse(db, refusals)
            if bookmark is not None:
                db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (_NEXT, bookmark))

    def waiting(self, count: int) -> list[Waiting]:
        """Return the first that wait, all of one kind."""
        rows = self._db.execute(
            "SELECT kind, stix_id, version, sha256, body, original, seq FROM outbox ORDER BY seq LIMIT ?", (count,)
        ).fetchall()
        found = [Waiting(*row) for row in rows]
        return [one for one in found if one.kind == found[0].kind]

    @property
    def backlog(self) -> int:
        """How many wait."""
        return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def answered(
        self, rows: Sequence[Waiting], done: Sequence[Waiting], gone: Sequence[str], refusals: Sequence[Refusal]
    ) -> None:
        """Keep what the hub said of some that waited, which wait no longer.

        :param done: those of them that it has now. :param gone: ids that are withdrawn now.
        """
        with self._transaction() as db:
            db.executemany("DELETE FROM outbox WHERE seq = ?", [(one.seq,) for one in rows])
            for one in done:
                key = (one.stix_id, one.version)
                db.execute("INSERT OR REPLACE INTO published VALUES (?, ?, ?)", (*key, one.sha256))
                db.execute("DELETE FROM refused WHERE stix_id = ? AND version = ?", key)
            for stix_id in gone:
                db.execute("DELETE FROM published WHERE stix_id = ?", (stix_id,))
                db.execute("DELETE FROM refused WHERE stix_id = ?", (stix_id,))
            _refuse(db, refusals)

    def replace(self, old: Sequence[Waiting], new: Sequence[Waiting]) -> None:
        """Let others wait in the place of some; they are asked for after all that wait already."""
        with self._transaction() as db:
            db.executemany("DELETE FROM outbox WHERE seq = ?", [(one.seq,) for one in old])
            _add(db, new)

    def settle(self) -> None:
        """Move the bookmark behind what waited; call it when nothing waits any more."""
        following = self._get(_NEXT)
        with self._transaction() as db:
            if following is not None:
                db.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (BOOKMARK, following))
            db.execute("DELETE FROM memory WHERE name = ?", (_NEXT,))

    def published(self, stix_id: str, version: str) -> bytes | None:
        """Return the SHA-256 of the content under which a version was published; None when it was not."""
        row = self._db.execute(
            "SELECT sha256 FROM published WHERE stix_id = ? AND version = ?", (stix_id, version)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def refused(self, stix_id: str, version: str) -> bytes | None:
        """Return the content, JSON, that was refused under a version and not taken since; None when there is none."""
        row = self._db.execute(
            "SELECT body FROM refused WHERE stix_id = ? AND version = ?", (stix_id, version)
        ).fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def has(self, stix_id: str) -> bool:
        """Say whether any version of an object was published."""
        return self._db.execute("SELECT 1 FROM published WHERE stix_id = ? LIMIT 1", (stix_id,)).fetchone() is not None

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        """Keep what was not taken."""
        with self._transaction() as db:
            _refuse(db, refusals)

    def accept(self, stix_ids: Sequence[str]) -> None:
        """Forget that these were refused."""
        with self._transaction() as db:
            db.executemany("DELETE FROM refused WHERE stix_id = ?", [(one,) for one in stix_ids])

    def refusals(self) -> list[Refusal]:
        """Return everything that was refused and not taken since, oldest first."""
        rows = self._db.execute("SELECT stix_id, version, rule, reason, at, body FROM refused ORDER BY seq")
        return [Refusal(*row) for row in rows]

    def _get(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM memory WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _damaged(None, error) from None


def _add(db: sqlite3.Connection, waiting: Sequence[Waiting]) -> None:
    rows = [(one.kind, one.stix_id, one.version, one.sha256, one.body, one.original) for one in waiting]
    db.executemany(
        "INSERT INTO outbox (kind, stix_id, version, sha256, body, original) VALUES (?, ?, ?, ?, ?, ?)", rows
    )


def _refuse(db: sqlite3.Connection, refusals: Sequence[Refusal]) -> None:
    rows = [(one.stix_id, one.version, one.rule, one.reason, one.at, one.body) for one in refusals]
    db.executemany(
        "INSERT OR REPLACE INTO refused (stix_id, version, rule, reason, at, body) VALUES (?, ?, ?, ?, ?, ?)", rows
    )
    db.execute("DELETE FROM refused WHERE seq <= (SELECT max(seq) FROM refused) - ?", (limits.REFUSED_KEPT,))


def _damaged(folder: Path | None, error: sqlite3.Error) -> ConfigError:
    where = FILE if folder is None else folder / FILE
    return ConfigError(
        f"{where} cannot be used ({type(error).__name__}): make room, or remove it to post everything once more"
    )
