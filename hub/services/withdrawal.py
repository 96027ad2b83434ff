"""What every withdrawal does, however it came about: whom it has to reach, how they are told, and what proves it.

Those who have what is withdrawn fall into sets of peers that have the same of it. Each set is told by a notice of its
own, which names what they have and nothing else: no notice tells a peer that something exists which he did not know of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.audience import Audience
from hub.domain.log_event import Event
from hub.domain.membership import Collection, Peer, TrustGroup
from hub.domain.retraction import Kind, Target
from hub.domain.taxii_time import format_timestamp
from hub.services import transparency
from hub.services.context import Hub
from hub.services.notices import accepted, signed_notice
from hub.store import entries as entry_store
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store import relay_batches as batch_store
from hub.store import retractions as store
from hub.store import served as served_store
from hub.store.entries import NewEntry
from hub.store.removal import StoredEntry
from hub.store.retractions import NewRetraction


@dataclass(frozen=True, slots=True)
class Lost:
    """One stored version that these peers have, or may have, and must not keep.

    :param by_pseudonym: a pseudonym published it, or one that somebody named is why it is these peers.
    """

    entry: StoredEntry
    holders: frozenset[int]
    by_pseudonym: bool = False

    @property
    def veiled(self) -> bool:
        """Say whether it may be told to nobody who and how many they are."""
        return self.by_pseudonym or self.entry.audience.veiled


@dataclass(frozen=True, slots=True)
class Told:
    """Some holders learn of some objects from what is in the feed anyway: an author's note, a revoked version."""

    by: str  # STIX id
    peers: frozenset[int]
    stix_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Act:
    """One withdrawal.

    :param actor: whose doing it is; None is the operator at the hub's own machine.
    :param whole: STIX ids of which everything goes, so that their versions need not be named.
    """

    uuid: str
    kind: Kind
    actor: Peer | None
    reason: str | None
    lost: Sequence[Lost]
    whole: frozenset[str] = frozenset()
    told: Sequence[Told] = ()

    @property
    def summary(self) -> str:
        """What the status of the submission says: how many versions, and how many peers beside the actor."""
        verb = {"narrowed": "narrowed", "revoked": "revoked"}.get(self.kind, "retracted")
        own = frozenset() if self.actor is None else frozenset({self.actor.id})
        if any(one.veiled for one in self.lost):
            return f"{verb} {_count(len(self.lost), 'version')}"
        reach = len(frozenset[int]().union(*(one.holders for one in self.lost)) - own)
        return f"{verb} {_count(len(self.lost), 'version')}, to reach {_count(reach, 'peer')}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an act writes: the hub's notices and the record, for which the log has no places yet."""

    notices: list[NewEntry]
    records: list[NewRetraction]

    @property
    def audiences(self) -> set[Audience]:
        """Every audience that it needs."""
        return {one.audience for one in self.notices} | {one.holders for one in self.records}


def holders(
    tx: Connection, collection_id: int, entries: Sequence[StoredEntry], owners: Mapping[str, int], *, now: int
) -> list[frozenset[int]]:
    """Return, of each version, the peers that have it or may have it; the collection is locked.

    1. Its author's peer and the peer that published it; a hub that brought it, and an author at home there, hear of it
       by the way it came and are not asked.
    2. Every member who may read it now, or might have before its permission ended.
    3. Everyone the delivery ledger names, members or not, except whom a narrower audience has taken it from already.
    4. Every other hub that was handed it and did not refuse it, with the same exception; being a member gives a hub
       nothing, so no notice tells it of what it never got.

    :param owners: peer ids by STIX identity.
    """
    if not entries:
        return []
    readers = store.readers(tx, collection_id)
    dates = [one.date_added for one in entries]
    served = served_store.covering(tx, collection_id, min(dates), max(dates))
    handed: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for (peer_id, stix_id, key), outcome in batch_store.sent_of(
        tx, collection_id, sorted({one.stix_id for one in entries})
    ).items():
        if outcome != "refused":
            handed[stix_id, key].add(peer_id)
    elsewhere = peer_store.elsewhere(tx)
    found = []
    for one in entries:
        peers = {one.submitter_peer_id, owners.get(one.author_identity or "", one.submitter_peer_id)} - elsewhere  # 1
        for reader in readers:  # 2
            lasted = one.expires_at is None or one.expires_at > min(now, reader.joined_at)
            if lasted and one.audience.admits(reader.peer_id):
                peers.add(reader.peer_id)
        for peer_id, given in served:  # 3
            if peer_id not in peers and given.covers(one.date_added, one.type) and one.audience.admits(peer_id):
                peers.add(peer_id)
        peers |= {peer_id for peer_id in handed[one.stix_id, one.version_key] if one.audience.admits(peer_id)}  # 4
        found.append(frozenset(peers))
    return found


def prepare(
    tx: Connection, hub: Hub, group: TrustGroup, collection: Collection, acts: Sequence[Act], *, now: int
) -> Prepared:
    """Return the notices, one for each set of peers that have the same of it, and the record of who must hear what."""
    notices: list[NewEntry] = []
    records: list[NewRetraction] = []
    if not acts:
        return Prepared(notices, records)
    owners = pseudonym_store.owners(tx, group.id)
    pseudonyms = owners.keys() - peer_store.identities(tx).keys()
    for given in acts:
        # Whoever may follow an act is told who acted and who holds what went: never of what a pseudonym published.
        act = replace(given, lost=[replace(one, by_pseudonym=True) if one.entry.author_identity in pseudonyms else one
                                   for one in given.lost])  # fmt: skip
        for told in act.told:
            mine = [one for one in act.lost if one.entry.stix_id in told.stix_ids and one.holders & told.peers]
            records += _records(act, collection, owners, mine, told.peers, told.by, now)
        for peers, items in _alike(act):
            for some in _batches(items):
                lost = [one for key in some for one in items[key]]
                made = signed_notice(
                    tx,
                    hub,
                    kind=act.kind,
                    act=act.uuid,
                    reason=act.reason,
                    targets=_targets(some, items),
                    levels=[one.entry.tlp for one in lost],
                    audience=Audience("named", peers, _veiled(lost)),
                    now=now,
                )
                notices.append(made)
                records += _records(act, collection, owners, lost, peers, made.stix_id, now)
    return Prepared(notices, records)


