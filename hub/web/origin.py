"""Where a request comes from, and under which address it reached the hub; only a trusted proxy's word counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from hub.errors import InvalidRequest

_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class TrustedProxies:
    """The networks whose ``Client-Cert`` and ``X-Forwarded-*`` headers are believed; an empty list trusts nobody."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(each, strict=False) for each in networks)

    def __contains__(self, address: object) -> bool:
        parsed = _address(address) if isinstance(address, str) else None
        return parsed is not None and any(parsed in network for network in self._networks)


def remote_address(environ: Mapping[str, Any], trusted: TrustedProxies) -> str:
    """Return the address of the client: the nearest hop that is not a trusted proxy. Empty when it is not known."""
    nearest = str(environ.get("REMOTE_ADDR", ""))
    if nearest not in trusted:
        return nearest
    for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        address = _address(hop.strip())
        if address is None:
            break
        nearest = str(address)
        if nearest not in trusted:
            break
    return nearest


def base_url(environ: Mapping[str, Any], trusted: TrustedProxies, public_url: str | None) -> str:
    """Return the absolute URL of the hub, ending in ``/``: the configured one, else the one this request went to.

    Raises:
        InvalidRequest: no URL is configured and the request's ``Host`` is not a host.
    """
    if public_url is not None:
        return public_url if public_url.endswith("/") else public_url + "/"
    scheme = str(environ.get("wsgi.url_scheme", "http"))
    host = str(environ.get("HTTP_HOST", "")) or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}"
    if environ.get("REMOTE_ADDR") in trusted:
        if environ.get("HTTP_X_FORWARDED_PROTO") in ("http", "https"):
            scheme = str(environ["HTTP_X_FORWARDED_PROTO"])
        host = str(environ.get("HTTP_X_FORWARDED_HOST") or host)
    if _HOST.fullmatch(host) is None:
        raise InvalidRequest("it must be one host, with a port or without", field="Host")
    return f"{scheme}://{host.lower()}/"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
