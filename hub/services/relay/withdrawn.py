"""Carrying out what a partner hub has withdrawn: its signed notice takes away here what came by it, and is passed on.

Each hub tells those who have it from here with a notice of its own, so that a withdrawal goes every way the object
went. The act keeps its name from hub to hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.retraction import Retraction, read
from hub.domain.submission import Decided
from hub.services import holds
from hub.services.context import Hub
from hub.services.decision import Place
from hub.services.identifier import uuid4
from hub.services.retraction_notes import Carried
from hub.services.withdrawal import Act, Lost, holders
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store import relay_paths as path_store
from hub.store import removal, tombstones
from hub.store.removal import StoredEntry

NOTHING_HERE = "nothing of it is here"


@dataclass(frozen=True, slots=True)
class _Ways:
    """Which hubs brought what is stored: those a hub may take away again."""

    brought: frozenset[tuple[str, str, int]]
    partners: frozenset[int]

    def by(self, one: StoredEntry) -> bool:
        return (
            one.submitter_peer_id in self.partners
            and (one.stix_id, one.version_key, one.submitter_peer_id) in self.brought
        )


def is_partners(place: Place, item: Decided) -> bool:
    """Say whether a retraction is a partner hub's own, about what it has handed over."""
    return place.relayed and item.parsed.facts.created_by_ref == place.submitter.identity


def carry_out(tx: Connection, hub: Hub, place: Place, item: Decided, *, now: int) -> Carried:
    """Withdraw what a partner's notice names, as far as it came by that hub; the collection is locked.

    1. Only what another hub brought goes, and only if this one is on the path by which it came. What a member posted
       here, or what came another way altogether, stays.
    2. What goes is kept where a hold covers it; the tombstone lets the same hub bring it back.
    3. Whoever has it from here is told by this hub, other partners included. The notice itself is for nobody here.
    4. What is gone already, or never came, is no mistake: the notice may come by two ways.
    """
    said = read(item.parsed.obj)
    names = [target.stix_id for target in said.targets]
    stored = removal.of_objects(tx, place.collection.id, names)
    ways = _ways(tx, place, names)
    going = {stix_id: [one for one in some if ways.by(one)] for stix_id, some in _named(said, stored).items()}  # 1
    entries = [one for some in going.values() for one in some]
    audience = Audience("named", frozenset({place.submitter.id}))
    if not entries:  # 4
        return Carried(None, audience, NOTHING_HERE)
    owners = pseudonym_store.owners(tx, place.group.id)
    having = holders(tx, place.collection.id, entries, owners, now=now)
    whole = frozenset(stix_id for stix_id, some in going.items() if some and len(some) == len(stored[stix_id]))
    _remove(tx, place, going, entries, whole, now=now)  # 2
    lost = [Lost(entry, peers - {place.submitter.id}) for entry, peers in zip(entries, having, strict=True)]  # 3
    act = Act(said.act or uuid4(hub.token_bytes), said.kind, place.submitter, said.reason, lost, whole)
    return Carried(act, audience, act.summary)


def _named(said: Retraction, stored: dict[str, list[StoredEntry]]) -> dict[str, list[StoredEntry]]:
    return {
        target.stix_id: [
            one
            for one in stored.get(target.stix_id, ())
            if target.versions is None or one.named_by_signatures in target.versions
        ]
        for target in said.targets
    }


def _ways(tx: Connection, place: Place, names: Sequence[str]) -> _Ways:
    own = place.submitter
    paths = path_store.of_objects(tx, names, collection_id=place.collection.id)
    brought = {
        (one.stix_id, one.version_key, one.from_peer_id)
        for one in paths
        if own.identity in one.hubs or one.from_peer_id == own.id
    }
    partners = frozenset(peer.id for peer in peer_store.all(tx) if peer.partner_hub)
    return _Ways(frozenset(brought), partners)


def _remove(
    tx: Connection,
    place: Place,
    going: dict[str, list[StoredEntry]],
    entries: Sequence[StoredEntry],
    whole: frozenset[str],
    *,
    now: int,
) -> None:
    ended = {(one.stix_id, one.named_by_signatures) for one in entries}
    over = removal.signatures_over(tx, place.collection.id, [stix_id for stix_id, some in going.items() if some])
    known = {one.id for one in entries}
    with_them = [one for one, version in over if (str(one.related_to), version) in ended and one.id not in known]
    holds.keep_evidence(tx, place.group, place.collection, [*entries, *with_them], now=now)
    removal.remove(tx, place.collection.id, [*entries, *with_them])
    for stix_id, some in going.items():
        if some and not some[0].version_less:
            keys = None if stix_id in whole else {one.version_key for one in some}
            owner = place.submitter.id
            tombstones.dig(tx, place.collection.id, stix_id, keys, owner_peer_id=owner, now=now)
