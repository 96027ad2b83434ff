"""A response policy zone for DNS resolvers (draft-vixie-dnsop-dns-rpz): a master file (RFC 1035 §5) of names to refuse.

Each name stands once for itself and once, with an asterisk, for everything below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hub.domain.permitted_use import Use
from hub.exports import remarks
from hub.exports.hosts import MAX_NAME
from hub.exports.request import Request
from hub.exports.values import OVER_LONG

_MARK: Final = ";"
_TARGETS: Final = {"nxdomain": ".", "nodata": "*.", "drop": "rpz-drop."}
_TIMES: Final = "3600 600 604800"
"""Refresh, retry and expire of the SOA in seconds: for secondaries that get the zone by transfer."""


def write(request: Request) -> Iterator[bytes]:
    """Yield the zone; its serial is the time of making in seconds, so that it grows from one to the next."""
    options, account = request.options, request.account
    serial = request.source.now // 1_000_000 % 2**32
    begin = (
        f"$TTL {options.ttl}\n$ORIGIN {options.zone}.\n"
        f"@ IN SOA localhost. hostmaster.localhost. {serial} {_TIMES} {options.ttl}\n"
        "@ IN NS localhost.\n"
    )
    yield remarks.head(_MARK, "rpz", request.source) + begin.encode("ascii")
    room = MAX_NAME - len(options.zone) - len("*..")
    names: set[str] = set()
    for entry in request.entries(Use.BLOCK, "domain"):
        name = entry.value.text
        if len(name) > room:
            account.leave_out(OVER_LONG)
            continue
        names.add(name)
        account.give(entry.indicator.shared)
    account.entries = len(names)
    yield remarks.summary(_MARK, account)
    target = _TARGETS[options.rpz_policy]
    yield from remarks.lines(f"{name} CNAME {target}\n*.{name} CNAME {target}" for name in sorted(names))
    yield remarks.tail(_MARK, account)
