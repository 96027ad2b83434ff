"""A hub with one trust group where signatures are required and one national CIRT that may read and write there."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from benchmarks.dataset import Indicator, envelope
from hub import config
from hub.bootstrap import open_hub
from hub.client import keyfile
from hub.domain.key_material import PrivateKey
from hub.domain.membership import Caller, CredentialKind, PeerKind, Right, Role
from hub.services import access, collections, credentials, event_log, groups, ingest, keys, members, peers
from hub.services.actor import HUB_HANDLE, LOCAL_OPERATOR
from hub.services.context import Bounds, Hub
from hub.store.database import Database

SLUG = "alpha"
HANDLE = "aa"
LOAD_OBJECTS = 2_000

_KEY_VALID_FROM = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass(frozen=True, slots=True)
class World:
    """What the benchmark needs to know of the hub it made.

    :param collections: UUID of each collection, by the run's name for it.
    """

    data: Path
    hub: Hub
    caller: Caller
    identity: str
    private_key: PrivateKey
    basic: str
    bearer: str
    collections: dict[str, str]

    def load(self, collection: str, objects: Iterable[Indicator]) -> int:
        """Put objects in through the ingest service in this process; returns how many. Raises RuntimeError."""
        with self.hub.db.read() as tx:
            opened = access.collection(tx, self.caller, SLUG, self.collections[collection])
        total = 0
        for batch in _batches(objects, LOAD_OBJECTS):
            submission = ingest.submit(self.hub, self.caller, opened, envelope(batch))
            if submission.failures:
                raise RuntimeError(f"{len(submission.failures)} objects refused, first: {submission.failures[0]}")
            total += len(submission.successes)
        return total


def make_world(data: Path, names: Sequence[str]) -> World:
    """Return a new hub in the folder, with one collection per name."""
    event_log.configure("json", "warning")  # a line per submission would mix with the results
    settings = config.load(data, {})
    data.mkdir(parents=True)
    config.ensure_secrets(settings)
    database = Database.open(settings.database_url)
    database.migrate()
    database.close()
    opened = open_hub(settings)
    hub = replace(opened, bounds=Bounds(sync_content_length=opened.bounds.max_content_length))
    private_key = keyfile.generate()
    peers.add(hub, LOCAL_OPERATOR, handle=HUB_HANDLE, name="The hub", kind=PeerKind.HUB)
    keys.enrol(hub, LOCAL_OPERATOR, HUB_HANDLE, public_key=hub.signing_key.public.text)
    peer = peers.add(hub, LOCAL_OPERATOR, handle=HANDLE, name="CIRT AA", kind=PeerKind.NATIONAL)
    groups.add(hub, LOCAL_OPERATOR, slug=SLUG, title="Alpha", signature_required=True)
    members.put(hub, LOCAL_OPERATOR, SLUG, HANDLE, {Right.READ, Right.WRITE})
    keys.enrol(hub, LOCAL_OPERATOR, HANDLE, public_key=private_key.public.text, valid_from=_KEY_VALID_FROM)
    made = {name: collections.add(hub, LOCAL_OPERATOR, SLUG, title=name).uuid for name in names}
    issued = {
        kind: credentials.add(hub, LOCAL_OPERATOR, HANDLE, kind=kind, role=Role.FEED, label="benchmark")
        for kind in (CredentialKind.BASIC, CredentialKind.BEARER)
    }
    basic, bearer = issued[CredentialKind.BASIC], issued[CredentialKind.BEARER]
    secret = base64.b64encode(f"{basic.credential.username}:{basic.secret}".encode()).decode()
    return World(
        data=data,
        hub=hub,
        caller=Caller(peer, basic.credential.id, Role.FEED),
        identity=peer.identity,
        private_key=private_key,
        basic=f"Basic {secret}",
        bearer=f"Bearer {bearer.secret}",
        collections=made,
    )


def _batches(objects: Iterable[Indicator], size: int) -> Iterator[list[Indicator]]:
    rest = iter(objects)
    while batch := list(islice(rest, size)):
        yield batch
