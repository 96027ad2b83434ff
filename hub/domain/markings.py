"""What the markings of an object mean to the hub, object and granular ones alike: strictest wins, unknown denies.

STIX 2.1 §7.2 sets no rule for several markings, so this is the hub's own: every marking counts for the whole object,
and so does what marks the marking-definitions themselves, since a reader of the object must be able to read those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from hub.domain import limits, pap, releasability, tlp
from hub.domain.releasability import MalformedReleasability, Releasability
from hub.domain.signature_extensions import INLINE_EXTENSION_ID
from hub.domain.stix import Facts, facts

IEP_EXTENSION_ID: Final = "extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a"
"""The OASIS extension that carries a FIRST Information Exchange Policy 2.0."""

Definitions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one or several markings say of what the hub enforces; nothing at all where they only inform people.

    :param tlp: the strictest TLP level among them, None where none says one.
    :param unknown: why one of them cannot be understood; the object must then not be published.
    :param malformed: why a releasability marking among them cannot be carried out; the same follows.
    """

    tlp: tlp.Level | None = None
    releasabilities: tuple[Releasability, ...] = ()
    unknown: str | None = None
    malformed: str | None = None


INFORMATIONAL: Final = Meaning()
_ONLY_TLP: Final = {level: Meaning(tlp=level) for level in (None, *tlp.LEVELS)}


def effective(facts_: Facts, body: Mapping[str, Any], definitions: Definitions) -> Meaning:
    """Return what all the markings of an object mean together.

    A releasability marking-definition is itself for those it names, so its own statement counts for it as well; its
    embargo does not, because it says who will receive something and not what.
    """
    meanings = []
    if facts_.type == "marking-definition":
        own = meaning_of_definition(body)
        meanings.append(Meaning(releasabilities=tuple(map(_without_embargo, own.releasabilities))))
        meanings.append(Meaning(malformed=own.malformed))
    elif len(facts_.marking_refs) <= len(tlp.MARKING_DEFINITIONS):
        published = _published(facts_.marking_refs)
        if published is not None:
            return published
    walk = _Walk(definitions, on_path=[facts_.id], settled=set())
    meanings.extend(walk.all_of(facts_.marking_refs))
    return merge(meanings)


@lru_cache(maxsize=256)  # every rule asks, of every object, about the same few markings
def _published(marking_refs: frozenset[str]) -> Meaning | None:
    """Return what markings mean that are TLP alone, or none at all; None where something has to be resolved."""
    levels = [tlp.level_of(ref) for ref in marking_refs]
    return None if None in levels else _ONLY_TLP[tlp.strictest(level for level in levels if level is not None)]


def merge(meanings: Iterable[Meaning]) -> Meaning:
    """Return what several meanings say together; the order does not matter for what may be done."""
    collected = [meaning for meaning in meanings if meaning != INFORMATIONAL]
    if len(collected) == 1:
        return collected[0]
    return Meaning(
        tlp=tlp.strictest(meaning.tlp for meaning in collected if meaning.tlp is not None),
        releasabilities=tuple(one for meaning in collected for one in meaning.releasabilities),
        unknown=min((meaning.unknown for meaning in collected if meaning.unknown is not None), default=None),
        malformed=min((meaning.malformed for meaning in collected if meaning.malformed is not None), default=None),
    )


def meaning_of_definition(definition: Mapping[str, Any]) -> Meaning:
    """Return what a marking-definition says; one with a part that is not understood is unknown as a whole."""
    parts: list[Meaning | None] = []
    kind = definition.get("definition_type")
    if kind is not None:
        parts.append(_of_definition_type(kind, definition.get("definition")))
    extensions = definition.get("extensions", {})
    if not isinstance(extensions, Mapping):
        return _unknown("a marking of the object has extensions that are not an object")
    parts.extend(_of_extension(name, extension, definition) for name, extension in extensions.items())
    told = [part for part in parts if part is not None]
    if not told:
        return _unknown("a marking of the object says nothing the hub understands")
    return merge(told)


def looks_like_tlp(definition: Mapping[str, Any]) -> bool:
    """Say whether a marking-definition claims a TLP level without being one of the nine published ones."""
    if tlp.level_of(definition.get("id", "")) is not None:
        return False
    extensions = definition.get("extensions")
    claims = isinstance(extensions, Mapping) and tlp.EXTENSION_ID in extensions
    return claims or _is_tlp_type(definition.get("definition_type"))


