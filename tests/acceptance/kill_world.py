"""A hub that is killed over and over, the client that posts to it, and what that client has been promised so far."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from hub import config
from hub.bootstrap import open_hub
from hub.domain.canonical import jcs
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.services import collections, credentials, groups, keys, members, peers
from hub.services.actor import HUB_HANDLE, LOCAL_OPERATOR

TAXII = "application/taxii+json;version=2.1"
SLUG, HANDLE = "alpha", "aa"


@dataclass(frozen=True)
class Place:
    """A collection and who posts there. Paths are relative to the hub's URL and have no slash in front."""

    data: Path
    environment: Mapping[str, str]
    login: tuple[str, str]
    identity: str
    api_root: str
    collection: str


def make_place(data: Path, environment: Mapping[str, str]) -> Place:
    """Make a hub in a directory, on the migrated database that the environment names, with one group and one peer."""
    data.mkdir()
    settings = config.load(data, environment)
    config.ensure_secrets(settings)
    hub = open_hub(settings)
    try:
        peers.add(hub, LOCAL_OPERATOR, handle=HUB_HANDLE, name="The hub", kind=PeerKind.HUB)
        keys.enrol(hub, LOCAL_OPERATOR, HUB_HANDLE, public_key=hub.signing_key.public.text)
        peer = peers.add(hub, LOCAL_OPERATOR, handle=HANDLE, name="CIRT AA", kind=PeerKind.NATIONAL)
        groups.add(hub, LOCAL_OPERATOR, slug=SLUG, title="Alpha", signature_required=False)
        members.put(hub, LOCAL_OPERATOR, SLUG, HANDLE, {Right.READ, Right.WRITE})
        refs = {row.alias: row.uuid for row, _ in collections.listed(hub, LOCAL_OPERATOR, SLUG)[1]}
        issued = credentials.add(
            hub, LOCAL_OPERATOR, HANDLE, kind=CredentialKind.BASIC, role=Role.FEED, label="test", username="aa"
        )
    finally:
        hub.db.close()
    assert issued.secret is not None
    collection = f"{SLUG}/collections/{refs['indicators']}/"
    return Place(data, environment, ("aa", issued.secret), peer.identity, f"{SLUG}/", collection)


def indicator(number: uuid.UUID, author: str) -> dict[str, Any]:
    """Return a valid indicator with this id."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{number}",
        "created_by_ref": author,
        "created": "2026-10-01T00:00:00.000Z",
        "modified": "2026-10-01T00:00:00.000Z",
        "pattern": "[ipv4-addr:value = '198.51.100.1']",
        "pattern_type": "stix",
        "valid_from": "2026-10-01T00:00:00Z",
    }


@dataclass
class Envelope:
    """An envelope that was sent, and what the client was told about it."""

    objects: dict[str, bytes]
    acknowledged: bool = False
    status: str | None = None  # URL path of a status that was pending

    @property
    def body(self) -> bytes:
        """The octets as they are posted."""
        return b'{"objects":[' + b",".join(self.objects.values()) + b"]}"


@dataclass
class Poster:
    """Posts envelopes of different objects, one after the other, until the hub is gone; keeps all it was told.

    :param large: objects in an envelope that is above the hub's bound for an immediate answer.
    """

    place: Place
    random: random.Random
    large: int
    sent: list[Envelope] = field(default_factory=list)

    def run(self, base_url: str, started: threading.Event) -> None:
        """Post until a request fails, as it does when the hub is killed; mostly one of the first envelopes is large."""
        large_at = self.random.randrange(1, 12)
        with self.session() as session:
            for count in range(1_000_000):
                size = self.large if count == large_at else self.random.randrange(1, 12)
                envelope = self._new(size)
                self.sent.append(envelope)
                try:
                    self.post(session, base_url, envelope)
                except requests.RequestException:
                    return
                finally:
                    started.set()

    def post(self, session: requests.Session, base_url: str, envelope: Envelope) -> None:
        """Post one envelope and note what it was answered; the answer must promise every object."""
        answer = session.post(
            f"{base_url}{self.place.collection}objects/",
            data=envelope.body,
            headers={"Content-Type": TAXII},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        status = answer.json()
        check_status(status, len(envelope.objects))
        if status["status"] == "pending":
            envelope.status = f"{self.place.api_root}status/{status['id']}/"
        else:
            assert {line["id"] for line in status["successes"]} == set(envelope.objects)
        envelope.acknowledged = True

    def session(self) -> requests.Session:
        """Return a session of this peer; the caller closes it."""
        session = requests.Session()
        session.auth = self.place.login
        session.headers["Accept"] = TAXII
        return session

    def _new(self, size: int) -> Envelope:
        made = (
            indicator(uuid.UUID(bytes=self.random.randbytes(16), version=4), self.place.identity) for _ in range(size)
        )
        return Envelope({obj["id"]: jcs(obj) for obj in made})


def check_status(status: Mapping[str, Any], total: int) -> None:
    """Assert that a status adds up and counts no failure (TAXII 2.1 §4.3.1)."""
    assert status["total_count"] == total
    assert status["failure_count"] == 0, status["failures"]
    assert status["success_count"] + status["pending_count"] == total
    assert len(status.get("successes", [])) == status["success_count"]
    assert len(status.get("pendings", [])) == status["pending_count"]
    assert status["status"] == ("pending" if status["pending_count"] else "complete")


def read_all(session: requests.Session, url: str, added_after: str | None = None, limit: int = 5000) -> Iterator[bytes]:
    """Give the body of every page, following ``next``."""
    first = query = f"?limit={limit}" + (f"&added_after={added_after}" if added_after else "")
    while True:
        answer = session.get(f"{url}{query}", timeout=60)
        assert answer.status_code == 200, answer.text
        yield answer.content
        page = json.loads(answer.content)
        if not page.get("more"):
            return
        query = f"{first}&next={page['next']}"
