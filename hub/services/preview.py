"""What would become of objects if they were posted now, and who would see them: decided as a post is, and then undone.

The transaction of the commit itself runs and is rolled back, so the preview cannot differ from what happens. Nothing of
it stays: no version, no refusal, no leaf of the log, no line of the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from hub.domain import limits
from hub.domain.audience import Audience
from hub.domain.canonical import Json
from hub.domain.envelope import read_envelope
from hub.domain.membership import Caller, Collection, Member, Peer, Right, TrustGroup
from hub.domain.policy.decision import Decision, all_of
from hub.domain.policy.reading import ReadFacts, explain_read
from hub.domain.submission import Decided, Failed
from hub.services import access, commit, crossing, deliveries, ingest
from hub.services.access import OpenCollection
from hub.services.acquaintance import known_peers
from hub.services.commit import Succeeded
from hub.services.context import Hub
from hub.services.crossing import Crossing
from hub.services.shown_keys import ShownKeys
from hub.services.wakeup import Wakeup
from hub.store import collections as collection_store
from hub.store import decisions as decision_store
from hub.store import members as member_store
from hub.store import peers as peer_store
from hub.store.decisions import StoredDecision

Outcome: TypeAlias = Literal["accepted", "duplicate", "held", "served-by-hub", "refused"]


@dataclass(frozen=True, slots=True)
class Reader:
    """One peer of the group and what the rules of reading say of it, once the object is visible."""

    peer: Peer
    may_read: Decision


@dataclass(frozen=True, slots=True)
class Readers:
    """Who of the group would see an object: those the asker may know of, and how many others would and would not."""

    named: tuple[Reader, ...]
    others_may: int
    others_may_not: int


@dataclass(frozen=True, slots=True)
class Previewed:
    """What would become of one object.

    :param message: as the status of a post would say it. :param tlp: the level it would be published under.
    :param readers: place in `Preview.readers`; None where that is not the asker's to know, or nobody would see it.
    :param losing: handles of those who have an earlier version or may read one, and would have this one no more.
    :param others_losing: how many more. :param hubs: whether it would cross to each hub that is a member, and why not,
        of those the asker may know of. :param others_cross: to how many more it would.
    """

    index: int
    stix_id: str
    version: str
    outcome: Outcome
    rule: str | None
    message: str | None
    tlp: str | None = None
    embargo_until: int | None = None
    expires_at: int | None = None
    readers: int | None = None
    losing: tuple[str, ...] = ()
    others_losing: int = 0
    hubs: tuple[Crossing, ...] = ()
    others_cross: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of each object, in the order given; many objects have the same readers."""

    group: TrustGroup
    collection: Collection
    objects: tuple[Previewed, ...]
    readers: tuple[Readers, ...]


class _Undone(Exception):
    """Ends the transaction of a preview, and carries out of it what was refused there."""

    def __init__(self, refused: list[Failed]) -> None:
        self.refused = refused


