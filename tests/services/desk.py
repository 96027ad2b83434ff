"""A desk to post from and to read at: the peers of the cast with keys of their own, signing as CIRTs do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from hub.client import keyfile
from hub.domain.bundle_signing import sign_objects
from hub.domain.canonical import jcs
from hub.domain.key_material import PrivateKey
from hub.domain.membership import Caller
from hub.domain.releasability import EXTENSION_ID
from hub.domain.sco_id import deterministic_id
from hub.domain.stix import instant_us
from hub.domain.taxii import Query, VersionMatch
from hub.domain.taxii_time import format_timestamp
from hub.services import access, groups, ingest, keys, members, peers, read, withdraw
from hub.services.access import OpenCollection
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.store.submissions import Submission
from tests.services.cast import BOTH, SECOND, Cast, clock_of

Stix = dict[str, Any]
PARTS = {"aa": "moderating-analyst", "bb": "analyst", "cc": "foreign", "ee": "suspended-member"}
EVERY_VERSION = VersionMatch(last=False, all=True)


@dataclass
class Desk:
    """The cast at work. alpha: aa, bb and ee, signatures required. bravo: bb and cc, signatures optional."""

    cast: Cast
    keys: dict[str, PrivateKey] = field(default_factory=dict)
    identity: dict[str, str] = field(default_factory=dict)
    callers: dict[str, Caller] = field(default_factory=dict)

    @property
    def hub(self) -> Hub:
        return self.cast.hub

    def now(self) -> int:
        return self.hub.clock()

    def wait(self, seconds: float) -> None:
        """Move the clock."""
        clock_of(self.hub).now += round(seconds * SECOND)

    def stamp(self, seconds: float = 0) -> str:
        """Return the hub's time, or one some seconds away, as STIX writes it."""
        return format_timestamp(self.now() + round(seconds * SECOND))[:23] + "Z"

    def opened(self, handle: str, alias: str = "incidents", slug: str = "alpha") -> OpenCollection:
        """Return a collection as this peer may use it. Raises NotFound."""
        with self.hub.db.read() as tx:
            return access.collection(tx, self.callers[handle], slug, alias)

    def sign(
        self, handle: str, *objects: Mapping[str, Any], key: PrivateKey | None = None, second: PrivateKey | None = None
    ) -> list[Stix]:
        """Return the objects as this peer signs them now."""
        signed, _ = sign_objects(
            objects,
            key or self.keys[handle],
            identity=self.identity[handle],
            created=self.stamp(),
            new_uuid=lambda: str(uuid.uuid4()),
            second=second,
        )
        return signed

    def post(
        self, handle: str, *objects: Mapping[str, Any], alias: str = "incidents", slug: str = "alpha"
    ) -> Submission:
        """Post these objects as they are."""
        body = json.dumps({"objects": [dict(one) for one in objects]}).encode()
        return ingest.submit(self.hub, self.callers[handle], self.opened(handle, alias, slug), body)

    def share(
        self, handle: str, *objects: Mapping[str, Any], alias: str = "incidents", slug: str = "alpha"
    ) -> Submission:
        """Sign and post; every object must be taken."""
        status = self.post(handle, *self.sign(handle, *objects), alias=alias, slug=slug)
        assert not status.failures, status.failures
        return status

    def seen(
        self, handle: str, alias: str = "incidents", slug: str = "alpha", *, versions: VersionMatch | None = None
    ) -> list[Stix]:
        """Return what this peer reads, in the order of the pages."""
        query = Query(versions=versions or VersionMatch())
        page = read.objects(self.hub, self.callers[handle], self.opened(handle, alias, slug), query)
        return [json.loads(body) for body in page.bodies]

    def ids(self, handle: str, alias: str = "incidents", slug: str = "alpha") -> list[str]:
        """Return the ids of what this peer reads, signatures left out."""
        return [one["id"] for one in self.seen(handle, alias, slug) if one["type"] != "jss-signature"]

    def date_added(self, handle: str, stix_id: str) -> int | None:
        """Return when the hub added what this peer reads of an object."""
        page = read.one(self.hub, self.callers[handle], self.opened(handle), stix_id, Query())
        return page.last

    def withdraw(self, handle: str, stix_id: str, versions: VersionMatch | None = None) -> int:
        """Delete as this peer."""
        query = None if versions is None else Query(versions=versions)
        return withdraw.delete(self.hub, self.callers[handle], self.opened(handle), stix_id, query)

    def stored(self) -> list[bytes]:
        """Return every byte sequence the hub keeps of any object: entries and what is held."""
        with self.hub.db.read() as tx:
            rows = [*tx.execute(text("SELECT body FROM entry")), *tx.execute(text("SELECT body FROM held_version"))]
        return [bytes(row[0]) for row in rows]

    def refused_bodies(self) -> list[bytes | None]:
        """Return the bytes kept with every refusal, oldest first."""
        with self.hub.db.read() as tx:
            rows = tx.execute(text("SELECT body FROM refusal ORDER BY id"))
            return [None if row[0] is None else bytes(row[0]) for row in rows]

    def incident(self, author: str | None = "aa", name: str = "Phishing wave", **more: Any) -> Stix:
        """Return an incident created now by a peer, an identity, or nobody."""
        made: Stix = {
            "type": "incident",
            "spec_version": "2.1",
            "id": f"incident--{uuid.uuid4()}",
            "created": self.stamp(),
            "modified": self.stamp(),
            "name": name,
        }
        if author is not None:
            made["created_by_ref"] = self.identity.get(author, author)
        return made | more

    def releasability(self, author: str, **terms: Any) -> Stix:
        """Return a releasability marking by a peer."""
        return {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": f"marking-definition--{uuid.uuid4()}",
            "created": self.stamp(),
            "created_by_ref": self.identity[author],
            "extensions": {EXTENSION_ID: {"extension_type": "property-extension", "onward_relay": False} | terms},
        }


