"""Introducing authors to another hub: our own, signed by this hub; those of hubs beyond, as they were received."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from hub.domain.introduction import PSEUDONYM, Introduction, content_digest, introduced_keys, signed, written
from hub.domain.pseudonym import day_of
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.store import introductions as store
from hub.store import keys as key_store
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store


@dataclass(frozen=True, slots=True)
class Introductions:
    """What goes with a batch: the documents, hubs before the authors at home there, and their digests by name."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    digests: dict[str, bytes] = field(default_factory=dict)


def needed(tx: Connection, hub: Hub, peer_id: int, names: Collection[str]) -> Introductions:
    """Return the introductions of these names that a hub has not had, or not as they are now.

    With each name goes that of its home hub, without which it could not be checked. Who is nobody here is passed over.
    """
    kept = store.of(tx, names)
    homes = {str(json.loads(one.document)["hub"]) for one in kept.values()}
    kept |= store.of(tx, homes - kept.keys())
    own = hub_identity(tx)
    already, found = store.sent_to(tx, peer_id), Introductions()
    hubs = [own, *sorted(homes)]
    for name in [*hubs, *sorted(frozenset(names) - frozenset(hubs))]:
        _add(tx, hub, own, name, kept.get(name), already, found)
    return found


def stale(tx: Connection, hub: Hub, peer_id: int) -> Introductions:
    """Return the introductions that have changed since a hub had them: a key revoked, replaced, or new."""
    return needed(tx, hub, peer_id, store.sent_to(tx, peer_id).keys())


def _add(
    tx: Connection,
    hub: Hub,
    own: str,
    name: str,
    kept: store.Kept | None,
    already: dict[str, bytes],
    found: Introductions,
) -> None:
    if kept is not None:
        if already.get(name) != kept.sha256:
            found.documents.append(json.loads(kept.document))
            found.digests[name] = kept.sha256
        return
    introduction = of_ours(tx, hub, own, name)
    if introduction is None:
        return
    digest = content_digest(written(introduction))
    if already.get(name) != digest:
        found.documents.append(json.loads(signed(introduction, hub.signing_key, uuid=uuid4(hub.token_bytes))))
        found.digests[name] = digest


def of_ours(tx: Connection, hub: Hub, own: str, name: str) -> Introduction | None:
    """Return what this hub says of one of its own names now: a peer, a pseudonym, itself. None for anybody else's.

    Of a pseudonym nothing is told that its group's key directory does not tell.
    """
    peer = peer_store.by_identity(tx, name)
    if peer is not None:
        if peer.abroad:
            return None
        return Introduction(
            hub=own,
            identity=name,
            handle=peer.handle,
            name=peer.name,
            kind=peer.kind.value,
            country=peer.country,
            itu_region=peer.itu_region,
            keys=introduced_keys(key_store.of_peer(tx, peer.id)),
            issued_at=hub.clock(),
        )
    pseudonym = pseudonym_store.by_identity(tx, name)
    if pseudonym is None:
        return None
    return Introduction(
        hub=own,
        identity=name,
        handle=PSEUDONYM,
        name=pseudonym.name,
        kind=PSEUDONYM,
        country=None,
        itu_region=None,
        keys=introduced_keys(key_store.of_pseudonym(tx, pseudonym.id)),
        issued_at=max(day_of(hub.clock()), pseudonym.created_at),
    )
