"""What somebody wants to hear of: a filter over STIX objects, and the lists of what is theirs to watch over.

Every criterion that is given must hold; of the watched lists (networks, names, hashes, words) one hit is enough. A
filter without any criterion matches nothing: who wants everything says so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

from hub.domain import limits, tlp
from hub.domain.observable_stix import HASHES, named_in, observable_of
from hub.domain.observable_text import Observable, ObservableType, find_all, is_type

_TEXTS: Final = ("name", "abstract", "description", "content", "explanation")
_LISTS: Final = ("aliases", "labels", "goals", "sectors")
_WORD: Final = re.compile(r"[^\W_]+")
_MOST_WORDS: Final = 8
_HASH_FORMS: Final = tuple(sorted(HASHES))


class BadWatch(ValueError):
    """A watched value has not the form it must have; the text names the list and the place in it, not the value."""


@dataclass(frozen=True, slots=True)
class Match:
    """Why an object is wanted. :param criterion: the list. :param watched: the entry of the list that was hit."""

    criterion: str
    watched: str


class Networks:
    """Networks of both families, merged, so that one of a hundred thousand is found in a few steps."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Raises BadWatch."""
        spans: dict[int, list[tuple[int, int, str]]] = {4: [], 6: []}
        for place, text in enumerate(texts, 1):
            try:
                network = ip_network(text.strip(), strict=False)
            except ValueError:
                raise BadWatch(f"entry {place} of networks is no address and no network such as 192.0.2.0/24") from None
            spans[network.version].append(_span(network))
        self._spans = {version: _merged(some) for version, some in spans.items()}
        self._starts = {version: [start for start, _, _ in some] for version, some in self._spans.items()}

    def __bool__(self) -> bool:
        return any(self._spans.values())

    def hit(self, text: str) -> str | None:
        """Return a watched network that shares an address with this address or network, None when there is none."""
        network = ip_network(text, strict=False)
        start, end, _ = _span(network)
        spans = self._spans[network.version]
        at = bisect_right(self._starts[network.version], end) - 1
        if at >= 0 and spans[at][1] >= start:
            return spans[at][2]
        return None


def _span(network: IPv4Network | IPv6Network) -> tuple[int, int, str]:
    return int(network.network_address), int(network.broadcast_address), str(network)


