"""A real medallion 3.0.0, the OASIS reference server, in its own process on a port of its own choosing."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
TAXII = "application/taxii+json;version=2.1"

_RUNNING_ON = re.compile(r"Running on http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class MedallionCollection:
    """One collection of the server; ``objects`` are there from the start, added one microsecond apart.

    medallion keeps one pair of rights per collection, not per user.
    """

    uuid: str
    title: str
    can_read: bool = True
    can_write: bool = True
    objects: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class RunningMedallion:
    """Where the server listens. ``base_url`` ends with a slash."""

    base_url: str
    api_root: str
    username: str
    password: str
    pid: int

    def objects_path(self, collection_uuid: str) -> str:
        """Return the path of a collection's objects."""
        return f"/{self.api_root}/collections/{collection_uuid}/objects/"


@contextmanager
def running_medallion(
    folder: Path,
    collections: Sequence[MedallionCollection],
    *,
    api_root: str = "bravo",
    title: str = "Bravo",
    max_page_size: int = 1000,
    max_content_length: int = 32 * 1024 * 1024,
    discovery: Mapping[str, Any] | None = None,
) -> Iterator[RunningMedallion]:
    """Give a medallion that answers, and leave no process behind. Raises RuntimeError when it does not come up."""
    folder.mkdir(parents=True, exist_ok=True)
    username, password = "bb-feed", secrets.token_urlsafe()
    data, config, log = folder / "data.json", folder / "config.json", folder / "medallion.log"
    root = {
        "information": {"title": title, "versions": [TAXII], "max_content_length": max_content_length},
        "status": [],
        "collections": [_collection(collection) for collection in collections],
    }
    found = {"title": title, "default": f"/{api_root}/", "api_roots": [f"/{api_root}/"]}
    data.write_text(json.dumps({"/discovery": dict(discovery or found), api_root: root}), encoding="utf-8")
    backend = {
        "module": "medallion.backends.memory_backend",
        "module_class": "MemoryBackend",
        "filename": str(data),
    }
    settings = {"backend": backend, "users": {username: password}, "taxii": {"max_page_size": max_page_size}}
    config.write_text(json.dumps(settings), encoding="utf-8")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "medallion.scripts.run", "--port", "0", str(config)],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
        )
    try:
        port = _port(process, log)
        yield RunningMedallion(f"http://127.0.0.1:{port}/", api_root, username, password, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port the process says it listens on; it picks a free one itself, so two runs cannot collide."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = _RUNNING_ON.search(log.read_text(encoding="utf-8", errors="replace"))
        if found is not None:
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError("medallion did not start:\n" + log.read_text(encoding="utf-8", errors="replace")[-2000:])


def _collection(collection: MedallionCollection) -> dict[str, Any]:
    objects = [dict(stix_object) for stix_object in collection.objects]
    return {
        "id": collection.uuid,
        "title": collection.title,
        "can_read": collection.can_read,
        "can_write": collection.can_write,
        "media_types": ["application/stix+json;version=2.1"],
        "objects": objects,
        "manifest": [_manifest_record(stix_object, place) for place, stix_object in enumerate(objects)],
    }


def _manifest_record(stix_object: Mapping[str, Any], place: int) -> dict[str, Any]:
    seconds, microseconds = divmod(place, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    added = f"2026-01-01T00:{minutes:02d}:{seconds:02d}.{microseconds:06d}Z"
    return {
        "id": stix_object["id"],
        "date_added": added,
        "version": stix_object.get("modified", stix_object.get("created", added)),
        "media_type": "application/stix+json;version=2.1",
    }
