"""Runs the plain prototype on granian with as many workers and threads as the hub."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.process import free_port, listening
from benchmarks.target import Target

REPOSITORY = Path(__file__).parent.parent


@contextmanager
def running_floor(
    folder: Path, collections: Mapping[str, Iterable[Mapping[str, Any]]], *, workers: int, threads: int
) -> Iterator[Target]:
    """Give a prototype that holds the given objects per collection, and leave no process behind."""
    folder.mkdir(parents=True)
    for name, objects in collections.items():
        _fill(folder / f"{name}.db", objects)
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning"),
        *("--workers", str(workers), "--blocking-threads", str(threads)),
        *("--port", str(port), "benchmarks.floor_app:app"),
    ]
    variables = {"FLOOR_FOLDER": str(folder)}
    with listening(command, port=port, log=folder / "floor.log", cwd=REPOSITORY, variables=variables) as pid:
        yield Target(
            name="plain prototype",
            host="127.0.0.1",
            port=port,
            authorization="",
            status_path="/",
            collections={name: f"/{name}/objects/" for name in collections},
            pid=pid,
            note=f"granian, {workers} workers x {threads} threads, SQLite; no authentication, policy or validation",
        )


def _fill(database: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE entry (added INTEGER PRIMARY KEY, stix_id TEXT, body BLOB)")
    rows = ((place, stix_object["id"], orjson.dumps(stix_object)) for place, stix_object in enumerate(objects, start=1))
    with connection:
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
        connection.execute("CREATE INDEX entry_stix_id ON entry (stix_id)")
    connection.close()
