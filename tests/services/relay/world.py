"""Several hubs in one process: each with a database, keys and CIRTs of its own, and agreements between them.

A wire between two hubs is a call; a test may cut it. What crosses it is the octets that would go over HTTP.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hub.client import keyfile
from hub.client.relay import OutOfStep
from hub.client.remote import RemoteError
from hub.domain.agreement import GroupMapping
from hub.domain.bundle_signing import sign_objects
from hub.domain.key_material import PrivateKey
from hub.domain.membership import Caller, CredentialKind, Peer, PeerKind, Right, Role
from hub.domain.retraction import EXTENSION_ID
from hub.domain.taxii import Query, VersionMatch
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import IDS
from hub.errors import CybexError
from hub.services import (
    access,
    agreements,
    credentials,
    groups,
    hub_cards,
    ingest,
    keys,
    members,
    peers,
    read,
    withdraw,
)
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.services.relay import giving, incoming, pulling, pushing
from hub.services.relay.incoming import OutOfStep as LacksSome
from hub.store import peers as peer_store
from hub.store.database import Database
from hub.store.submissions import Submission
from tests.services.cast import START, VALIDATOR, octets

Stix = dict[str, Any]
YEAR = 365 * 24 * 3600 * 1_000_000
SLUG = "alpha"


class Ticking:
    """A clock that all hubs share; each look at it takes a millisecond."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


@dataclass
class Site:
    """One hub with its CIRTs. Every member of the group may read and write."""

    name: str
    hub: Hub
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    slug: str = SLUG
    credentials: dict[str, int] = field(default_factory=dict)

    @classmethod
    def make(cls, name: str, database: Database, clock: Ticking, *, slug: str = SLUG, signed: bool = True) -> Site:
        """Return a hub with one trust group and nobody in it."""
        hub = Hub(
            db=database,
            clock=clock,
            token_bytes=octets(int.from_bytes(name.encode(), "big") % 1_000 * 10_000_000 + 1),
            validator=VALIDATOR,
            cursor_key=b"k" * 32,
            signing_key=keyfile.generate(),
            log_key=keyfile.generate(),
            public_url=f"https://{name}.example/",
        )
        peers.add(hub, OPERATOR, handle="hub", name=f"Hub {name}", kind=PeerKind.HUB)
        keys.enrol(hub, OPERATOR, "hub", public_key=hub.signing_key.public.text)
        groups.add(hub, OPERATOR, slug=slug, title=slug.title())
        groups.update(hub, OPERATOR, slug, signature_required=signed)
        return cls(name, hub, slug=slug)

    @property
    def identity(self) -> str:
        return peers.shown(self.hub, OPERATOR, "hub").identity

    def cirt(self, handle: str, *, group: bool = True) -> str:
        """Let a CIRT join; return its STIX identity."""
        peer = peers.add(self.hub, OPERATOR, handle=handle, name=f"CIRT {handle}", kind=PeerKind.NATIONAL)
        self.keys[handle] = keyfile.generate()
        keys.enrol(self.hub, OPERATOR, handle, public_key=self.keys[handle].public.text)
        self.identities[handle] = peer.identity
        issued = credentials.add(
            self.hub, OPERATOR, handle, kind=CredentialKind.BEARER, role=Role.ANALYST, label="test"
        )
        self.credentials[handle] = issued.credential.id
        if group:
            members.put(self.hub, OPERATOR, self.slug, handle, {Right.READ, Right.WRITE})
        self.hub.clock()
        return peer.identity

    def peer(self, handle: str) -> Peer:
        """Return a peer as it stands now."""
        with self.hub.db.read() as tx:
            found = peer_store.by_handle(tx, handle)
        assert found is not None, handle
        return found

    def caller(self, handle: str) -> Caller:
        """Return this peer as a caller of the role analyst."""
        return Caller(self.peer(handle), 0, Role.ANALYST)

    def opened(self, handle: str, alias: str = "incidents") -> access.OpenCollection:
        """Return a collection as this peer may use it."""
        with self.hub.db.read() as tx:
            return access.collection(tx, self.caller(handle), self.slug, alias)

    def stamp(self) -> str:
        """Return the time as STIX writes it."""
        return format_timestamp(self.hub.clock())[:23] + "Z"

    def incident(self, author: str, tlp: str = "green", **more: Any) -> Stix:
        """Return an incident by a CIRT of this hub."""
        now = self.stamp()
        return {
            "type": "incident",
            "spec_version": "2.1",
            "id": f"incident--{uuid.uuid4()}",
            "created": now,
            "modified": now,
            "name": "Phishing wave",
            "created_by_ref": self.identities[author],
            "object_marking_refs": [IDS[tlp]],
        } | more

    def signed(self, handle: str, *objects: Mapping[str, Any]) -> list[Stix]:
        """Return the objects as this CIRT signs them now."""
        made, _ = sign_objects(
            objects,
            self.keys[handle],
            identity=self.identities[handle],
            created=self.stamp(),
            new_uuid=lambda: str(uuid.uuid4()),
        )
        return made

    def post(self, handle: str, *objects: Mapping[str, Any], alias: str = "incidents") -> Submission:
        """Post these objects as they are."""
        body = json.dumps({"objects": [dict(one) for one in objects]}).encode()
        caller = Caller(self.peer(handle), self.credentials[handle], Role.ANALYST)
        return ingest.submit(self.hub, caller, self.opened(handle, alias), body)

    def share(self, handle: str, *objects: Mapping[str, Any], alias: str = "incidents") -> list[Stix]:
        """Sign and post; every object must be taken. Returns what was posted."""
        made = self.signed(handle, *objects)
        status = self.post(handle, *made, alias=alias)
        assert not status.failures, status.failures
        return made

    def withdraw(self, handle: str, stix_id: str, alias: str = "incidents") -> int:
        """Delete as this CIRT."""
        caller = Caller(self.peer(handle), self.credentials[handle], Role.ANALYST)
        return withdraw.delete(self.hub, caller, self.opened(handle, alias), stix_id, None)

    def seen(self, handle: str, alias: str = "incidents") -> list[Stix]:
        """Return every version that this CIRT reads, in the order of the pages."""
        query = Query(versions=VersionMatch(last=False, all=True))
        page = read.objects(self.hub, self.caller(handle), self.opened(handle, alias), query)
        return [json.loads(body) for body in page.bodies]

    def ids(self, handle: str, alias: str = "incidents") -> set[str]:
        """Return the ids of what this CIRT reads, signatures and retraction notices left out."""
        return {
            one["id"]
            for one in self.seen(handle, alias)
            if one["type"] != "jss-signature" and EXTENSION_ID not in one.get("extensions", {})
        }

    def wire_to(self, other: Site) -> Wire:
        """Return the wire by which this hub calls another one."""
        return Wire(self, other)

    def push(self, other: Site, **options: Any) -> pushing.Ran:
        """Hand over to another hub whatever it should have."""
        return pushing.run(self.hub, self.peer(f"hub-{other.name}"), self.wire_to(other), **options)

    def pull(self, other: Site, **options: Any) -> pushing.Ran:
        """Fetch from another hub whatever it has for this one."""
        return pulling.run(self.hub, self.peer(f"hub-{other.name}"), self.wire_to(other), **options)


