"""Warning lists: what is hardly ever meant, and does harm when it is blocked.

An address is kept out when its network meets a listed one. A name is kept out when it is listed itself, with ``www.``
before it or without; below a name of the reader's or the operator's own list, everything is. A URL is kept out when its
host is listed and it names the whole site, or when its host is kept out by an own list or is a special address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from ipaddress import ip_address, ip_network
from typing import Final

from hub.errors import InvalidRequest
from hub.exports.hosts import host_name, is_public_suffix
from hub.exports.values import Network, Value

SPECIAL: Final = "special-addresses"
RESOLVERS: Final = "public-resolvers"
TOP: Final = "top-domains"
SUFFIXES: Final = "public-suffixes"
OPERATOR: Final = "of-the-operator"
READER: Final = "of-the-reader"


class _Networks:
    """Networks that can be asked whether another one meets any of them."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._spans: dict[int, tuple[list[int], list[int]]] = {}
        networks = list(networks)
        for version in (4, 6):
            found = sorted(
                (int(one.network_address), int(one.broadcast_address)) for one in networks if one.version == version
            )
            ends: list[int] = []
            for _, end in found:
                ends.append(max(end, ends[-1]) if ends else end)
            self._spans[version] = ([start for start, _ in found], ends)

    def meets(self, network: Network) -> bool:
        """Say whether the two have an address in common."""
        starts, ends = self._spans[network.version]
        index = bisect_right(starts, int(network.broadcast_address))
        return index > 0 and ends[index - 1] >= int(network.network_address)


@dataclass(frozen=True, slots=True)
class OwnList:
    """A list of somebody's own: networks, and names with all that is below them."""

    name: str
    networks: _Networks
    names: frozenset[str]

    def holds(self, value: Value) -> bool:
        """Say whether it keeps a value out."""
        if value.network is not None:
            return self.networks.meets(value.network)
        host = value.host or value.text.rpartition("@")[2]
        if value.host and (":" in host or host.replace(".", "").isdigit()):
            return self.networks.meets(ip_network(host))
        labels = host.split(".")
        return any(".".join(labels[index:]) in self.names for index in range(len(labels)))


def own_list(name: str, lines: Sequence[str], field_: str) -> OwnList:
    """Return a list of one's own; empty lines and comments (#) are passed over.

    Raises InvalidRequest for what is neither an address, a network nor a name.
    """
    networks: list[Network] = []
    names: set[str] = set()
    for line in lines:
        text = line.partition("#")[0].strip()
        if not text:
            continue
        host = host_name(text)
        if host is not None:
            names.add(host)
            continue
        try:
            networks.append(ip_network(text, strict=False))
        except ValueError:
            raise InvalidRequest(
                "an entry is neither an address, a network nor a name of two labels", field=field_
            ) from None
    return OwnList(name, _Networks(networks), frozenset(names))


@dataclass(frozen=True, slots=True)
class WarningLists:
    """The lists that one export heeds. :param shipped: whether those that come with the hub are among them."""

    shipped: bool = True
    own: tuple[OwnList, ...] = field(default=())

    def holding(self, value: Value) -> str | None:
        """Return the name of a list that keeps this value out, None when none does."""
        for one in self.own:
            if one.holds(value):
                return one.name
        return _shipped(value) if self.shipped else None


def _shipped(value: Value) -> str | None:
    if value.kind == "domain":
        return _of_name(value.text)
    if value.kind == "ip" and value.network is not None:
        return _of_network(value.network)
    if value.kind == "url":
        try:
            return _of_network(ip_network(ip_address(value.host)))
        except ValueError:
            whole = value.text.count("/") == 3 and value.text.endswith("/")
            return _of_name(value.host) if whole else None
    return None


def _of_network(network: Network) -> str | None:
    for name in (SPECIAL, RESOLVERS):
        if _networks(name).meets(network):
            return name
    return None


def _of_name(name: str) -> str | None:
    if is_public_suffix(name):
        return SUFFIXES
    names = _names(TOP)
    return TOP if name in names or name.removeprefix("www.") in names else None


@cache
def _networks(name: str) -> _Networks:
    return _Networks(ip_network(line) for line in _lines(name))


@cache
def _names(name: str) -> frozenset[str]:
    return frozenset(_lines(name))


def _lines(name: str) -> list[str]:
    return (resources.files("hub.exports") / "warning_lists" / f"{name}.txt").read_text(encoding="ascii").split()
