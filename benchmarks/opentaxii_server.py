"""OpenTAXII in an environment of its own: gunicorn, SQLite in WAL mode, as many workers as the hub."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.process import free_port, listening
from benchmarks.target import TAXII, Target

REQUIREMENTS = Path(__file__).with_name("opentaxii-requirements.txt")
SECRET = "a secret of the benchmark, longer than thirty-two octets"
_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


def environment(folder: Path) -> Path:
    """Return the bin folder of a virtual environment that has the pinned OpenTAXII, made on the first call."""
    home = folder / "opentaxii"
    done = home / "installed.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", "-r", str(REQUIREMENTS)], check=True)
        done.write_text(wanted, encoding="utf-8")
    return home / "bin"


@contextmanager
def running_opentaxii(
    folder: Path,
    bin_folder: Path,
    collections: Mapping[str, Iterable[Mapping[str, Any]]],
    *,
    workers: int,
    threads: int,
) -> Iterator[Target]:
    """Give an OpenTAXII that holds the given objects per collection, and leave no process behind.

    The objects are put into its tables directly: over HTTP, 40,000 would take minutes and measure nothing new.
    """
    folder.mkdir(parents=True)
    config = folder / "opentaxii.yml"
    config.write_text(_configuration(folder), encoding="utf-8")
    variables = {"OPENTAXII_CONFIG": str(config), "PYTHONPATH": str(Path(__file__).parent)}
    commands: tuple[tuple[str, ...], ...] = (
        ("opentaxii-create-account", "-u", "bench", "-p", "bench"),
        ("opentaxii-update-account", "-u", "bench", "-f", "admin", "-v", "yes"),
        ("opentaxii-add-api-root", "-t", "bench", "--default"),
    )
    for step in commands:
        program = [str(bin_folder / step[0]), *step[1:]]
        subprocess.run(program, env={**os.environ, **variables}, check=True, capture_output=True, cwd=folder)
    root, ids = _fill(folder / "data.db", collections)
    port = free_port()
    command = [
        *(str(bin_folder / "gunicorn"), "opentaxii_wsgi:app", "--config", "python:opentaxii_wsgi"),
        *("--bind", f"127.0.0.1:{port}", "--workers", str(workers)),
        *("--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "60", "--timeout", "600"),
        "--no-control-socket",
    ]
    with listening(command, port=port, log=folder / "opentaxii.log", cwd=folder, variables=variables) as pid:
        yield Target(
            name="OpenTAXII 0.9.3",
            host="127.0.0.1",
            port=port,
            authorization=f"Bearer {_token(port)}",
            status_path=f"/taxii2/{root}/status/",
            collections={name: f"/taxii2/{root}/collections/{uid}/objects/" for name, uid in ids.items()},
            pid=pid,
            headers={"Content-Type": TAXII},
            note=f"gunicorn gthread, {workers} workers x {threads} threads, SQLite WAL, Bearer, UUID fault mended",
        )


def _configuration(folder: Path) -> str:
    database = "{folder}/{name}.db"
    settings = {
        "domain": "127.0.0.1",
        "support_basic_auth": True,
        "return_server_error_details": False,
        "auth_api": {
            "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
            "parameters": {
                "db_connection": "sqlite:///" + database.format(folder=folder, name="auth"),
                "create_tables": True,
                "secret": SECRET,
            },
        },
        "taxii1": None,
        "taxii2": {
            "title": "bench",
            "public_discovery": True,
            "max_content_length": 32 * 1024 * 1024,
            "persistence_api": {
                "class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI",
                "parameters": {
                    "db_connection": "sqlite:///" + database.format(folder=folder, name="data"),
                    "create_tables": True,
                    "connect_args": {"timeout": 60},
                },
            },
        },
        "logging": {"root": "warning", "opentaxii": "warning"},
    }
    return json.dumps(settings, indent=2)  # YAML 1.2 contains JSON


def _fill(database: Path, collections: Mapping[str, Iterable[Mapping[str, Any]]]) -> tuple[str, dict[str, str]]:
    """Put the collections and their objects into the server's own tables, as its add_objects would."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    root = str(connection.execute("SELECT id FROM opentaxii_api_root").fetchone()[0])
    ids: dict[str, str] = {}
    with connection:
        for name, objects in collections.items():
            uid = uuid.uuid4()
            ids[name] = str(uid)
            connection.execute(
                "INSERT INTO opentaxii_collection (id, api_root_id, title, alias, is_public, is_public_write)"
                " VALUES (?, ?, ?, ?, 0, 0)",
                (uid.hex, root, name, name),
            )
            connection.executemany(
                "INSERT INTO opentaxii_stixobject"
                " (pk, id, collection_id, type, spec_version, date_added, version, serialized_data)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (_row(uid.hex, stix_object, place) for place, stix_object in enumerate(objects)),
            )
    connection.close()
    return str(uuid.UUID(root)), ids


def _row(collection: str, stix_object: Mapping[str, Any], place: int) -> tuple[str, ...]:
    added = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=place)
    version = datetime.strptime(stix_object["modified"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    rest = {name: value for name, value in stix_object.items() if name not in ("id", "type", "spec_version")}
    return (
        uuid.uuid4().hex,
        stix_object["id"],
        collection,
        stix_object["type"],
        stix_object["spec_version"],
        added.strftime(_FORMAT),
        version.strftime(_FORMAT),
        json.dumps(rest),
    )


def _token(port: int) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/management/auth",
        data=json.dumps({"username": "bench", "password": "bench"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["token"])
