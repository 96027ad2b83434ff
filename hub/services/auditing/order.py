"""Check `order`: which version supersedes which, what a collection counts, and that nothing stands on its own grave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.domain.audience import WHOLE_GROUP, Audience
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.services.auditing.item import Item
from hub.store import scan
from hub.store.scan import Row


@dataclass(slots=True)
class OrderCheck:
    """Takes the versions of each collection in the order of their dates."""

    ground: Ground
    counts: Counter[int] = field(default_factory=Counter)
    last: dict[int, int] = field(default_factory=dict)

    def add(self, items: Sequence[Item]) -> Findings:
        """Take the next versions of one collection, or of several."""
        for item in items:
            self.counts[item.row["collection_id"]] += 1
            self.last[item.row["collection_id"]] = item.row["date_added"]
        for collection_id in {item.row["collection_id"] for item in items}:
            here = [item.row for item in items if item.row["collection_id"] == collection_id]
            yield from self._supersession(collection_id, here)
            yield from self._graves(collection_id, here)

    def end(self) -> Findings:
        """Compare what the collections count with what was there."""
        for row in self.ground.collections.values():
            name = f"collection {row['alias'] or row['uuid']}"
            if row["entries"] != self.counts[row["id"]]:
                text = f"it counts {row['entries']}, and there are {self.counts[row['id']]}"
                yield Finding("collection.entries", "collection.entries", name, text)
            newest = max(self.last.get(row["id"], 0), self.ground.last_dates.get(row["uuid"], 0))
            if row["last_date_added"] != newest:
                text = "it is not the date of the newest version that was accepted"
                yield Finding("collection.last_date", "collection.last_date_added", name, text)

    def _supersession(self, collection_id: int, here: Sequence[Row]) -> Findings:
        begins = min(row["date_added"] for row in here)
        only = (
            "id",
            "collection_id",
            "stix_id",
            "version",
            "version_key",
            "date_added",
            "audience_id",
            "superseded_at",
        )
        versions: dict[tuple[str, bool], list[Row]] = defaultdict(list)
        for row in scan.having(self.ground.tx, "entry", "stix_id", [row["stix_id"] for row in here], only):
            if row["collection_id"] == collection_id:
                versions[row["stix_id"], row["version"] is not None].append(row)
        for (stix_id, versioned), rows in versions.items():
            if min(row["date_added"] for row in rows) < begins:
                continue  # looked at when the first of them came
            for row in rows:
                if not _is_right(self.ground, row, rows, versioned=versioned):
                    name, text = f"entry {row['id']} ({stix_id})", "its later versions say otherwise"
                    yield Finding("entry.superseded_at", "entry.superseded_at", name, text)

    def _brought_again(self, grave: Row, row: Row) -> bool:
        own, owner = self.ground.hub_peer(), self.ground.peers.get(grave["owner_peer_id"])
        hub = owner is not None and owner["kind"] == "hub" and (own is None or owner["id"] != own["id"])
        return hub and not grave["moderated"] and row["submitter_peer_id"] == grave["owner_peer_id"]

    def _graves(self, collection_id: int, here: Sequence[Row]) -> Findings:
        keys = {(row["stix_id"], row["version_key"]): row for row in here}
        whole = {row["stix_id"]: row for row in here}
        for grave in scan.having(self.ground.tx, "tombstone", "stix_id", list(whole)):
            if grave["collection_id"] != collection_id:
                continue
            key = grave["version_key"]
            row = whole.get(grave["stix_id"]) if key == "" else keys.get((grave["stix_id"], key))
            # Nobody owns a cyber-observable: one who deletes it does not keep others from stating it. A hub that took
            # away what it had brought may bring it again, or a later version: its author decides that at home.
            if row is not None and row["version"] is not None and not self._brought_again(grave, row):
                name = f"{grave['stix_id']}"
                text = "it forbids a version that is served"
                yield Finding("tombstone.served", "tombstone", name, text)


def _is_right(ground: Ground, row: Row, rows: Sequence[Row], *, versioned: bool) -> bool:
    """Say whether `superseded_at` is one that `hub.store.supersession` allows for these versions."""
    if versioned:
        later = [one["date_added"] for one in rows if one["version_key"] > row["version_key"]]
    else:
        mine = _audience(ground, row)
        later = [
            one["date_added"]
            for one in rows
            if one["date_added"] > row["date_added"] and _audience(ground, one).covers(mine)
        ]
    stored = row["superseded_at"]
    if not later:
        return stored is None
    if max(later) > row["date_added"]:  # any date after its own: a long history is not rewritten with each version
        gone = (ground.collection_names(row["collection_id"])[1], row["stix_id"]) in ground.withdrawn
        return stored is not None and (stored in later or gone) and row["date_added"] < stored
    return bool(stored == max(later))


def _audience(ground: Ground, row: Row) -> Audience:
    return ground.audiences.get(row["audience_id"], WHOLE_GROUP)
