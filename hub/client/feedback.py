"""Asking a hub for feedback: about one object, or about everything one has authored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from hub.client.api import JSON
from hub.client.transport import RemoteError, Transport
from hub.domain.canonical import Json


def of_object(transport: Transport, api: str, stix_id: str) -> dict[str, Any]:
    """Return the counts about one object. Raises RemoteError."""
    return _object(transport.get(f"{api}/objects/{quote(stix_id, safe='')}/feedback", accept=JSON).body)


def inbox(transport: Transport, api: str, after: str | None) -> Iterator[tuple[list[dict[str, Any]], str]]:
    """Yield each page of what came after a place, with the place to go on from. Raises RemoteError."""
    more = True
    while more:
        params = None if after is None else {"after": after}
        page = _object(transport.get(f"{api}/feedback", params=params, accept=JSON).body)
        items, following, more = page.get("items"), page.get("next"), page.get("more") is True
        if not isinstance(items, list) or not isinstance(following, str) or (more and following == after):
            raise RemoteError("the hub's answer is no page of feedback")
        yield [_object(item) for item in items], following
        after = following


def _object(value: Json) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RemoteError("the hub's answer is no JSON object")
    return value