@dataclass(slots=True)
class _Walk:
    """Follows marking references depth first; ``on_path`` shows circles, ``settled`` keeps the work linear."""

    definitions: Definitions
    on_path: list[str]
    settled: set[str]

    def all_of(self, refs: Iterable[str]) -> list[Meaning]:
        found = []
        for ref in sorted(refs):
            level = tlp.level_of(ref)
            if level is not None:
                found.append(Meaning(tlp=level))
            elif not pap.is_pap(ref) and ref not in self.settled:
                found.extend(self._resolved(ref))
        return found

    def _resolved(self, ref: str) -> list[Meaning]:
        if ref in self.on_path:
            return [_unknown("a marking of the object is marked by itself: remove the circle")]
        if len(self.on_path) > limits.MAX_MARKING_DEPTH:
            return [_unknown("the markings of the object are marked in too many levels: mark the object itself")]
        definition = self.definitions.get(ref)
        if definition is None:
            return [
                _unknown("a marking of the object is not known here: include its marking-definition in the envelope")
            ]
        try:
            about = facts(definition)
        except (KeyError, TypeError, ValueError):
            return [_unknown("a marking of the object is not a valid marking-definition")]
        if about.id != ref or about.type != "marking-definition":
            return [_unknown("a marking reference of the object does not lead to a marking-definition")]
        self.on_path.append(ref)
        found = [meaning_of_definition(definition), *self.all_of(about.marking_refs)]
        self.on_path.pop()
        self.settled.add(ref)
        return found


def _of_definition_type(kind: object, definition: object) -> Meaning:
    if kind == "statement":
        well_formed = isinstance(definition, Mapping) and isinstance(definition.get("statement"), str)
        return INFORMATIONAL if well_formed else _unknown("a statement marking of the object has no statement")
    if _is_tlp_type(kind):
        return _LOOK_ALIKE
    return _unknown("a marking of the object is of a definition_type the hub does not know, so it cannot be honoured")


def _of_extension(name: str, extension: object, definition: Mapping[str, Any]) -> Meaning | None:
    """Return what one extension says; None for one that says nothing about handling."""
    if name == releasability.EXTENSION_ID:
        try:
            return Meaning(releasabilities=(releasability.read(definition),))
        except MalformedReleasability as fault:
            return Meaning(malformed=str(fault))
    if name == IEP_EXTENSION_ID:
        return _of_iep(extension)
    if name == tlp.EXTENSION_ID:
        return _LOOK_ALIKE
    if name == INLINE_EXTENSION_ID:
        return None
    if name == pap.EXTENSION_ID:
        return _unknown("a marking of the object claims a PAP level under another id: use the published PAP markings")
    return _unknown("a marking of the object uses an extension the hub does not know, so it cannot be honoured")


def _of_iep(policy: object) -> Meaning:
    """Honour the TLP colour of an IEP 2.0 policy; the rest of it binds people and narrows nothing here."""
    if not isinstance(policy, Mapping):
        return _unknown("an IEP marking of the object is not an object")
    if "id_ref" in policy:
        return _unknown("an IEP marking of the object refers to a policy kept elsewhere: state the policy itself")
    if "tlp" not in policy:
        return INFORMATIONAL
    colour = policy["tlp"]
    level = tlp.V1_LEVELS.get(colour) if isinstance(colour, str) else None
    if level is None:
        return _unknown("tlp of an IEP marking of the object must be white, green, amber or red")
    return Meaning(tlp=level)


def _is_tlp_type(kind: object) -> bool:
    return isinstance(kind, str) and kind.lower().startswith("tlp")


def _without_embargo(marking: Releasability) -> Releasability:
    return Releasability(
        author=marking.author,
        recipients=marking.recipients,
        exclusions=marking.exclusions,
        onward_relay=marking.onward_relay,
        embargo_until=None,
        permission_expires=marking.permission_expires,
    )


def _unknown(reason: str) -> Meaning:
    return Meaning(unknown=reason)


_LOOK_ALIKE: Final = _unknown(
    "a marking of the object claims a TLP level under another id: use the published TLP markings (STIX 2.1 §7.2.1.4)"
)
