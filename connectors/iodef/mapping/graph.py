"""The objects around incidents: who is joined to whom, as a reader of a collection sees it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

StixObject = Mapping[str, Any]


class Graph:
    """Objects by id, and what joins them. The latest version of an object counts."""

    def __init__(self, objects: Iterable[StixObject]) -> None:
        self.by_id: dict[str, StixObject] = {}
        for obj in objects:
            known = self.by_id.get(str(obj.get("id")))
            if known is None or str(known.get("modified", "")) <= str(obj.get("modified", "")):
                self.by_id[str(obj.get("id"))] = obj
        self._out: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._in: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._notes: dict[str, list[StixObject]] = defaultdict(list)
        for obj in self.by_id.values():
            if obj.get("type") == "relationship":
                source, target, kind = (str(obj.get(key)) for key in ("source_ref", "target_ref", "relationship_type"))
                self._out[source].append((kind, target))
                self._in[target].append((kind, source))
            elif obj.get("type") == "note":
                for ref in obj.get("object_refs", ()):
                    self._notes[str(ref)].append(obj)

    def near(self, name: str, types: frozenset[str]) -> list[StixObject]:
        """Return the objects of some types that a relationship joins to one, either way, in the order of their ids."""
        found = {other for _, other in (*self._out[name], *self._in[name])}
        objects = [self.by_id[one] for one in sorted(found) if one in self.by_id]
        return [obj for obj in objects if obj.get("type") in types]

    def kinds(self, one: str, other: str) -> set[str]:
        """Return the relationship types between two objects, either way."""
        pairs = (*self._out[one], *self._in[one])
        return {kind for kind, name in pairs if name == other}

    def notes(self, name: str) -> list[StixObject]:
        """Return the notes about an object, in the order of their ids."""
        return sorted(self._notes[name], key=lambda note: str(note["id"]))

    def all_of(self, refs: Iterable[Any]) -> Iterator[StixObject]:
        """Yield the objects that are here of those named."""
        for ref in refs:
            found = self.by_id.get(str(ref))
            if found is not None:
                yield found
