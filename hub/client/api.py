"""The few things a CIRT's own commands ask the hub's API for; an ordinary member may ask all of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.client.transport import RemoteError, Transport
from hub.domain.key_directory import ListedKey, read_directory
from hub.errors import InvalidRequest

JSON = "application/json"


def key_directory(transport: Transport, api_root: str) -> tuple[ListedKey, ...]:
    """Return the keys of a group's members, as the hub that serves this API root vouches for them."""
    parts = urlsplit(api_root)
    path, _, slug = parts.path.rstrip("/").rpartition("/")
    answer = transport.get(f"{parts.scheme}://{parts.netloc}{path}/api/v1/groups/{slug}/keys", accept=JSON)
    try:
        return read_directory(answer.body)
    except InvalidRequest as error:
        raise RemoteError(f"the key directory is not readable: {error.field}: {error.detail}") from None
