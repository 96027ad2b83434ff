"""Which addresses may be connected to: what a URL may look like, and what its host's name may lead to.

A URL that somebody else can influence must not reach this machine, its network, or a cloud's metadata service.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hub.domain import limits
from hub.errors import ConfigError

Resolver = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host as text. Raises OSError when it has none."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _networks(*texts: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# IANA's special-purpose registries (RFC 6890), with multicast and reserved space. Python's own is_global has changed
# between its minor versions, and says yes to multicast.
_SPECIAL_V4: Final = _networks(
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4"),
)
_GLOBAL_V6: Final = ipaddress.IPv6Network("2000::/3")  # all that IANA gives out for ordinary hosts
_SPECIAL_V6: Final = _networks("2001::/23", "2001:db8::/32", "3fff::/20")  # Teredo and ORCHID are in the first
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_6TO4: Final = ipaddress.IPv6Network("2002::/16")


def is_public(text: str) -> bool:
    """Return whether an address belongs to an ordinary host on the Internet, whatever it is wrapped in."""
    address = _address(text)
    if address is None:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


def is_loopback(text: str) -> bool:
    """Return whether an address is this machine's own."""
    address = _address(text)
    return address is not None and address.is_loopback


def _address(text: str) -> Address | None:
    """Read an address; one of IPv4 that is embedded in one of IPv6 (RFC 4291, RFC 6052, RFC 3056) counts as itself."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address in _MAPPED or address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address in _6TO4:
            return ipaddress.IPv4Address((int(address) >> 80) & 0xFFFFFFFF)
    return address


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Return the addresses that the system's resolver gives, each once, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))[: limits.OUTGOING_ADDRESSES]


def read_url(url: str) -> SplitResult:
    """Return the parts of an address with a host and no credential in it. Raises ConfigError for any other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port is None or parts.port > 0 else None
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigError("give an address that begins with https://", field="url")
    if parts.username is not None:
        raise ConfigError("a credential does not belong into the address; give it apart", field="url")
    return parts


def check_address(url: str, *, allow_http: bool = False) -> None:
    """Raise ConfigError unless a credential may be sent to this address."""
    parts = read_url(url)
    if parts.scheme == "http" and not (allow_http or _named_loopback(str(parts.hostname))):
        raise ConfigError("plain http would show your credential to the network; use https", field="url")


def _named_loopback(host: str) -> bool:
    return host == "localhost" or is_loopback(host)


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port (RFC 6454 §4). Raises ConfigError as `read_url`."""
    parts = read_url(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, str(parts.hostname).rstrip("."), port