def write(tx: Connection, hub: Hub, group: TrustGroup, collection: Collection, prepared: Prepared, *, now: int) -> None:
    """Write notices, records and the leaves that witness both, after everything else of the transaction.

    The notices get dates after all that is in the collection. Their audiences are interned already, as the lock of the
    log comes last.
    """
    if not prepared.records:
        return
    first = max(now, entry_store.lock(tx, collection.id) + 1)
    names = {peer_id: identity for identity, peer_id in peer_store.identities(tx).items()}
    events = [
        accepted(group, collection, one, names, date_added=first + offset)
        for offset, one in enumerate(prepared.notices)
    ]
    events += [_retracted(group, collection, one, names) for one in prepared.records]
    places = iter(transparency.append(tx, hub, events, now=now))
    entries = [replace(one, log_index=log_index) for one, log_index in zip(prepared.notices, places, strict=False)]
    records = [replace(one, log_index=log_index) for one, log_index in zip(prepared.records, places, strict=True)]
    entry_store.insert(tx, collection.id, now, entries)
    store.add(tx, records)


_Key = tuple[str, int | None]
"""What a notice names: an object, or one version of it by its entry's id."""


def _alike(act: Act) -> Iterator[tuple[frozenset[int], dict[_Key, list[Lost]]]]:
    """Yield sets of peers that have the same, of what nothing else tells them of, with that."""
    told = {(peer_id, stix_id) for one in act.told for peer_id in one.peers for stix_id in one.stix_ids}
    had: dict[int, list[tuple[_Key, Lost]]] = {}
    for one in act.lost:
        stix_id = one.entry.stix_id
        key = (stix_id, None if stix_id in act.whole else one.entry.id)
        for peer_id in one.holders:
            if (peer_id, stix_id) not in told:
                had.setdefault(peer_id, []).append((key, one))
    alike: dict[frozenset[_Key], set[int]] = {}
    for peer_id, items in had.items():
        alike.setdefault(frozenset(key for key, _ in items), set()).add(peer_id)
    for keys, peers in sorted(alike.items(), key=lambda each: min(each[1])):
        together: dict[_Key, list[Lost]] = {}
        for one in act.lost:
            stix_id = one.entry.stix_id
            key = (stix_id, None if stix_id in act.whole else one.entry.id)
            if key in keys and one.holders & peers:
                together.setdefault(key, []).append(one)
        yield frozenset(peers), together


def _batches(items: Mapping[_Key, object]) -> Iterator[list[_Key]]:
    keys = iter(items)
    while some := list(islice(keys, limits.MAX_RETRACTION_TARGETS)):
        yield some


def _targets(keys: Sequence[_Key], items: Mapping[_Key, Sequence[Lost]]) -> list[Target]:
    versions: dict[str, list[str] | None] = {}
    for stix_id, entry_id in keys:
        if entry_id is None:
            versions[stix_id] = None
        else:
            named = versions.setdefault(stix_id, [])
            version = items[stix_id, entry_id][0].entry.named_by_signatures
            if named is not None and version not in named:
                named.append(version)
    return [Target(stix_id, None if named is None else tuple(named)) for stix_id, named in versions.items()]


def _veiled(lost: Sequence[Lost]) -> bool:
    return any(one.veiled for one in lost)


def _records(
    act: Act,
    collection: Collection,
    owners: Mapping[str, int],
    lost: Sequence[Lost],
    peers: frozenset[int],
    notice_id: str,
    now: int,
) -> list[NewRetraction]:
    objects: dict[str, list[StoredEntry]] = {}
    for one in lost:
        objects.setdefault(one.entry.stix_id, []).append(one.entry)
    return [
        NewRetraction(
            uuid=act.uuid,
            collection_id=collection.id,
            stix_id=stix_id,
            kind=act.kind,
            reason=act.reason,
            at=now,
            actor_peer_id=None if act.actor is None else act.actor.id,
            author_peer_id=owners.get(entries[0].author_identity or "", entries[0].submitter_peer_id),
            versions=tuple((one.version, one.sha256.hex()) for one in entries),
            holders=Audience("named", peers, _veiled(lost)),
            notice_id=notice_id,
        )
        for stix_id, entries in objects.items()
    ]


def _holders(peers: frozenset[int], lost: Sequence[Lost]) -> Audience:
    """Return the holders as an audience: veiled where that of something they have is."""
    return Audience("named", peers, veiled=any(one.veiled for one in lost))


def _retracted(group: TrustGroup, collection: Collection, one: NewRetraction, names: Mapping[int, str]) -> Event:
    return Event(
        "retracted",
        {
            "act": one.uuid,
            "actor": "hub" if one.actor_peer_id is None else names[one.actor_peer_id],
            "at": format_timestamp(one.at),
            "collection": collection.uuid,
            "group": group.slug,
            "holders": len(one.holders.peers),
            "id": one.stix_id,
            "kind": one.kind,
            "notice": one.notice_id,
            "versions": [{"sha256": sha256, "version": version} for version, sha256 in one.versions],
        },
        one.actor_peer_id,
        one.author_peer_id if one.author_peer_id != one.actor_peer_id else None,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
