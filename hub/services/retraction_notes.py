"""An author's own retraction: a signed note that withdraws what is his, in the transaction that stores the note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.retraction import Retraction, Target, read
from hub.domain.submission import Decided
from hub.services import contents, holds
from hub.services.context import Hub
from hub.services.decision import Place
from hub.services.identifier import uuid4
from hub.services.withdrawal import Act, Lost, Told, holders
from hub.store import held as held_store
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store import removal, tombstones
from hub.store import retractions as retraction_store
from hub.store.removal import StoredEntry

RULE: Final = "retraction"
REFUSED: Final = (
    "a target is not here, or not yours to withdraw: name objects, and versions, that you have published in this"
    " collection and can read"
)
"""The one answer for what is not there, hidden, or somebody else's."""
EMBARGOED: Final = "a retraction takes effect at once: leave the embargo out"
TOGETHER: Final = "a target is posted in the same envelope: post the retraction by itself"
UNPUBLISHED: Final = "withdrawn before it was published"


@dataclass(frozen=True, slots=True)
class Carried:
    """A retraction that is carried out.

    :param act: what has to be told; None when nobody has had what is withdrawn.
    :param audience: of the note itself: whoever has everything that it names, and its own people.
    """

    act: Act | None
    audience: Audience
    message: str


@dataclass(frozen=True, slots=True)
class _Owner:
    """In whose name a note withdraws: its author's peer, else the peer that posts it."""

    peer_id: int
    owners: Mapping[str, int]

    def has(self, one: StoredEntry) -> bool:
        return self.owners.get(one.author_identity or "", one.submitter_peer_id) == self.peer_id


def carry_out(
    tx: Connection, hub: Hub, place: Place, item: Decided, fresh: AbstractSet[str], *, now: int
) -> Carried | str:
    """Withdraw what a note names, or return why not; the collection is locked.

    1. A retraction is not held back, and withdraws nothing that comes with it.
    2. Each target is there, the submitter can read it, and something of it is the author's; each version named, too.
       A retraction is not retracted.
    3. Of a target, the author's own versions go. What others state of the same observable stays.
    4. With contents, what the targets hold together goes as far as it is his.
    5. What goes is kept where a hold covers it, and leaves a tombstone where it has versions.
    6. Who has all that the note names reads the note. Others, other hubs, to which a note need not cross, and what it
       does not name, get the hub's own notice.

    :param fresh: ids of the other objects of the same envelope.
    """
    said = read(item.parsed.obj)
    names = [target.stix_id for target in said.targets]
    if item.verdict.embargo_until is not None:  # 1
        return EMBARGOED
    if not fresh.isdisjoint(names):
        return TOGETHER
    owners = pseudonym_store.owners(tx, place.group.id)
    owner = _Owner(owners.get(item.parsed.facts.created_by_ref or "", place.submitter.id), owners)
    if retraction_store.notices_among(tx, place.collection.id, names):
        return REFUSED
    stored = removal.of_objects(tx, place.collection.id, names)
    unpublished = _unpublished(tx, place, names)
    going: dict[str, list[StoredEntry]] = {}
    for target in said.targets:  # 2, 3
        chosen = _chosen(target, stored.get(target.stix_id, ()), place, owner, now)
        if chosen is None and not (target.stix_id in unpublished and target.versions is None):
            return REFUSED
        going[target.stix_id] = chosen or []
    if said.contents:  # 4
        inside = contents.gather(tx, place.collection.id, names, owner.has)
        for notice_id in retraction_store.notices_among(tx, place.collection.id, list(inside)):
            del inside[notice_id]
        stored |= removal.of_objects(tx, place.collection.id, list(inside))
        going |= inside
    entries = [one for some in going.values() for one in some]
    having = holders(tx, place.collection.id, entries, owners, now=now)
    lost = [Lost(entry, peers) for entry, peers in zip(entries, having, strict=True)]
    whole = frozenset(stix_id for stix_id, some in going.items() if len(some) == len(stored.get(stix_id, ())))
    _remove(tx, place, going, whole, owner.peer_id, now)  # 5
    held_store.remove(tx, [held for stix_id in unpublished for held in unpublished[stix_id]])
    told = (_readers_of_the_note(said, lost) & _everyone(lost)) - peer_store.elsewhere(tx)  # 6
    veiled = item.parsed.facts.created_by_ref in place.pseudonyms or any(one.entry.audience.veiled for one in lost)
    audience = Audience("named", told | {place.submitter.id, owner.peer_id}, veiled)
    if not lost:
        return Carried(None, audience, UNPUBLISHED)
    by_note = Told(item.parsed.facts.id, told, frozenset(names))
    act = Act(uuid4(hub.token_bytes), "retracted", place.submitter, said.reason, lost, whole, [by_note] if told else [])
    return Carried(act, audience, act.summary)


def _chosen(
    target: Target, stored: Sequence[StoredEntry], place: Place, owner: _Owner, now: int
) -> list[StoredEntry] | None:
    """Return the versions of a target that go; None when the answer must be that there is no such thing."""
    if place.rights is None or not place.rights.can_read:
        return None
    his = [one for one in stored if owner.has(one)]
    seen = [one for one in his if one.audience.admits(place.submitter.id) and (one.expires_at or now + 1) > now]
    if target.versions is None:
        return his if seen else None
    named = [one for one in seen if one.named_by_signatures in target.versions]
    return named if {one.named_by_signatures for one in named} == set(target.versions) else None


def _unpublished(tx: Connection, place: Place, names: Sequence[str]) -> dict[str, list[int]]:
    """Return the ids of the versions under embargo that the submitter has here, by object."""
    found: dict[str, list[int]] = {}
    for stix_id in names:
        mine = [
            one.id
            for one in held_store.of_object(tx, stix_id)
            if one.collection_id == place.collection.id and one.peer_id == place.submitter.id
        ]
        if mine:
            found[stix_id] = mine
    return found


def _remove(
    tx: Connection,
    place: Place,
    going: Mapping[str, Sequence[StoredEntry]],
    whole: AbstractSet[str],
    owner_peer_id: int,
    now: int,
) -> None:
    entries = [one for some in going.values() for one in some]
    ended = {(one.stix_id, one.named_by_signatures) for one in entries}
    over = removal.signatures_over(tx, place.collection.id, [stix_id for stix_id, some in going.items() if some])
    entries += [one for one, version in over if (str(one.related_to), version) in ended and one not in entries]
    holds.keep_evidence(tx, place.group, place.collection, entries, now=now)
    removal.remove(tx, place.collection.id, entries)
    for stix_id, some in going.items():
        if some and not some[0].version_less:
            keys = None if stix_id in whole else {one.version_key for one in some}
            tombstones.dig(tx, place.collection.id, stix_id, keys, owner_peer_id=owner_peer_id, now=now)


def _readers_of_the_note(said: Retraction, lost: Sequence[Lost]) -> frozenset[int]:
    """Return who has every object that the note names, and every version where it names versions."""
    having: list[frozenset[int]] = []
    for target in said.targets:
        mine = [one for one in lost if one.entry.stix_id == target.stix_id]
        if target.versions is None:
            having.append(_everyone(mine))
        else:
            having += [
                _everyone([one for one in mine if one.entry.named_by_signatures == version])
                for version in target.versions
            ]
    return frozenset.intersection(*having)


def _everyone(lost: Sequence[Lost]) -> frozenset[int]:
    return frozenset[int]().union(*(one.holders for one in lost))