@dataclass
class Wire:
    """What carries octets from one hub to another. ``trouble`` is asked before and after each call, and may raise."""

    here: Site
    there: Site
    sent: int = 0
    received: int = 0
    trouble: Callable[[str], None] = lambda _: None
    carried: list[bytes] = field(default_factory=list)

    def push(self, octets: bytes) -> dict[str, Any]:
        """Hand a batch over."""
        self.trouble("before")
        self.sent += len(octets)
        self.carried.append(octets)
        via = self.there.peer(f"hub-{self.here.name}")
        try:
            answer = incoming.take(self.there.hub, via, octets, how="push").answer()
        except LacksSome as error:
            raise OutOfStep(error.position) from error
        except CybexError as error:
            raise RemoteError(error.detail or error.title, http_status=error.status) from error
        self.trouble("after")
        return answer

    def pull(self, positions: Mapping[str, str], *, wait: int, max_bytes: int) -> bytes | None:
        """Ask for a batch; ``wait`` is not waited here."""
        del wait
        self.trouble("before")
        to = self.there.peer(f"hub-{self.here.name}")
        reached = giving.read_positions(",".join(f"{lane}:{position}" for lane, position in positions.items()))
        found = giving.next_batch(self.there.hub, to, giving.Asked(reached, max_bytes))
        octets = None if isinstance(found, giving.News) else found
        self.received += len(octets or b"")
        self.trouble("after")
        return octets

    def report(
        self,
        *,
        answers: Sequence[Mapping[str, Any]] = (),
        reaches: Sequence[Mapping[str, Any]] = (),
        introduced: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Say what became of batches, withdrawals and introductions."""
        self.trouble("before")
        body = {"answers": list(answers), "reaches": list(reaches), "introduced": dict(introduced)}
        read = giving.read_reports(json.loads(json.dumps(body)))
        giving.take_reports(self.there.hub, self.there.peer(f"hub-{self.here.name}"), read)
        self.trouble("after")


def connect(
    one: Site,
    other: Site,
    *,
    tlp: str = "green",
    hops: int = 8,
    direction: str = "both",
    types: Sequence[str] | None = None,
    same_group: bool = False,
) -> None:
    """Let two hubs adopt each other's cards and agree."""
    for here, there in ((one, other), (other, one)):
        card = hub_cards.own(there.hub, OPERATOR)
        fingerprint = there.hub.signing_key.public.kid
        hub_cards.adopt(here.hub, OPERATOR, card, handle=f"hub-{there.name}", fingerprint=fingerprint)
        members.put(here.hub, OPERATOR, here.slug, f"hub-{there.name}", {Right.READ, Right.WRITE})
    mapping = GroupMapping(
        (one.slug, other.slug),
        direction,  # type: ignore[arg-type]  # a plain text in tests
        tlp,
        None if types is None else frozenset(types),
        same_group,
    )
    offered = agreements.offer(
        one.hub, OPERATOR, f"hub-{other.name}", groups=[mapping], hop_budget=hops, expires=one.hub.clock() + YEAR
    )
    agreed = agreements.accept(other.hub, OPERATOR, offered.document)
    agreements.accept(one.hub, OPERATOR, agreed.document)


def database_at(path: Path) -> Database:
    """Return a migrated SQLite database."""
    shutil.copy(_migrated(), path)
    return Database.open(f"sqlite:///{path}")


@cache
def _migrated() -> Path:
    """Return a migrated SQLite file, made once: migrating takes as long as a test."""
    path = Path(tempfile.mkdtemp(prefix="cybex-relay-")) / "hub.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path
