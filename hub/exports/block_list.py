"""Plain lists for firewalls, proxies and resolvers: one value a line, sorted, each once; comments begin with #."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Final

from hub.domain.permitted_use import Use
from hub.exports import remarks
from hub.exports.request import Request, Write
from hub.exports.values import Kind, network_text

OTHER_ALGORITHM: Final = "hash of another algorithm"
_MARK: Final = "#"


def ip(request: Request) -> Iterator[bytes]:
    """Yield addresses and networks, IPv4 first; neighbours are joined unless the options say otherwise."""
    yield remarks.head(_MARK, "ip", request.source)
    four: set[IPv4Network] = set()
    six: set[IPv6Network] = set()
    for entry in request.entries(Use.BLOCK, "ip"):
        network = entry.value.network
        if isinstance(network, IPv4Network):
            four.add(network)
        elif network is not None:
            six.add(network)
        request.account.give(entry.indicator.shared)
    if request.options.aggregate:
        four, six = set(collapse_addresses(four)), set(collapse_addresses(six))
    yield from _whole(request, [*map(network_text, sorted(four)), *map(network_text, sorted(six))])


def _listed(kind: Kind, request: Request) -> Iterator[bytes]:
    yield remarks.head(_MARK, kind, request.source)
    found: set[str] = set()
    wanted = request.options.hash_algorithm
    for entry in request.entries(Use.BLOCK, kind):
        if kind == "hash" and wanted not in ("any", entry.value.algorithm):
            request.account.leave_out(OTHER_ALGORITHM)
            continue
        found.add(entry.value.text)
        request.account.give(entry.indicator.shared)
    yield from _whole(request, sorted(found))


domain: Final[Write] = partial(_listed, "domain")
url: Final[Write] = partial(_listed, "url")
hash_: Final[Write] = partial(_listed, "hash")


def _whole(request: Request, values: list[str]) -> Iterator[bytes]:
    request.account.entries = len(values)
    yield remarks.summary(_MARK, request.account)
    yield from remarks.lines(iter(values))
    yield remarks.tail(_MARK, request.account)
