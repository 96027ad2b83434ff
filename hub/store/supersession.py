"""Which versions are superseded, and since when: decided at write time, so that a page is a range scan.

``superseded_at`` of an entry is null when it has no later version in its collection. Otherwise it is the greatest
``date_added`` among its later versions, or, once one of these was added after the entry itself, any such date: whoever
asks for what was added after some moment and gets the entry then gets that later version too.

The later version is the one with the greater version key, whoever may see it. Contents of an object without versions
(a cyber-observable) follow each other by ``date_added``, and one supersedes another only if everyone who may see the
earlier one may see the later one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from hub.domain.audience import Audience
from hub.store.batches import batches
from hub.store.tables import audience, entry


@dataclass(slots=True)
class Placed:
    """One entry among the versions of its object; ``entry_id`` None while it is not stored yet."""

    entry_id: int | None
    stix_id: str
    versioned: bool
    version_key: str
    date_added: int
    audience: Audience
    superseded_at: int | None = None


def stored(tx: Connection, collection_id: int, stix_ids: Iterable[str]) -> list[Placed]:
    """Return every entry of these objects in the collection."""
    c = entry.c
    found: list[Placed] = []
    for some in batches(sorted(set(stix_ids))):
        rows = tx.execute(
            select(c.id, c.stix_id, c.version, c.version_key, c.date_added, audience.c.key, c.superseded_at)
            .join(audience, audience.c.id == c.audience_id)
            .where(c.collection_id == collection_id, c.stix_id.in_(some))
        )
        found += [
            Placed(entry_id, stix_id, version is not None, version_key, date, Audience.from_key(key), superseded_at)
            for entry_id, stix_id, version, version_key, date, key, superseded_at in rows
        ]
    return found


def settle(placed: Sequence[Placed]) -> list[Placed]:
    """Set ``superseded_at`` on all entries of some objects; return the stored ones for which it has to be written."""
    objects: dict[tuple[str, bool], list[Placed]] = defaultdict(list)
    for one in placed:
        objects[one.stix_id, one.versioned].append(one)
    changed: list[Placed] = []
    for (_, versioned), entries in objects.items():
        if len(entries) == 1 and entries[0].superseded_at is None:
            continue
        dates = _by_key(entries) if versioned else _by_audience(entries)
        for one, superseded_at in zip(entries, dates, strict=True):
            if one.superseded_at != superseded_at:
                settled = _settled(one) and _after(superseded_at, one)
                one.superseded_at = superseded_at
                # Not rewritten each time: n versions of one object would cost n * n updates.
                if one.entry_id is not None and not settled:
                    changed.append(one)
    return changed


def _settled(one: Placed) -> bool:
    return _after(one.superseded_at, one)


def _after(superseded_at: int | None, one: Placed) -> bool:
    return superseded_at is not None and superseded_at > one.date_added


def _by_key(entries: list[Placed]) -> list[int | None]:
    latest: int | None = None
    found: dict[int, int | None] = {}
    for index in sorted(range(len(entries)), key=lambda index: entries[index].version_key, reverse=True):
        found[index] = latest
        date = entries[index].date_added
        latest = date if latest is None else max(latest, date)
    return [found[index] for index in range(len(entries))]


def _by_audience(entries: list[Placed]) -> list[int | None]:
    last: dict[Audience, int] = {}
    for one in entries:
        last[one.audience] = max(last.get(one.audience, 0), one.date_added)
    covering: dict[Audience, int] = {}
    for narrow in last:
        covering[narrow] = max(date for wide, date in last.items() if wide.covers(narrow))
    return [covering[one.audience] if covering[one.audience] > one.date_added else None for one in entries]