def later(obj: Mapping[str, Any], seconds: float = 1, **changes: Any) -> Stix:
    """Return a later version of an unsigned object."""
    modified = format_timestamp(instant_us(obj["modified"]) + round(seconds * SECOND))[:23] + "Z"
    return {**obj, "modified": modified, **changes}


def domain(value: str = "login.example.com", **more: Any) -> Stix:
    """Return a domain-name observable with the id that its value gives."""
    made: Stix = {"type": "domain-name", "spec_version": "2.1", "id": "", "value": value} | more
    made["id"] = deterministic_id(made)
    return made


def marked(obj: Mapping[str, Any], *markings: Mapping[str, Any]) -> Stix:
    """Return the object with references to these markings."""
    return {**obj, "object_marking_refs": [one["id"] for one in markings]}


def versions_of(objects: list[Stix], stix_id: str) -> list[str]:
    """Return the versions of one object among others."""
    return [one["modified"] for one in objects if one["id"] == stix_id]


def canonical(obj: Mapping[str, Any]) -> bytes:
    """Return the bytes the hub keeps of an object."""
    return jcs(dict(obj))


def messages(status: Submission) -> list[str]:
    """Return what the status says of each failure."""
    return [line["message"] for line in status.failures]


def make_desk(cast: Cast) -> Desk:
    """Give aa, bb, cc and ee new keys, restore ee, and let bb into bravo, where signatures are optional."""
    desk = Desk(cast)
    hub = cast.hub
    members.restore(hub, OPERATOR, "alpha", "ee")
    members.put(hub, OPERATOR, "bravo", "bb", set(BOTH))
    groups.update(hub, OPERATOR, "bravo", signature_required=False)
    for handle, part in PARTS.items():
        desk.keys[handle] = keyfile.generate()
        keys.enrol(hub, OPERATOR, handle, public_key=desk.keys[handle].public.text)
        desk.identity[handle] = peers.shown(hub, OPERATOR, handle).identity
        desk.callers[handle] = cast.caller(part)
    desk.wait(1)
    return desk
