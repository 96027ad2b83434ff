"""A real `cybex serve` with one trust group where signatures are optional, so that unmodified clients can post."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub import config
from hub.bootstrap import open_hub
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import collections, credentials, groups, members, peers
from hub.services.actor import LOCAL_OPERATOR
from tests.acceptance.processes import RunningHub, running_hub

SLUG = "bravo"
HANDLE = "bb"
ALIAS = "indicators"


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
def serving_open_group(folder: Path, **settings: str) -> Iterator[OpenGroup]:
    """Give a hub that answers, and leave no process behind.

    :param settings: environment of the process, such as ``CYBEX_SYNC_CONTENT_LENGTH="4096"``.
    """
    with running_hub(folder, **settings) as running:
        yield make_group(running)


def make_group(running: RunningHub) -> OpenGroup:
    """Make the group, its collections and its peer in a running hub."""
    hub = open_hub(config.load(running.data_dir, running.environment))
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
        base_url=running.base_url,
        username=str(basic.credential.username),
        password=str(basic.secret),
        token=str(bearer.secret),
        collection=default[ALIAS],
        unreadable=drop.uuid,
        unwritable=shelf.uuid,
        all_collections=tuple(sorted((*default.values(), drop.uuid, shelf.uuid))),
    )