def preview(hub: Hub, caller: Caller, slug: str, ref: str, envelope: Mapping[str, Json]) -> Preview:
    """Return what would happen if the caller posted this envelope to this collection now.

    1. He must be able to post there; a feed can, so it may preview too.
    2. Decide, exactly as for a post.
    3. Commit, look at what is there then, and roll back.

    :raises NotFound: there is no such collection for him. :raises Forbidden: he may not write in it.
    :raises Unprocessable: there are no objects, or too many. :raises Busy: somebody else was writing all the time.
    """
    with hub.db.read() as tx:
        opened = access.collection(tx, caller, slug, ref)
    access.require(opened.rights, Right.WRITE)  # 1
    received = ingest.Received(read_envelope(dict(envelope), max_objects=hub.bounds.max_objects), plain=False)
    # What this process remembers of what is stored must not learn from what is rolled back.
    apart = replace(hub, shown_keys=ShownKeys(), wakeup=Wakeup())
    now = hub.clock()
    examined = ingest.examine(apart, opened, caller.peer, received, now=now)  # 2
    ids = sorted({item.parsed.facts.id for item in examined.decided})
    seen = _Seen()
    try:
        with hub.db.write(patience_ms=limits.PREVIEW_PATIENCE_MS) as tx:  # 3
            before = _here(tx, opened, ids)
            stored, refused = commit.commit(tx, apart, examined.place, ingest.new_uuid(hub), examined.decided, now=now)
            crowd = _Crowd.of(tx, caller, opened, now=now)
            after = _here(tx, opened, ids)
            decided = {item.parsed.index: item for item in examined.decided}
            for item in [*examined.known, *stored]:
                taken = _taken(tx, crowd, seen, item, decided.get(item.index), before, after)
                seen.add(_crossing(tx, apart, crowd, taken, item, after))
            raise _Undone(refused)
    except _Undone as undone:
        refused = undone.refused
    for failed in [*examined.failed, *refused]:
        seen.add(_refused(failed))
    return Preview(
        opened.group,
        opened.collection,
        tuple(sorted(seen.objects, key=lambda one: one.index)),
        tuple(seen.readers),
    )


@dataclass(slots=True)
class _Seen:
    """What is known so far; each set of readers once."""

    objects: list[Previewed] = field(default_factory=list)
    readers: list[Readers] = field(default_factory=list)
    places: dict[tuple[str, int | None], int] = field(default_factory=dict)

    def add(self, one: Previewed) -> None:
        self.objects.append(one)

    def place(self, crowd: _Crowd, audience: Audience, expires_at: int | None) -> int | None:
        """Return where these readers stand; None where a pseudonym made or named the audience: it would tell whose."""
        if audience.veiled:
            return None
        key = (audience.key(), expires_at)
        if key not in self.places:
            self.places[key] = len(self.readers)
            self.readers.append(crowd.named(crowd.readers(audience, expires_at)))
        return self.places[key]


@dataclass(frozen=True, slots=True)
class _Crowd:
    """The members of the group, as they are within the transaction."""

    caller: Caller
    opened: OpenCollection
    rows: tuple[tuple[Peer, Member], ...]
    overrides: Mapping[int, tuple[bool | None, bool | None]]
    known: frozenset[int]
    handles: Mapping[int, str]
    now: int

    @staticmethod
    def of(tx: Connection, caller: Caller, opened: OpenCollection, *, now: int) -> _Crowd:
        group = opened.group
        return _Crowd(
            caller,
            opened,
            tuple(sorted(member_store.of_group(tx, group.id), key=lambda row: row[0].handle)),
            collection_store.overrides(tx, opened.collection.id),
            known_peers(tx, caller, group),
            {peer.id: peer.handle for peer in peer_store.all(tx)},
            now,
        )

    def readers(self, audience: Audience, expires_at: int | None) -> list[Reader]:
        """Return what the rules say of every member but the one who asks; other hubs are another matter."""
        return [
            Reader(
                peer,
                all_of(
                    explain_read(
                        ReadFacts(
                            peer_id=peer.id,
                            peer_suspended=peer.suspended_at is not None,
                            group_id=self.opened.group.id,
                            member=member,
                            override=self.overrides.get(peer.id),
                            audience=audience,
                            submitter_peer_id=self.caller.peer.id,
                            expires_at=expires_at,
                            now=self.now,
                            partner_hub=peer.partner_hub,
                        )
                    )
                ),
            )
            for peer, member in self.rows
            if peer.id != self.caller.peer.id and not peer.partner_hub
        ]

    def named(self, readers: Iterable[Reader]) -> Readers:
        """Return these with the names that the asker may be told."""
        readers = list(readers)
        others = [one for one in readers if one.peer.id not in self.known]
        may = sum(1 for one in others if one.may_read)
        named = tuple(one for one in readers if one.peer.id in self.known)
        return Readers(named, may, len(others) - may)


