"""Asking a hub who will get an object, and who got it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson

from hub.client.pseudonym import place_of
from hub.client.transport import RemoteError, Transport

JSON: Final = "application/json"


def delivered(transport: Transport, api_root: str, stix_id: str) -> dict[str, Any]:
    """Return who got an object, as the hub answers it. Raises RemoteError."""
    api, _ = place_of(api_root)
    body = transport.get(f"{api}/objects/{quote(stix_id, safe='')}/delivered", accept=JSON).body
    return _with_list(body, "versions")


def preview(transport: Transport, api_root: str, collection: str, objects: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what would become of these objects, as the hub answers it. Raises RemoteError."""
    api, slug = place_of(api_root)
    asked = orjson.dumps({"group": slug, "collection": collection, "objects": objects})
    body = transport.post(f"{api}/preview", asked, content_type=JSON, accept=JSON).body
    return _with_list(body, "objects")


def _with_list(body: Any, name: str) -> dict[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get(name), list):
        raise RemoteError("the answer is not what /api/v1 documents: is the hub of an older version?")
    return body