def _merged(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Drop what lies within another one: two networks are nested or have nothing in common."""
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans, key=lambda one: (one[0], -one[1])):
        if not kept or span[1] > kept[-1][1]:
            kept.append(span)
    return kept


@dataclass(frozen=True, slots=True)
class Subscription:
    """A filter; use `subscription` to make one.

    :param labels: exact, or up to a final ``*``. :param domains: each with all names below it.
    :param keywords: as lower-case words.
    """

    everything: bool = False
    types: frozenset[str] = frozenset()
    labels: tuple[str, ...] = ()
    indicator_types: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    min_confidence: int | None = None
    tlp_at_most: tlp.Level | None = None
    networks: Networks = field(default_factory=lambda: Networks(()))
    domains: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()
    keywords: frozenset[tuple[str, ...]] = frozenset()

    @property
    def watches(self) -> bool:
        """Whether there is any list of what is watched over."""
        return bool(self.networks or self.domains or self.hashes or self.keywords)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        asked = self.types or self.labels or self.indicator_types or self.authors or self.watches or self.everything
        return not (asked or self.min_confidence is not None or self.tlp_at_most is not None)

    def matches(self, obj: Mapping[str, Any], level: tlp.Level) -> tuple[Match, ...] | None:
        """Return why an object is wanted, None when it is not; an empty tuple when no watched list was needed.

        :param level: the TLP level of the object, its markings resolved.
        """
        if self.is_empty or not self._wanted(obj, level):
            return None
        if not self.watches:
            return ()
        found = tuple(dict.fromkeys(self._hits(obj)))[: limits.ALERT_MATCHES]
        return found or None

    def _wanted(self, obj: Mapping[str, Any], level: tlp.Level) -> bool:
        if self.types and obj.get("type") not in self.types:
            return False
        if self.authors and obj.get("created_by_ref") not in self.authors:
            return False
        if self.indicator_types and self.indicator_types.isdisjoint(_strings(obj, "indicator_types")):
            return False
        if self.labels and not any(_labelled(label, self.labels) for label in _strings(obj, "labels")):
            return False
        if self.tlp_at_most is not None and tlp.stricter(level, self.tlp_at_most):
            return False
        if self.min_confidence is not None:
            confidence = obj.get("confidence")
            return isinstance(confidence, int) and confidence >= self.min_confidence
        return True

    def _hits(self, obj: Mapping[str, Any]) -> Iterator[Match]:
        for observable in observables(obj) if self.networks or self.domains or self.hashes else ():
            yield from self._hit(observable)
        if self.keywords:
            for text in _texts(obj):
                yield from self._words(text)

    def _hit(self, observable: Observable) -> Iterator[Match]:
        kind, value = observable.type, observable.value
        if kind in HASHES and value in self.hashes:
            yield Match("hashes", value)
        elif kind in (ObservableType.IPV4, ObservableType.IPV6):
            network = self.networks.hit(value)
            if network is not None:
                yield Match("networks", network)
        elif kind is ObservableType.DOMAIN:
            for domain in _above(value):
                if domain in self.domains:
                    yield Match("domains", domain)
                    break

    def _words(self, text: str) -> Iterator[Match]:
        lengths = {len(one) for one in self.keywords}
        words = _WORD.findall(text.casefold())
        for at in range(len(words)):
            for length in lengths:
                if tuple(words[at : at + length]) in self.keywords:
                    yield Match("keywords", " ".join(words[at : at + length]))


def subscription(
    *,
    everything: bool = False,
    types: Iterable[str] = (),
    labels: Iterable[str] = (),
    indicator_types: Iterable[str] = (),
    authors: Iterable[str] = (),
    min_confidence: int | None = None,
    tlp_at_most: tlp.Level | None = None,
    networks: Iterable[str] = (),
    domains: Iterable[str] = (),
    hashes: Iterable[str] = (),
    keywords: Iterable[str] = (),
) -> Subscription:
    """Return the filter that says this. Raises BadWatch for an entry that could never match anything."""
    made = Subscription(
        everything=everything,
        types=frozenset(types),
        labels=tuple(labels),
        indicator_types=frozenset(indicator_types),
        authors=frozenset(authors),
        min_confidence=min_confidence,
        tlp_at_most=tlp_at_most,
        networks=Networks(networks),
        domains=frozenset(_domain(text, place) for place, text in enumerate(domains, 1)),
        hashes=frozenset(_hash(text, place) for place, text in enumerate(hashes, 1)),
        keywords=frozenset(_keyword(text, place) for place, text in enumerate(keywords, 1)),
    )
    if made.is_empty:
        raise BadWatch("the subscription asks for nothing: give types, labels, networks …, or everything = true")
    return made


def observables(obj: Mapping[str, Any]) -> Iterator[Observable]:
    """Yield what an object names: in itself, in its pattern, in its texts; of a URL and an address its host too."""
    found: list[Observable] = list(observable_of(obj))
    pattern = obj.get("pattern")
    if isinstance(pattern, str) and obj.get("pattern_type", "stix") == "stix":
        found.extend(named_in(pattern))
    for text in _texts(obj):
        found.extend(one.observable for one in find_all(text))
    for observable in dict.fromkeys(found):
        yield observable
        host = _host(observable)
        if host is not None:
            yield host


def _host(observable: Observable) -> Observable | None:
    if observable.type is ObservableType.EMAIL:
        return is_type(observable.value.rpartition("@")[2], ObservableType.DOMAIN)
    if observable.type is not ObservableType.URL:
        return None
    authority = re.split(r"[/?#]", observable.value.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    for kind in (ObservableType.IPV4, ObservableType.IPV6, ObservableType.DOMAIN):
        host = is_type(authority, kind)
        if host is not None:
            return host
    return None


def _above(name: str) -> Iterator[str]:
    """Yield a name and every name above it."""
    while name:
        yield name
        name = name.partition(".")[2]


def _strings(obj: Mapping[str, Any], name: str) -> Iterator[str]:
    value = obj.get(name)
    for one in value if isinstance(value, list) else ():
        if isinstance(one, str):
            yield one


def _texts(obj: Mapping[str, Any]) -> Iterator[str]:
    for name in _TEXTS:
        value = obj.get(name)
        if isinstance(value, str):
            yield value[: limits.FIND_TEXT_LENGTH]
    for name in _LISTS:
        yield from _strings(obj, name)


def _labelled(label: str, wanted: tuple[str, ...]) -> bool:
    return any(label.startswith(one[:-1]) if one.endswith("*") else label == one for one in wanted)


def _domain(text: str, place: int) -> str:
    found = is_type(text.strip().removeprefix("*."), ObservableType.DOMAIN)
    if found is None:
        raise BadWatch(f"entry {place} of domains is no host name of two labels or more")
    return found.value


def _hash(text: str, place: int) -> str:
    for kind in _HASH_FORMS:
        found = is_type(text, kind)
        if found is not None:
            return found.value
    raise BadWatch(f"entry {place} of hashes is no MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal digits")


def _keyword(text: str, place: int) -> tuple[str, ...]:
    words = tuple(_WORD.findall(text.casefold()))
    if not 1 <= len(words) <= _MOST_WORDS:
        raise BadWatch(f"entry {place} of keywords must have one to {_MOST_WORDS} words")
    return words
