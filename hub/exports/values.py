"""Values in the one form in which they may stand in a list or a rule; what has no such form becomes no entry.

Nothing here holds a character that could end a line, a string, a comment or a field of any format: addresses are
printed by `ipaddress`, names are A-labels, hashes are hexadecimal digits, URLs are ASCII without spaces, quotes,
backslashes, semicolons or control characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, Literal
from urllib.parse import quote, urlsplit

from hub.domain import limits
from hub.domain.pattern_values import Observed
from hub.exports.hosts import host_name

Kind = Literal["ip", "domain", "url", "hash", "email"]
Network = IPv4Network | IPv6Network

MALFORMED: Final = "malformed value"
OVER_LONG: Final = "over-long value"
TOO_WIDE: Final = "network too wide"


@dataclass(frozen=True, slots=True)
class Value:
    """One entry: ``text`` is its only spelling.

    :param network: of an address. :param host: of a URL. :param algorithm: of a hash: md5, sha1, sha256 …
    """

    kind: Kind
    text: str
    network: Network | None = None
    host: str = ""
    algorithm: str = ""


_ADDRESS: Final = re.compile(r"[0-9a-fA-F:.]{2,45}(?:/[0-9]{1,3})?", re.ASCII)
_HASHES: Final = {
    "md5": ("md5", 32),
    "sha1": ("sha1", 40),
    "sha224": ("sha224", 56),
    "sha256": ("sha256", 64),
    "sha384": ("sha384", 96),
    "sha512": ("sha512", 128),
}
ALGORITHMS: Final = tuple(name for name, _ in _HASHES.values())
_DIGITS: Final = re.compile(r"[0-9a-f]+", re.ASCII)
_SCHEMES: Final = frozenset({"http", "https", "ftp"})
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_UNESCAPED: Final = "/?&=:@!$()*+,-._~%"
"""What stays as it is in a path and a query; the rest is percent-encoded (RFC 3986 §2.1), an apostrophe too."""
_LOCAL: Final = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}", re.ASCII)


def value_of(seen: Observed) -> Value | str:
    """Return the value as an entry, or why it can be none."""
    if len(seen.text) > limits.EXPORT_LINE_LENGTH:
        return OVER_LONG
    if seen.sort == "hash":
        return _hash(seen)
    if seen.sort == "url":
        return _url(seen.text)
    if seen.sort == "email":
        return _email(seen.text)
    if seen.sort == "name":
        return _name(seen.text)
    found = _address(seen.text)
    return _name(seen.text) if found == MALFORMED and seen.sort == "host" else found


def _address(text: str) -> Value | str:
    if _ADDRESS.fullmatch(text) is None:
        return MALFORMED
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return MALFORMED
    widest = limits.EXPORT_WIDEST_IPV4 if network.version == 4 else limits.EXPORT_WIDEST_IPV6
    if network.prefixlen < widest:
        return TOO_WIDE
    return Value("ip", network_text(network), network)


def network_text(network: Network) -> str:
    """Return a network as lists have it: a single address without its prefix."""
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _name(text: str) -> Value | str:
    name = host_name(text)
    return MALFORMED if name is None else Value("domain", name)


def _hash(seen: Observed) -> Value | str:
    known = _HASHES.get(seen.algorithm.lower().replace("-", "").replace("_", ""))
    digits = seen.text.lower()
    if known is None or len(digits) != known[1] or _DIGITS.fullmatch(digits) is None:
        return MALFORMED
    return Value("hash", digits, algorithm=known[0])


def _url(text: str) -> Value | str:
    """Return a URL without user, fragment and default port: none of them tells two requests apart on the wire."""
    if _CONTROLS.search(text) or "\\" in text:
        return MALFORMED
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return MALFORMED
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        return MALFORMED
    where = _host_of(host)
    if where is None:
        return MALFORMED
    authority = f"[{where}]" if ":" in where else where
    if port is not None and port != {"http": 80, "https": 443, "ftp": 21}[scheme]:
        authority += f":{port}"
    path = quote(parts.path or "/", safe=_UNESCAPED.replace("?", ""))
    query = f"?{quote(parts.query, safe=_UNESCAPED)}" if parts.query else ""
    found = f"{scheme}://{authority}{path}{query}"
    return OVER_LONG if len(found) > limits.EXPORT_LINE_LENGTH else Value("url", found, host=where)


def _host_of(host: str) -> str | None:
    name = host_name(host)
    if name is not None:
        return name
    found = _address(host)
    if isinstance(found, str) or found.network is None or "/" in host:
        return None
    return str(found.network.network_address)


def _email(text: str) -> Value | str:
    local, at, domain = text.rpartition("@")
    name = host_name(domain)
    if not at or name is None or _LOCAL.fullmatch(local) is None:
        return MALFORMED
    return Value("email", f"{local}@{name}")
