"""What a new version does to the versions before it: one that says ``revoked`` ends them, a narrower one narrows them.

Asked only where an object has a history, under the collection's lock. Cyber-observables have neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.retraction import Kind
from hub.domain.submission import Decided
from hub.services import holds
from hub.services.context import Hub
from hub.services.decision import Place
from hub.services.identifier import uuid4
from hub.services.withdrawal import Act, Lost, Told, holders
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store import removal
from hub.store.removal import StoredEntry


@dataclass(slots=True)
class Succession:
    """What has to be told, to whom, once the new versions are stored.

    :param audiences: of new versions that came after later ones, by index in the envelope: never wider than theirs.
    :param messages: for the status, by index in the envelope.
    """

    acts: list[Act] = field(default_factory=list)
    audiences: dict[int, Audience] = field(default_factory=dict)
    messages: dict[int, str] = field(default_factory=dict)


def succeed(tx: Connection, hub: Hub, place: Place, new: Sequence[Decided], *, now: int) -> Succession:
    """Remove what the new versions revoke, narrow what they narrow, and return what follows from it.

    1. A version that is older than a stored one is for nobody whom a later one leaves out; it was never read wider.
    2. A revoked version removes those before it that its publisher may withdraw. Who may see it needs no other notice.
    3. Any other takes the older versions from whom it leaves out, their publishers excepted.

    :param new: versions about to be stored, of objects that the collection has versions of or that occur twice here.
    """
    done = Succession()
    stored = removal.of_objects(tx, place.collection.id, [item.parsed.facts.id for item in new])
    owners = pseudonym_store.owners(tx, place.group.id)
    for item in new:  # 1
        audience = _later_audiences(item, new, stored).including(_publishers(item, place, owners))
        if audience != item.verdict.audience:
            done.audiences[item.parsed.index] = audience
    remaining = {one.id: one for entries in stored.values() for one in entries if not one.version_less}
    narrowed: set[int] = set()
    for item in sorted(new, key=_key):
        audience = done.audiences.get(item.parsed.index, item.audience)
        before = [one for one in remaining.values() if one.stix_id == item.parsed.facts.id and _precedes(one, item)]
        lost: list[Lost] = []
        told: list[Told] = []
        if item.parsed.facts.revoked:  # 2
            ended = [one for one in before if _may_end(one, place)]
            peers = holders(tx, place.collection.id, ended, owners, now=now)
            lost = [Lost(entry, having) for entry, having in zip(ended, peers, strict=True)]
            told = _told_by_the_version(item, audience, lost, peer_store.elsewhere(tx) if lost else frozenset())
            for one in ended:
                del remaining[one.id]
        else:  # 3
            after = {one.id: _narrowed(one, audience, owners) for one in before}
            fewer = [one for one in before if after[one.id] != one.audience]
            peers = holders(tx, place.collection.id, fewer, owners, now=now)
            for entry, having in zip(fewer, peers, strict=True):
                losers = frozenset(peer_id for peer_id in having if not after[entry.id].admits(peer_id))
                lost += [Lost(entry, losers, after[entry.id].veiled)] if losers else []
                remaining[entry.id] = replace(entry, audience=after[entry.id])
                narrowed.add(entry.id)
        if lost:
            kind: Kind = "revoked" if item.parsed.facts.revoked else "narrowed"
            act = Act(uuid4(hub.token_bytes), kind, place.submitter, None, lost, told=told)
            done.acts.append(act)
            if not (kind == "narrowed" and any(one.veiled for one in lost)):  # it tells who is left
                done.messages[item.parsed.index] = act.summary
    gone = [one for entries in stored.values() for one in entries if not one.version_less and one.id not in remaining]
    _apply(tx, place, gone, [remaining[one] for one in narrowed if one in remaining], now)
    return done


def _later_audiences(item: Decided, new: Sequence[Decided], stored: Mapping[str, Sequence[StoredEntry]]) -> Audience:
    stix_id, audience = item.parsed.facts.id, item.audience
    for one in stored.get(stix_id, ()):
        if not one.version_less and one.version_key > _key(item):
            audience = audience.intersection(one.audience)
    for other in new:
        if other.parsed.facts.id == stix_id and _key(other) > _key(item):
            audience = audience.intersection(other.audience)
    return audience


def _publishers(item: Decided, place: Place, owners: Mapping[str, int]) -> frozenset[int]:
    author = owners.get(item.parsed.facts.created_by_ref or "")
    return frozenset({place.submitter.id} if author is None else {place.submitter.id, author})


def _narrowed(one: StoredEntry, later: Audience, owners: Mapping[str, int]) -> Audience:
    publishers = {one.submitter_peer_id, owners.get(one.author_identity or "", one.submitter_peer_id)}
    return one.audience.intersection(later).including(frozenset(publishers))


def _may_end(one: StoredEntry, place: Place) -> bool:
    """What another member introduced he may bring up to date but not take away; the rest is its author's."""
    return not one.introduced or one.submitter_peer_id == place.submitter.id


def _told_by_the_version(
    item: Decided, audience: Audience, lost: Sequence[Lost], elsewhere: frozenset[int]
) -> list[Told]:
    """Return who needs no notice, as he reads the version itself; whether it crosses to another hub is not settled."""
    if item.verdict.expires_at is not None:  # it may be gone before a holder reads it
        return []
    stix_id = item.parsed.facts.id
    peers = frozenset(peer_id for one in lost for peer_id in one.holders if audience.admits(peer_id)) - elsewhere
    return [Told(stix_id, peers, frozenset({stix_id}))] if peers else []


def _apply(
    tx: Connection, place: Place, gone: Sequence[StoredEntry], narrowed: Sequence[StoredEntry], now: int
) -> None:
    """Take away what goes and narrow what is narrowed, and the signatures over it likewise."""
    if not gone and not narrowed:
        return
    collection_id = place.collection.id
    ended = {(one.stix_id, one.named_by_signatures) for one in gone}
    narrower = {(one.stix_id, one.named_by_signatures): one.audience for one in narrowed}
    going = list(gone)
    audiences = {one.id: one.audience for one in narrowed}
    for signature, version in removal.signatures_over(tx, collection_id, [one.stix_id for one in (*gone, *narrowed)]):
        signed = (str(signature.related_to), version)
        if signed in ended:
            going.append(signature)
        elif signed in narrower:
            signer = frozenset({signature.submitter_peer_id})
            audiences[signature.id] = signature.audience.intersection(narrower[signed]).including(signer)
    holds.keep_evidence(tx, place.group, place.collection, going, now=now)
    removal.remove(tx, collection_id, going)
    removal.narrow(tx, audiences)


def _precedes(one: StoredEntry, item: Decided) -> bool:
    return one.version_key < _key(item)


def _key(item: Decided) -> str:
    key = item.parsed.facts.version_key
    if key is None:
        raise AssertionError("a cyber-observable has no history")
    return key
