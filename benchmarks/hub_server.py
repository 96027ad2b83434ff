"""The hub as operators run it: `cybex serve` on embedded SQLite, web and worker under one command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.hub_world import SLUG, World
from benchmarks.process import free_port, listening
from benchmarks.target import Target

NAME = "CYBEX hub"


@contextmanager
def running_hub(world: World, *, workers: int, threads: int) -> Iterator[Target]:
    """Serve a world, and leave no process behind."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "cybex"), "serve", "--data", str(world.data), "--port", str(port)]
    variables = {"CYBEX_WORKERS": str(workers), "CYBEX_THREADS": str(threads), "CYBEX_LOG_LEVEL": "warning"}
    log = world.data / "serve.log"
    with listening(command, port=port, log=log, cwd=world.data, variables=variables) as pid:
        yield Target(
            name=NAME,
            host="127.0.0.1",
            port=port,
            authorization=world.bearer,
            status_path=f"/{SLUG}/status/",
            collections={name: f"/{SLUG}/collections/{uuid}/objects/" for name, uuid in world.collections.items()},
            pid=pid,
            note=f"granian, {workers} workers x {threads} threads, worker, SQLite WAL synchronous=FULL, Bearer, "
            "signatures required and checked, policy per object",
        )
