"""A real `cybex serve` with one trust group where signatures are optional, so that unmodified clients can post."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub import config
from hub.bootstrap import open_hub
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import collections, credentials, groups, members, peers
from hub.services.actor import LOCAL_OPERATOR
from hub.store.database import Database

SLUG = "bravo"
HANDLE = "bb"
ALIAS = "indicators"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Where the hub listens and how peer ``bb`` calls it. URLs end with a slash.

    :param collection: UUID; ``bb`` reads and writes there.
    :param unreadable: UUID of one where ``bb`` may only write.
    :param unwritable: UUID of one where ``bb`` may only read.
    """

    base_url: str
    username: str
    password: str
    token: str
    collection: str
    unreadable: str
    unwritable: str
    all_collections: tuple[str, ...]

    @property
    def api_root(self) -> str:
        """URL of the group's API root."""
        return f"{self.base_url}{SLUG}/"

    @property
    def collection_url(self) -> str:
        """URL of the collection that ``bb`` reads and writes."""
        return f"{self.api_root}collections/{self.collection}/"


@contextmanager
def serving_open_group(data: Path, *, settings: dict[str, str] | None = None) -> Iterator[OpenGroup]:
    """Give a hub that answers, and leave no process behind. Raises RuntimeError when it does not come up.

    :param settings: CYBEX_* variables of the process.
    """
    port = _free_port()
    made = _make(data, port)
    log = data / "serve.log"
    command = [str(Path(sys.executable).parent / "cybex"), "serve", "--data", str(data), "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **(settings or {})}, stdout=output, stderr=subprocess.STDOUT, cwd=data
        )
    try:
        _wait(process, port, log)
        yield made
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _make(data: Path, port: int) -> OpenGroup:
    settings = config.load(data, {})
    data.mkdir(parents=True)
    config.ensure_secrets(settings)
    database = Database.open(settings.database_url)
    database.migrate()
    database.close()
    hub = open_hub(settings)
    peers.add(hub, LOCAL_OPERATOR, handle=HANDLE, name="CIRT BB", kind=PeerKind.NATIONAL)
    groups.add(hub, LOCAL_OPERATOR, slug=SLUG, title="Bravo", signature_required=False)
    members.put(hub, LOCAL_OPERATOR, SLUG, HANDLE, {Right.READ, Right.WRITE})
    default = {row.alias: row.uuid for row, _ in collections.listed(hub, LOCAL_OPERATOR, SLUG)[1]}
    drop = collections.add(hub, LOCAL_OPERATOR, SLUG, title="Drop box")
    shelf = collections.add(hub, LOCAL_OPERATOR, SLUG, title="Shelf")
    collections.set_rights(hub, LOCAL_OPERATOR, SLUG, drop.uuid, HANDLE, (False, True))
    collections.set_rights(hub, LOCAL_OPERATOR, SLUG, shelf.uuid, HANDLE, (True, False))
    basic, bearer = (
        credentials.add(hub, LOCAL_OPERATOR, HANDLE, kind=kind, role=Role.FEED, label="test")
        for kind in (CredentialKind.BASIC, CredentialKind.BEARER)
    )
    hub.db.close()
    return OpenGroup(
        base_url=f"http://127.0.0.1:{port}/",
        username=str(basic.credential.username),
        password=str(basic.secret),
        token=str(bearer.secret),
        collection=default[ALIAS],
        unreadable=drop.uuid,
        unwritable=shelf.uuid,
        all_collections=tuple(sorted((*default.values(), drop.uuid, shelf.uuid))),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once the port is served; a hub that stops says why in its log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the hub did not start:\n" + log.read_text(encoding="utf-8", errors="replace")[-2000:])
