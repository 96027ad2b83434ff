"""A small world to store things in: peers, a group they are members of, a collection, entries."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain.audience import WHOLE_GROUP, Audience
from hub.domain.membership import Collection, Peer, TrustGroup
from hub.domain.stix import version_key
from hub.store import collections, groups, members, peers
from hub.store.database import Database
from hub.store.entries import NewEntry

NOW = 1_790_000_000_000_000
"""Microseconds since the epoch, in 2026."""


@dataclass(frozen=True)
class World:
    """A group of three members, one collection, and the database they are in."""

    db: Database
    group: TrustGroup
    collection: Collection
    aa: Peer
    bb: Peer
    cc: Peer


def add_peer(tx: Connection, handle: str, **given: Any) -> Peer:
    values = {"name": handle.upper(), "kind": "national", "country": None, "itu_region": None, **given}
    return peers.add(tx, handle=handle, identity=f"identity--{uuid.uuid4()}", now=NOW, **values)


def add_group(tx: Connection, slug: str) -> TrustGroup:
    return groups.add(
        tx,
        slug=slug,
        title=slug.title(),
        description=None,
        default_tlp="green",
        tlp_ceiling="red",
        signature_required=True,
        now=NOW,
    )


def add_collection(tx: Connection, group: TrustGroup, alias: str | None = None, **given: Any) -> Collection:
    values = {"title": alias or "untitled", "description": None, "allowed_types": None, **given}
    return collections.add(tx, group_id=group.id, uuid=str(uuid.uuid4()), alias=alias, now=NOW, **values)


def make_world(db: Database) -> World:
    """Make a group `alpha` of aa, bb and cc, who may read and write, with a collection `indicators`."""
    with db.write() as tx:
        aa, bb, cc = (add_peer(tx, handle) for handle in ("aa", "bb", "cc"))
        group = add_group(tx, "alpha")
        for peer in (aa, bb, cc):
            members.put(tx, group_id=group.id, peer_id=peer.id, rights=["read", "write"], now=NOW)
        return World(db, group, add_collection(tx, group, "indicators"), aa, bb, cc)


def new_entry(submitter: Peer, **given: Any) -> NewEntry:
    """Return an indicator of the submitter, for the whole group unless said otherwise."""
    stix_id = given.pop("stix_id", None) or f"indicator--{uuid.uuid4()}"
    version = given.pop("version", "2026-01-01T00:00:00Z")
    body = given.pop("body", None) or f'{{"id":"{stix_id}","modified":"{version}"}}'.encode()
    values: dict[str, Any] = {
        "stix_id": stix_id,
        "type": stix_id.partition("--")[0],
        "version": version,
        "version_key": None if version is None else version_key(version),
        "sha256": hashlib.sha256(body).digest(),
        "body": body,
        "author_identity": submitter.identity,
        "introduced": False,
        "submitter_peer_id": submitter.id,
        "submission_uuid": "5b9d6e53-53c0-4d5b-b65a-1d7c6f6f0c9c",
        "audience": WHOLE_GROUP,
        "tlp": "green",
        "rule": "default",
        "reason": "the group's default",
    }
    return NewEntry(**{**values, **given})


def named(*peers_: Peer) -> Audience:
    return Audience("named", frozenset(peer.id for peer in peers_))


def except_(*peers_: Peer) -> Audience:
    return Audience("except", frozenset(peer.id for peer in peers_))
