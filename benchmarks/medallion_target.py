"""medallion as a target: its own command, one process, memory backend; its paging state allows no second worker."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.target import Target
from tests.foreign.medallion_server import MedallionCollection, running_medallion


@contextmanager
def measured_medallion(folder: Path, collections: Mapping[str, Iterable[Mapping[str, Any]]]) -> Iterator[Target]:
    """Give a medallion that holds the given objects per collection."""
    ids = {name: str(uuid.uuid4()) for name in collections}
    made = [MedallionCollection(ids[name], name, objects=tuple(objects)) for name, objects in collections.items()]
    with running_medallion(folder, made) as server:
        address = urlsplit(server.base_url)
        secret = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
        yield Target(
            name="medallion 3.0.0",
            host=str(address.hostname),
            port=int(address.port or 0),
            authorization=f"Basic {secret}",
            status_path=f"/{server.api_root}/status/",
            collections={name: server.objects_path(ids[name]) for name in collections},
            pid=server.pid,
            note="its own server, one process, memory backend, Basic",
        )
