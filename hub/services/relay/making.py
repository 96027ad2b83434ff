"""Putting a batch together: the header with its hops and introductions, signed, and the stored bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain.agreement import Terms
from hub.domain.hop import Hop, digest
from hub.domain.hop import signed as signed_hop
from hub.domain.membership import Collection, MemberVisibility, Peer, TrustGroup
from hub.domain.relay_batch import Batch, Header, Item, signed
from hub.services.context import Hub
from hub.services.hub_identity import hub_identity
from hub.services.identifier import uuid4
from hub.services.relay import introducing
from hub.services.relay.introducing import Introductions
from hub.services.relay.selection import Ways
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store import relay_feed
from hub.store.relay_feed import FeedRow


@dataclass(frozen=True, slots=True)
class Lane:
    """One collection on its way to one hub, under what the two have agreed."""

    to: Peer
    terms: Terms
    group: TrustGroup
    collection: Collection

    @property
    def alias(self) -> str:
        """The name that the collection has at both hubs."""
        return self.collection.alias or self.collection.uuid


@dataclass(frozen=True, slots=True)
class Prepared:
    """What goes next in a lane; an empty one without introductions is nothing to send, but may move the position.

    :param after: position after which it begins, None when it repeats single versions. :param upto: where it ends.
    :param rows: of the objects in it, in their order. :param introductions: how many are in it.
    :param passed_over: versions between these that may not cross.
    """

    lane: Lane
    batch: Batch
    id: str
    sha256: bytes
    after: int | None
    upto: int | None
    rows: Sequence[FeedRow]
    introductions: int
    more: bool
    passed_over: Sequence[FeedRow] = ()

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to hand over."""
        return not self.rows and not self.introductions


def made(
    tx: Connection,
    hub: Hub,
    lane: Lane,
    rows: Sequence[FeedRow],
    ways: Ways,
    own: Peer,
    *,
    after: int | None = None,
    upto: int | None = None,
    more: bool = False,
    introductions: Introductions | None = None,
) -> Prepared:
    """Return the batch of these versions, each with its path and one hop more, and the authors the hub does not know.

    :param introductions: others than those that the versions need.
    """
    bodies = relay_feed.bodies(tx, [row.entry_id for row in rows])
    givers = _Givers(tx, lane, own)
    names: set[str] = set()
    items = []
    for row in rows:
        hops = [*ways.hops(row)]
        hops.append(_hop(hub, lane, row, hops, own, givers))
        items.append(Item(row.sha256, hops))
        names |= {one["hub"] for one in hops} | {hops[0]["from"]}
        names |= {row.author_identity} if row.author_identity is not None else set()
        names |= {row.stix_id} if row.type == "identity" else set()
    if introductions is None:
        introductions = introducing.needed(tx, hub, lane.to.id, names) if rows else Introductions()
    header = Header(
        id=uuid4(hub.token_bytes),
        sender=own.identity,
        to=lane.to.identity,
        agreement=lane.terms.agreement,
        group=lane.terms.there,
        collection=lane.alias,
        made_at=hub.clock(),
        after=None if after is None else str(after),
        upto=None if upto is None else str(upto),
        introductions=introductions.documents,
        items=items,
    )
    document = signed(header, hub.signing_key, uuid=uuid4(hub.token_bytes))
    return Prepared(
        lane=lane,
        batch=Batch(document, [bodies[row.entry_id] for row in rows]),
        id=header.id,
        sha256=digest(document),
        after=after,
        upto=upto,
        rows=rows,
        introductions=len(introductions.documents),
        more=more,
    )


def _hop(
    hub: Hub, lane: Lane, row: FeedRow, before: Sequence[Mapping[str, Any]], own: Peer, givers: _Givers
) -> dict[str, Any]:
    hop = Hop(
        hub=own.identity,
        giver=before[-1]["hub"] if before else givers.of(row),
        to=lane.to.identity,
        stix_id=row.stix_id,
        version=row.version,
        sha256=row.sha256,
        accepted_at=row.date_added,
        log_index=row.log_index,
        previous=digest(before[-1]) if before else None,
    )
    return signed_hop(hop, hub.signing_key, uuid=uuid4(hub.token_bytes), at=hub.clock())


class _Givers:
    """Who gave a version to this hub, as another hub may know it."""

    def __init__(self, tx: Connection, lane: Lane, own: Peer) -> None:
        self._own = own
        self._names = {peer.id: peer.identity for peer in peer_store.all(tx)}
        self._owners = pseudonym_store.owners(tx, lane.group.id)
        self._hidden = lane.group.member_visibility is not MemberVisibility.OPEN

    def of(self, row: FeedRow) -> str:
        """Return the author where the submitter is he, under whatever name; else the submitter.

        Where members are not known to all, a submitter who is not the author stays unnamed: this hub stands for him.
        """
        author = row.author_identity
        if author is not None and self._owners.get(author) == row.submitter_peer_id:
            return author
        return self._own.identity if self._hidden else self._names[row.submitter_peer_id]


def own_peer(tx: Connection) -> Peer:
    """Return the hub's own peer."""
    found = peer_store.by_identity(tx, hub_identity(tx))
    if found is None:
        raise AssertionError("the hub's own peer, which was just found")
    return found
