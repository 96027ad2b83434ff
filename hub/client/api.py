"""The few things a CIRT's own commands ask the hub's API for; an ordinary member may ask all of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.client.transport import RemoteError, Transport
from hub.domain.key_directory import Directory, ListedKey, read_signed
from hub.errors import InvalidRequest, SignatureError

JSON = "application/json"


def key_directory(transport: Transport, api_root: str) -> tuple[ListedKey, ...]:
    """Return the keys with which a group's objects are verified, as the hub that serves this API root vouches for them.

    What was known of them before is not compared: `signed_directory` and `hub.client.pins` do.
    """
    return signed_directory(transport, api_root).listed


def signed_directory(transport: Transport, api_root: str) -> Directory:
    """Return the key directory of a group after its signature. Raises RemoteError when it is none, or was changed."""
    answer = transport.get(f"{api_address(api_root)}/groups/{group_of(api_root)}/keys", accept=JSON)
    try:
        return read_signed(answer.body)
    except InvalidRequest as error:
        raise RemoteError(f"the key directory is not readable: {error.field}: {error.detail}") from None
    except SignatureError as error:
        raise RemoteError(f"{error.detail}; nothing was taken") from None


def api_address(api_root: str) -> str:
    """Return where the API of the hub is that serves an API root."""
    parts = urlsplit(api_root)
    path = parts.path.rstrip("/").rpartition("/")[0]
    return f"{parts.scheme}://{parts.netloc}{path}/api/v1"


def group_of(api_root: str) -> str:
    """Return the slug of the group whose API root this is."""
    return urlsplit(api_root).path.rstrip("/").rpartition("/")[2]
