"""What is stored, or was, under the ids of a submission: all that decides whether its versions may join it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import Connection

from hub.domain.admission import KnownVersion, Tombstone
from hub.domain.retraction import NOTE, is_retraction
from hub.domain.submission import SIGNATURE_TYPE, Decided
from hub.services.decision import Place
from hub.store import entries as entry_store
from hub.store import removal
from hub.store import retractions as retraction_store
from hub.store import tombstones as graves


@dataclass(frozen=True, slots=True)
class Stock:
    """What is stored, or was, under the ids of a submission.

    :param here: ids of which the collection has versions. :param twice: ids that occur more than once.
    :param revocations: by id, the version in the collection that says ``revoked``.
    :param notices: ids of stored retractions.
    """

    known: defaultdict[str, list[KnownVersion]]
    tombstones: Mapping[str, Tombstone]
    version_tombstones: Mapping[tuple[str, str], Tombstone]
    here: AbstractSet[str]
    twice: AbstractSet[str]
    revocations: dict[str, KnownVersion]
    notices: AbstractSet[str]

    def tombstone(self, item: Decided) -> Tombstone | None:
        """Return the tombstone that may bar a version, a moderator's before any other."""
        stix_id, key = item.parsed.facts.id, item.parsed.facts.version_key
        whole = self.tombstones.get(stix_id)
        if key is None:  # nobody owns a cyber-observable: his deleting it must not silence the others
            return whole if whole is not None and whole.moderated else None
        one = self.version_tombstones.get((stix_id, key))
        return one if one is not None and one.moderated else whole or one

    def has_history(self, item: Decided) -> bool:
        """Say whether a version may end or narrow others, or be narrowed by them."""
        facts = item.parsed.facts
        if facts.version_key is None or item.parsed.is_signature or is_retraction(item.parsed.obj):
            return False
        return facts.id in self.here or facts.id in self.twice


def stock_of(tx: Connection, place: Place, decided: Sequence[Decided]) -> Stock:
    """Read it; an object without history costs no further query."""
    collection_id = place.collection.id
    count = Counter(item.parsed.facts.id for item in decided)
    ids = sorted(count)
    known = defaultdict(list, entry_store.known(tx, ids))
    here = {one.stix_id for versions in known.values() for one in versions if one.collection_id == collection_id}
    versioned = {item.parsed.facts.id for item in decided if item.parsed.facts.version_key is not None}
    objects = {one for one in here & versioned if not one.startswith(f"{SIGNATURE_TYPE}--")}
    notes = [one for one in objects if one.startswith(f"{NOTE}--")]
    tombstones, version_tombstones = graves.of_both(tx, collection_id, ids)
    return Stock(
        known=known,
        tombstones=tombstones,
        version_tombstones=version_tombstones,
        here=here,
        twice={stix_id for stix_id, times in count.items() if times > 1},
        revocations={
            stix_id: max(
                (one for one in known[stix_id] if one.collection_id == collection_id),
                key=lambda one: one.version_key or "",
            )
            for stix_id in removal.revoked(tx, collection_id, sorted(objects))
        },
        notices=retraction_store.notices_among(tx, collection_id, notes),
    )
