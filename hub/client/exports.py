"""Fetching an export from a hub, and asking it for addresses at which machines may fetch one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from hub.client.api import JSON, api_address
from hub.client.transport import RemoteError, Transport


def fetch(
    transport: Transport, api_root: str, slug: str, format_: str, collection: str | None, options: Mapping[str, str]
) -> bytes:
    """Return an export, whole. Raises RemoteError."""
    asked = dict(options) | ({} if collection is None else {"collection": collection})
    query = f"?{urlencode(asked)}" if asked else ""
    parts = urlsplit(api_address(api_root))
    base = f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/api/v1')}"
    return transport.fetch(f"{base}/exports/groups/{quote(slug, safe='')}/{quote(format_, safe='')}{query}")


def new_token(transport: Transport, api_root: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new export token with its address. Raises RemoteError."""
    url = f"{api_address(api_root)}/export-tokens"
    made = _resource(transport.post(url, orjson.dumps(asked), content_type=JSON, accept=JSON).body)
    if str(made["url"]).startswith("/"):  # the hub does not know under which name it is reached
        parts = urlsplit(api_address(api_root))
        made["url"] = f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/api/v1')}{made['url']}"
    return made


def tokens(transport: Transport, api_root: str) -> list[dict[str, Any]]:
    """Return the export tokens of one's own peer. Raises RemoteError."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        body = transport.get(f"{api_address(api_root)}/export-tokens?limit=1000{after}", accept=JSON).body
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise RemoteError("the answer is not what /api/v1 documents: is the hub of an older version?")
        found += [item for item in items if isinstance(item, dict)]
        following = body.get("next") if isinstance(body, dict) else None
        if not isinstance(following, str) or not items:
            return found
        after = f"&after={quote(following, safe='')}"


def revoke_token(transport: Transport, api_root: str, name: str) -> None:
    """Have a token refused from now on. Raises RemoteError."""
    transport.delete(f"{api_address(api_root)}/export-tokens/{quote(name, safe='')}", accept=JSON)


def _resource(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get("url"), str):
        raise RemoteError("the answer is not what /api/v1 documents: is the hub of an older version?")
    return body
