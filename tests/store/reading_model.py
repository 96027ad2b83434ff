"""A collection as a list in memory, read the slow and obvious way: the oracle for the page queries."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.domain.audience import Audience
from hub.domain.stix import version_key
from hub.domain.taxii_time import format_timestamp
from hub.store.entries import NewEntry
from hub.store.pages import Selection


@dataclass(frozen=True)
class Kept:
    """One version in the list."""

    new: NewEntry
    date_added: int

    @property
    def key(self) -> str:
        return self.new.version_key or version_key(format_timestamp(self.date_added))

    @property
    def version(self) -> str:
        return self.new.version or format_timestamp(self.date_added)

    def follows(self, other: Kept) -> bool:
        """Whether this is a later version of the same object, for everybody who may see the other."""
        if self.new.stix_id != other.new.stix_id:
            return False
        if self.new.version is None:
            return self.date_added > other.date_added and self.new.audience.covers(other.new.audience)
        return self.key > other.key


@dataclass
class Model:
    """What a collection holds, and who may read it."""

    readers: set[int]
    kept: list[Kept] = field(default_factory=list)
    last: int = 0

    def insert(self, now: int, entries: list[NewEntry]) -> list[int]:
        dates = []
        for new in entries:
            self.last = max(now, self.last + 1)
            self.kept.append(Kept(new, self.last))
            dates.append(self.last)
        return dates

    def delete(self, stix_id: str, keys: set[str] | None) -> int:
        before = len(self.kept)
        self.kept = [
            one for one in self.kept if one.new.stix_id != stix_id or (keys is not None and one.key not in keys)
        ]
        return before - len(self.kept)

    def visible(self, peer_id: int, now: int) -> list[Kept]:
        if peer_id not in self.readers:
            return []
        return [
            one
            for one in self.kept
            if _admits(one.new.audience, peer_id) and (one.new.expires_at is None or one.new.expires_at > now)
        ]

    def matching(self, selection: Selection) -> list[Kept]:
        """Return everything that matches, in order, whatever position and limit say."""
        since = -1 if selection.added_after is None else selection.added_after
        wanted = selection.versions
        filtered = [
            one
            for one in self.visible(selection.peer_id, selection.now)
            if one.date_added > since
            and (selection.ids is None or one.new.stix_id in selection.ids)
            and (selection.types is None or one.new.type in selection.types)
        ]
        chosen = []
        for one in filtered:
            superseded = any(other.follows(one) and other.date_added > since for other in self.kept)
            preceded = any(other.new.stix_id == one.new.stix_id and other.key < one.key for other in filtered)
            if (
                wanted.all
                or (wanted.last and not superseded)
                or (wanted.first and not preceded)
                or one.key in wanted.exact
            ):
                chosen.append(one)
        return sorted(chosen, key=lambda one: one.date_added)


def _admits(audience: Audience, peer_id: int) -> bool:
    return {
        "group": True,
        "named": peer_id in audience.peers,
        "except": peer_id not in audience.peers,
    }[audience.kind]
