"""Asking a hub for a pseudonym: the request is signed with the new key and with one's own."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from hub.client.api import JSON
from hub.client.transport import RemoteError, Transport
from hub.domain import pseudonym
from hub.domain.key_material import PrivateKey


@dataclass(frozen=True, slots=True)
class Granted:
    """The pseudonym as the hub gave it."""

    group: str
    identity: str
    name: str


def place_of(api_root: str) -> tuple[str, str]:
    """Return the base of the API, without a slash at its end, and the slug of the group of an API root."""
    parts = urlsplit(api_root)
    path, _, slug = parts.path.rstrip("/").rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{path}/api/v1", slug


def ask(
    transport: Transport,
    api: str,
    slug: str,
    *,
    identity: str,
    own: PrivateKey,
    key: PrivateKey,
    uuids: tuple[str, str, str],
    now: int,
) -> Granted:
    """Return the pseudonym for which the hub has enrolled the key; asking again changes nothing. Raises RemoteError.

    :param api: as of `place_of`. :param identity: of the peer that asks, whose key ``own`` is.
    """
    document = pseudonym.request(group=slug, by=identity, own=own, key=key, uuids=uuids, now=now)
    url = f"{api}/groups/{slug}/pseudonym"
    answer = transport.post(url, orjson.dumps(document), content_type=JSON, accept=JSON).body
    found = answer if isinstance(answer, dict) else {}
    values = [found.get(name) for name in ("group", "identity", "name")]
    if not all(isinstance(value, str) for value in values) or not str(values[1]).startswith("identity--"):
        raise RemoteError("the hub's answer is no pseudonym")
    return Granted(*(str(value) for value in values))
