"""Real hubs on loopback that have adopted each other's cards and agreed: what the commands do, done in this process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from hub import config
from hub.bootstrap import open_hub
from hub.client import keyfile
from hub.domain.agreement import GroupMapping
from hub.domain.bundle_signing import sign_objects
from hub.domain.key_material import PrivateKey
from hub.domain.membership import CredentialKind, PeerKind, Right, Role
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import IDS
from hub.services import agreements, credentials, groups, hub_cards, keys, link_tokens, links, members, peers
from hub.services.actor import HUB_HANDLE
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.store.database import Database
from tests.acceptance.processes import RunningProcess, clean_environment, cybex, free_port, serve_hub

TAXII = "application/taxii+json;version=2.1"
Stix = dict[str, Any]


@dataclass
class Cirt:
    """A CIRT of one hub: what it logs in with, and the key it signs with."""

    handle: str
    identity: str
    token: str
    key: PrivateKey

    def signed(self, *objects: Mapping[str, Any], at: int) -> list[Stix]:
        """Return the objects as this CIRT signs them. :param at: microseconds since the epoch."""
        made, _ = sign_objects(
            objects,
            self.key,
            identity=self.identity,
            created=format_timestamp(at)[:23] + "Z",
            new_uuid=lambda: str(uuid.uuid4()),
        )
        return made

    def indicator(self, number: int, *, at: int, tlp: str = "green") -> Stix:
        """Return an indicator of this CIRT."""
        stamp = format_timestamp(at)[:23] + "Z"
        return {
            "type": "indicator",
            "spec_version": "2.1",
            "id": f"indicator--{uuid.uuid4()}",
            "created_by_ref": self.identity,
            "created": stamp,
            "modified": stamp,
            "name": f"Address {number}",
            "pattern": f"[ipv4-addr:value = '198.51.{number // 256 % 256}.{number % 256}']",
            "pattern_type": "stix",
            "valid_from": stamp,
            "object_marking_refs": [IDS[tlp]],
        }


@dataclass
class LiveHub:
    """One hub process and its folder; it may be killed and started again on the same port."""

    name: str
    data: Path
    port: int
    environment: Mapping[str, str]
    slug: str = "alpha"
    running: RunningProcess | None = None
    cirts: dict[str, Cirt] = field(default_factory=dict)

    @classmethod
    def make(cls, name: str, folder: Path, *, slug: str = "alpha", database_url: str | None = None) -> LiveHub:
        """Return a hub with one trust group, not started yet. :param database_url: None is SQLite."""
        data, port = folder / name, free_port()
        environment = clean_environment(database_url, CYBEX_PUBLIC_URL=f"http://127.0.0.1:{port}/")
        data.mkdir()
        settings = config.load(data, env=environment)
        config.ensure_secrets(settings)
        database = Database.open(settings.database_url)
        database.migrate()
        database.close()
        made = cls(name, data, port, environment, slug)
        with made.opened() as hub:
            peers.add(hub, OPERATOR, handle=HUB_HANDLE, name=f"Hub {name}", kind=PeerKind.HUB)
            keys.enrol(hub, OPERATOR, HUB_HANDLE, public_key=hub.signing_key.public.text)
            groups.add(hub, OPERATOR, slug=slug, title=slug.title())
        return made

    @contextmanager
    def opened(self) -> Iterator[Hub]:
        """Give the hub as its operator has it at the machine itself."""
        hub = open_hub(config.load(self.data, env=self.environment))
        try:
            yield hub
        finally:
            hub.db.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def cybex(self, *arguments: str) -> str:
        """Run a `cybex` command on this hub's data; return what it prints."""
        return cybex(*arguments, data=self.data, environment=self.environment)

    def start(self) -> None:
        """Start `cybex serve` with its worker, and return once it is ready."""
        self.running = serve_hub(self.data, self.port, self.environment, "--worker")

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        if self.running is not None:
            self.running.kill()

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        return 0 if self.running is None else self.running.stop()

    def cirt(self, handle: str) -> Cirt:
        """Let a CIRT join the group."""
        key = keyfile.generate()
        with self.opened() as hub:
            peer = peers.add(hub, OPERATOR, handle=handle, name=f"CIRT {handle.upper()}", kind=PeerKind.NATIONAL)
            keys.enrol(hub, OPERATOR, handle, public_key=key.public.text)
            members.put(hub, OPERATOR, self.slug, handle, {Right.READ, Right.WRITE})
            token = _token(hub, handle, Role.ANALYST)
        self.cirts[handle] = Cirt(handle, peer.identity, token, key)
        return self.cirts[handle]

    def post(self, handle: str, *objects: Mapping[str, Any], alias: str = "indicators") -> dict[str, Any]:
        """Post an envelope as a CIRT; return the TAXII status."""
        response = requests.post(
            f"{self.url}{self.slug}/collections/{alias}/objects/",
            json={"objects": list(objects)},
            headers={"Content-Type": TAXII, "Accept": TAXII, "Authorization": f"Bearer {self.cirts[handle].token}"},
            timeout=60,
        )
        assert response.status_code == 202, response.text
        status: dict[str, Any] = response.json()
        return status

    def read(self, handle: str, alias: str = "indicators", **parameters: str) -> list[Stix]:
        """Return every object a CIRT reads there, page by page."""
        found: list[Stix] = []
        query = {"limit": "1000", **parameters}
        while True:
            response = requests.get(
                f"{self.url}{self.slug}/collections/{alias}/objects/",
                params=query,
                headers={"Accept": TAXII, "Authorization": f"Bearer {self.cirts[handle].token}"},
                timeout=60,
            )
            assert response.status_code == 200, response.text
            envelope = response.json()
            found += envelope.get("objects", [])
            if not envelope.get("more"):
                return found
            query["next"] = envelope["next"]


def connect(
    one: LiveHub, other: LiveHub, *, tlp: str = "green", hops: int = 8, push: bool = True, pull: bool = False
) -> None:
    """Let two hubs know each other, agree, and link: each pushes to the other, or pulls from it, or both."""
    with one.opened() as first, other.opened() as second:
        sides = ((one, first, other, second), (other, second, one, first))
        for here, hub, there, beyond in sides:
            handle = f"hub-{there.name}"
            card = hub_cards.own(beyond, OPERATOR)
            hub_cards.adopt(hub, OPERATOR, card, handle=handle, fingerprint=beyond.signing_key.public.kid)
            members.put(hub, OPERATOR, here.slug, handle, {Right.READ, Right.WRITE})
        mapping = GroupMapping((one.slug, other.slug), "both", tlp)
        expires = first.clock() + 365 * 24 * 3600 * 1_000_000
        offered = agreements.offer(
            first, OPERATOR, f"hub-{other.name}", groups=[mapping], hop_budget=hops, expires=expires
        )
        agreed = agreements.accept(second, OPERATOR, offered.document)
        agreements.accept(first, OPERATOR, agreed.document)
        for here, hub, there, beyond in sides:
            handle, token = f"hub-{there.name}", _token(beyond, f"hub-{here.name}", Role.FEED)
            links.add(hub, OPERATOR, handle, url=there.url, push=push, pull=pull, allow_private=True)
            link_tokens.keep(here.data / "secrets", handle, token)


def _token(hub: Hub, handle: str, role: Role) -> str:
    issued = credentials.add(hub, OPERATOR, handle, kind=CredentialKind.BEARER, role=role, label="test")
    assert issued.secret is not None
    return issued.secret
