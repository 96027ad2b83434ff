"""What was true when: members, rights, settings and keys as the audit lines of the hub made them, one after another.

Whoever checks a decision must ask what was known then, and not what is true today.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from hub.domain.taxii_time import parse_timestamp

Key: TypeAlias = tuple[str, ...]
"""What a fact is about: ``("group", slug)``, ``("member", slug, handle)``, ``("peer", handle)`` …"""

GROUP_DEFAULTS: Final[Mapping[str, Any]] = {
    "quantum_safe": "optional",
    "member_visibility": "open",
    "two_person": False,
    "pseudonyms": False,
    "description": None,
}
BEFORE: Final = -1
"""The place of lines that are older than the log."""


@dataclass(frozen=True, slots=True)
class Line:
    """One audit line; ``place`` is its leaf in the log, `BEFORE` for what is older. Times are microseconds."""

    place: int
    at: int
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(slots=True)
class _Fact:
    places: list[int] = field(default_factory=list)
    values: list[Mapping[str, Any] | None] = field(default_factory=list)


class Replay:
    """The facts that audit lines state, each with its whole history; lines are told in the order of the log."""

    def __init__(self) -> None:
        self._facts: dict[Key, _Fact] = {}
        self._changes: list[tuple[int, int]] = []  # (place, at) of every line
        self._places: dict[str, list[int]] = {}  # of each change of one kind of fact

    def tell(self, line: Line) -> None:
        """Take one more line into account; an action that changes none of these facts is passed over."""
        self._changes.append((line.place, line.at))
        parts = line.subject.split("/")
        noun, _, verb = line.action.partition(".")
        handler = _HANDLERS.get(noun)
        if handler is not None:
            handler(self, line, verb, parts)

    def as_of(self, place: int, *key: str) -> Mapping[str, Any] | None:
        """Return a fact as it stood just before a place of the log; None when there was no such thing."""
        fact = self._facts.get(key)
        if fact is None:
            return None
        index = bisect_left(fact.places, place)
        return fact.values[index - 1] if index else None

    def now(self, *key: str) -> Mapping[str, Any] | None:
        """Return a fact as it stands after all lines."""
        fact = self._facts.get(key)
        return None if fact is None else fact.values[-1]

    def all(self, kind: str, *begins: str) -> Iterator[Key]:
        """Yield the keys of one kind, whatever has become of what they name."""
        for key in self._facts:
            if key[0] == kind and key[1 : 1 + len(begins)] == begins:
                yield key

    def vouch(self, place: int, at: int, day: int, identity: str, kid: str, handle: str, statement: str) -> None:
        """Take into account that the hub has vouched for a key of a pseudonym, which no audit line names."""
        self._changes.append((place, at))
        self._set(place, {"kid": kid, "action": "enrol"}, "statement", statement)
        self._set(place, {"handle": handle}, "pseudonym", identity)
        told = {"valid_from": day, "valid_until": None, "revoked_at": None, "reason": None, "reported_at": None}
        self._set(place, {**told, "handle": handle, "created_at": at}, "key", kid)

    def revision(self, place: int, *kinds: str) -> tuple[int, ...]:
        """Return how often facts of each kind had changed before a place: what is equal here was the same then."""
        return tuple(bisect_left(self._places.get(kind, ()), place) for kind in kinds)

    def moments(self, place: int, at: int, within: int) -> Iterator[int]:
        """Yield places as of which something at this place may have been decided, the nearest first.

        A submission is decided on before it is committed; what an operator does between the two counts as later.

        :param at: when it was committed. :param within: how long before that it may have been decided.
        """
        yield place
        index = bisect_left(self._changes, (place, -1))
        while index and self._changes[index - 1][1] >= at - within:
            index -= 1
            yield self._changes[index][0]

    def _set(self, place: int, value: Mapping[str, Any] | None, *key: str) -> None:
        fact = self._facts.setdefault(key, _Fact())
        fact.places.append(place)
        self._places.setdefault(key[0], []).append(place)
        fact.values.append(value)

    def _change(self, line: Line, changes: Mapping[str, Any], *key: str) -> None:
        self._set(line.place, {**(self.now(*key) or {}), **changes}, *key)

    def _group(self, line: Line, verb: str, parts: list[str]) -> None:
        if len(parts) == 2 and verb in ("add", "update"):
            added = {**GROUP_DEFAULTS, "created_at": line.at} if verb == "add" else {}
            self._change(line, {**added, **line.detail}, "group", parts[1])

    def _peer(self, line: Line, verb: str, parts: list[str]) -> None:
        if verb == "add":
            absent = {
                "country": None,
                "itu_region": None,
                "suspended_at": None,
                "quantum_safe": "optional",
                "quota_objects": None,
                "quota_octets": None,
            }
            self._change(line, {**absent, "created_at": line.at, **line.detail}, "peer", parts[1])
        elif verb == "update":
            self._change(line, line.detail, "peer", parts[1])
        elif verb in ("suspend", "restore"):
            self._change(line, {"suspended_at": line.at if verb == "suspend" else None}, "peer", parts[1])

    def _member(self, line: Line, verb: str, parts: list[str]) -> None:
        if len(parts) < 4:
            return
        slug, handle = parts[1], parts[3]
        key = "member", slug, handle
        if verb == "add":
            rights = line.detail.get("rights", ())
            self._set(line.place, {"rights": rights, "joined_at": line.at, "suspended_at": None}, *key)
        elif verb == "rights":
            self._change(line, {"rights": line.detail.get("rights", ())}, *key)
        elif verb in ("suspend", "restore"):
            self._change(line, {"suspended_at": line.at if verb == "suspend" else None}, *key)
        elif verb == "remove":
            self._set(line.place, None, *key)
            self._set(line.place, None, "relay", slug, handle)
            for other in [key for key in self.all("override", slug) if key[3] == handle]:
                self._set(line.place, None, *other)

    def _collection(self, line: Line, verb: str, parts: list[str]) -> None:
        if len(parts) < 4:
            return
        slug, uuid = parts[1], parts[3]
        if verb == "add":
            never = dict.fromkeys(("retain_added", "retain_expired", "retain_revoked"))
            absent = {"allowed_types": None, "description": None, "alias": None, "created_at": line.at, **never}
            self._change(line, {**absent, **line.detail}, "collection", slug, uuid)
        elif verb == "rights" and len(parts) == 6:
            read, write = line.detail.get("can_read"), line.detail.get("can_write")
            value = None if read is None and write is None else {"can_read": read, "can_write": write}
            self._set(line.place, value, "override", slug, uuid, parts[5])
        elif len(parts) == 4:
            kept = {
                f"retain_{name}": None if line.detail[f"keep_{name}_seconds"] is None else seconds * 1_000_000
                for name in ("added", "expired", "revoked")
                if (seconds := line.detail.get(f"keep_{name}_seconds", ...)) is not ...
            }
            self._change(line, {**line.detail, **kept}, "collection", slug, uuid)

    def _relay(self, line: Line, verb: str, parts: list[str]) -> None:
        key = "relay", parts[1], parts[3]
        held = set((self.now(*key) or {}).get("authors", ()))
        author = line.detail.get("author")
        held = held | {author} if verb == "grant" else held - {author}
        self._set(line.place, {"authors": frozenset(held)}, *key)

    def _agreement(self, line: Line, verb: str, parts: list[str]) -> None:
        told = {**line.detail}
        if verb == "offer":
            told |= {"created_at": line.at, "agreed_at": None, "ended_at": None}
        elif verb == "accept":
            created = (self.now("agreement", parts[1]) or {}).get("created_at", line.at)
            told |= {"created_at": created, "agreed_at": line.at, "ended_at": None}
            peer = line.detail.get("peer")
            for key in [key for key in self.all("agreement") if key[1] != parts[1]]:
                other = self.now(*key) or {}
                if other.get("peer") == peer and other.get("state") == "agreed":
                    self._change(line, {"state": "ended", "ended_at": line.at}, *key)
        else:
            told |= {"ended_at": line.at}
        self._change(line, told, "agreement", parts[1])

    def _link(self, line: Line, verb: str, parts: list[str]) -> None:
        key = "link", parts[1]
        if verb == "remove":
            self._set(line.place, None, *key)
        elif verb in ("pause", "resume"):
            self._change(line, {"paused_at": line.at if verb == "pause" else None}, *key)
        else:
            absent = {"created_at": line.at, "paused_at": None} if verb == "add" else {}
            self._change(line, {**absent, **line.detail}, *key)

    def _pack(self, line: Line, verb: str, parts: list[str]) -> None:
        key = "pack", parts[1], parts[2], parts[3]
        if verb == "answer":
            self._change(line, {"answered_at": line.at}, *key)
        else:
            self._set(line.place, {**line.detail, "answered_at": line.at if verb == "take" else None}, *key)

    def _credential(self, line: Line, verb: str, parts: list[str]) -> None:
        told = {name: _instant(name, value) for name, value in line.detail.items()}
        if verb == "add":
            self._set(line.place, {**told, "handle": parts[1], "created_at": line.at, "revoked_at": None}, *_at(parts))
        elif verb == "revoke":
            self._change(line, {"revoked_at": line.at}, *_at(parts))

    def _export_token(self, line: Line, verb: str, parts: list[str]) -> None:
        key = "export-token", parts[3]
        told = {name: _instant(name, value) for name, value in line.detail.items()}
        if verb == "add":
            self._set(line.place, {**told, "handle": parts[1], "created_at": line.at, "revoked_at": None}, *key)
        elif verb == "revoke":
            self._change(line, {"revoked_at": line.at}, *key)

    def _key(self, line: Line, verb: str, parts: list[str]) -> None:
        key = "key", parts[-1]
        told = {name: _instant(name, value) for name, value in line.detail.items()}
        if isinstance(told.get("statement"), str):
            self._set(line.place, {"kid": key[1], "action": verb}, "statement", told["statement"])
        if verb in ("enrol", "rotate"):
            absent = {"valid_until": None, "revoked_at": None, "reason": None, "reported_at": None}
            self._set(line.place, {**absent, **told, "created_at": line.at, "handle": parts[1]}, *key)
            if verb == "rotate":
                old, until = str(told.get("replaces")), told.get("replaced_until")
                ends = [each for each in ((self.now("key", old) or {}).get("valid_until"), until) if each is not None]
                self._change(line, {"valid_until": min(ends, default=None)}, "key", old)
        elif verb in ("revoke", "compromise"):
            self._change(line, {**told, "reported_at": line.at}, *key)


def _at(parts: list[str]) -> Key:
    return "credential", parts[3]


def _instant(name: str, value: Any) -> Any:
    """Read a time as audit lines write it, by the ending of its name."""
    if isinstance(value, str) and name.endswith(("_at", "_from", "_until")):
        return parse_timestamp(value)
    return value


_HANDLERS: Final = {
    "group": Replay._group,
    "peer": Replay._peer,
    "member": Replay._member,
    "collection": Replay._collection,
    "relay-right": Replay._relay,
    "credential": Replay._credential,
    "export-token": Replay._export_token,
    "key": Replay._key,
    "agreement": Replay._agreement,
    "link": Replay._link,
    "pack": Replay._pack,
}
