"""What an incident, report or grouping holds together: what goes when its author withdraws it with its contents."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Final

from sqlalchemy import Connection

from hub.domain.canonical import parse
from hub.domain.retraction import WITH_CONTENTS
from hub.domain.stix import SRO_TYPES, facts
from hub.store import removal
from hub.store.removal import StoredEntry

_APART: Final = frozenset({"identity", "marking-definition", "extension-definition", *WITH_CONTENTS})
"""Referred to, but not contained: who, how to handle it, and other things that hold objects together."""

_ENDS: Final = re.compile(rb'"(?:source_ref|target_ref|sighting_of_ref)":"([^"]+)"')
"""The ends of a relationship or sighting in its JCS bytes, in which nothing is spelled in two ways."""


def gather(
    tx: Connection, collection_id: int, targets: Iterable[str], is_his: Callable[[StoredEntry], bool]
) -> dict[str, list[StoredEntry]]:
    """Return the versions of everything the targets contain, the targets left out, that are his to withdraw.

    1. What they refer to, and what that refers to.
    2. His relationships and sightings with an end at a target, and what is at the other end, followed as in 1.
    3. His relationships and sightings between two objects that were found: nothing dangles.

    Identities, markings and other incidents, reports and groupings are not contained in one.
    """
    roots = frozenset(targets)
    found: dict[str, list[StoredEntry]] = {}
    _follow(tx, collection_id, roots, roots, found, is_his)  # 1
    tied = _tied(tx, collection_id, lambda ends: not ends.isdisjoint(roots))
    _take(tx, collection_id, {stix_id for stix_id, _ in tied}, found, is_his)  # 2
    ends = {end for stix_id, some in tied if stix_id in found for end in some}
    _follow(tx, collection_id, ends - roots, roots, found, is_his)
    inside = roots | found.keys()
    between = {stix_id for stix_id, some in _tied(tx, collection_id, lambda some: some <= inside)}
    _take(tx, collection_id, between - roots, found, is_his)  # 3
    return found


def _follow(
    tx: Connection,
    collection_id: int,
    start: Collection[str],
    roots: frozenset[str],
    found: dict[str, list[StoredEntry]],
    is_his: Callable[[StoredEntry], bool],
) -> None:
    """Take these objects and all that they refer to, directly or not."""
    wanted = set(start) - found.keys()
    seen = set(found)
    while wanted:
        seen |= wanted
        if wanted & roots:
            stored = removal.of_objects(tx, collection_id, sorted(wanted))
            taken = [one for entries in stored.values() for one in entries if is_his(one)]
        else:
            taken = _take(tx, collection_id, wanted, found, is_his)
        wanted = set()
        for body in removal.bodies(tx, [one.id for one in taken]).values():
            obj = parse(body)
            if isinstance(obj, dict):
                wanted |= facts(obj).refs
        wanted = {one for one in wanted - seen - roots if one.partition("--")[0] not in _APART}


def _take(
    tx: Connection,
    collection_id: int,
    wanted: Collection[str],
    found: dict[str, list[StoredEntry]],
    is_his: Callable[[StoredEntry], bool],
) -> list[StoredEntry]:
    """Add to what was found the versions of these objects that are his; return them."""
    taken = []
    contained = sorted(one for one in wanted if one.partition("--")[0] not in _APART and one not in found)
    for stix_id, entries in removal.of_objects(tx, collection_id, contained).items():
        his = [one for one in entries if is_his(one)]
        if his:
            found[stix_id] = his
            taken += his
    return taken


def _tied(
    tx: Connection, collection_id: int, wanted: Callable[[frozenset[str]], bool]
) -> list[tuple[str, frozenset[str]]]:
    """Return (STIX id, ends) of the relationships and sightings whose ends are wanted."""
    found = []
    for stix_id, body in removal.of_types(tx, collection_id, sorted(SRO_TYPES)):
        ends = frozenset(end.decode() for end in _ENDS.findall(body))
        if wanted(ends):
            found.append((stix_id, ends))
    return found