def _here(tx: Connection, opened: OpenCollection, ids: Sequence[str]) -> dict[str, list[StoredDecision]]:
    """Return the stored versions of these objects in the collection, by object."""
    found = decision_store.of_objects(tx, opened.collection.id, ids)
    return {stix_id: found.get(stix_id, []) for stix_id in ids}


def _refused(failed: Failed) -> Previewed:
    return Previewed(failed.index, failed.stix_id, failed.version, "refused", failed.rule, failed.message)


def _taken(
    tx: Connection,
    crowd: _Crowd,
    seen: _Seen,
    item: Succeeded,
    decided: Decided | None,
    before: Mapping[str, Sequence[StoredDecision]],
    after: Mapping[str, Sequence[StoredDecision]],
) -> Previewed:
    """Return what would become of an object that a post would succeed with."""
    mine = crowd.caller.peer.id
    verdict = None if decided is None else decided.verdict
    outcome: Outcome = item.decision
    said = Previewed(item.index, item.stix_id, item.version, outcome, None, item.message)
    if decided is None or verdict is None:
        return said
    if outcome == "held":
        place = seen.place(crowd, decided.audience, verdict.expires_at)
        return replace(
            said,
            rule=verdict.decision.rule,
            message=item.message,
            tlp=verdict.tlp,
            embargo_until=verdict.embargo_until,
            expires_at=verdict.expires_at,
            readers=place,
        )
    there = [one for one in after.get(item.stix_id, []) if one.sha256 == item.sha256 and one.submitter_peer_id == mine]
    if not there:  # somebody else's: who sees it is not the asker's to know
        return said
    stored = there[-1]
    said = replace(
        said,
        rule=stored.rule,
        message=item.message or stored.reason,
        tlp=stored.tlp,
        expires_at=stored.expires_at,
        readers=seen.place(crowd, stored.audience, stored.expires_at),
    )
    if outcome != "accepted":
        return said
    losing = _losing(tx, crowd, stored, before.get(item.stix_id, []))
    named = sorted(crowd.handles[peer_id] for peer_id in losing & crowd.known)
    return replace(said, losing=tuple(named), others_losing=len(losing - crowd.known))


def _crossing(
    tx: Connection,
    hub: Hub,
    crowd: _Crowd,
    taken: Previewed,
    item: Succeeded,
    after: Mapping[str, Sequence[StoredDecision]],
) -> Previewed:
    """Return the same with the hubs it would cross to; of what a pseudonym made or named nothing is told."""
    if taken.readers is None or taken.outcome == "held":
        return taken
    stored = [one for one in after.get(item.stix_id, []) if one.sha256 == item.sha256]
    if not stored or stored[-1].audience.veiled:
        return taken
    opened = crowd.opened
    found = crossing.of_version(tx, hub, opened.group, opened.collection, item.stix_id, item.sha256)
    others = sum(1 for one in found if one.peer.id not in crowd.known and one.decision)
    return replace(taken, hubs=tuple(one for one in found if one.peer.id in crowd.known), others_cross=others)


def _losing(tx: Connection, crowd: _Crowd, stored: StoredDecision, before: Sequence[StoredDecision]) -> frozenset[int]:
    """Return who has, or may read, an earlier version of the asker's own and would not see the new one."""
    mine = crowd.caller.peer
    own = [one for one in before if mine.id == one.submitter_peer_id or mine.identity == one.author_identity]
    if not own or stored.audience.veiled or any(one.audience.veiled or one.first_audience.veiled for one in own):
        return frozenset()
    having = {
        one.peer.id for version in own for one in crowd.readers(version.audience, version.expires_at) if one.may_read
    }
    entries = [(one.date_added, stored.stix_type, one.first_audience) for one in own]
    having |= deliveries.holders(tx, crowd.opened.collection.id, entries)
    seeing = {one.peer.id for one in crowd.readers(stored.audience, stored.expires_at) if one.may_read}
    return frozenset(having - seeing - {mine.id})
