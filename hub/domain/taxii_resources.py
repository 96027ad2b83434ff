"""The TAXII resources as JSON, spelled as the standard spells them (TAXII 2.1 §3.6 to §5.8).

An empty list is never written (§2): the property is left out instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from hub.domain.media_type import STIX, TAXII
from hub.domain.membership import Collection, CollectionRights, TrustGroup
from hub.domain.taxii_time import format_timestamp

Resource = dict[str, Any]
Record = tuple[str, int, str | None]
"""STIX id, date added in microseconds, version; None stands for an object whose version is its date added."""


def to_bytes(resource: Mapping[str, Any]) -> bytes:
    """Return a resource as compact UTF-8 JSON."""
    return orjson.dumps(resource)


def discovery(title: str, description: str, api_roots: Sequence[str]) -> Resource:
    """Return the discovery resource; ``default`` is the first of the roots the caller can open (§4.1.1)."""
    resource: Resource = {"title": title, "description": description}
    if api_roots:
        resource["default"] = api_roots[0]
        resource["api_roots"] = list(api_roots)
    return resource


def api_root(group: TrustGroup, max_content_length: int) -> Resource:
    """Return the information about a trust group as an API root (§4.2.1)."""
    resource: Resource = {"title": group.title}
    if group.description:
        resource["description"] = group.description
    resource["versions"] = [TAXII]
    resource["max_content_length"] = max_content_length
    return resource


def collection(opened: Collection, rights: CollectionRights) -> Resource:
    """Return a collection with the rights of the one who asks (§5.2.1)."""
    resource: Resource = {"id": opened.uuid, "title": opened.title}
    if opened.description:
        resource["description"] = opened.description
    if opened.alias:
        resource["alias"] = opened.alias
    resource["can_read"] = rights.can_read
    resource["can_write"] = rights.can_write
    resource["media_types"] = [STIX]
    return resource


def collections(opened: Iterable[tuple[Collection, CollectionRights]]) -> Resource:
    """Return the collections of a group, ascending by id (§5.1.1; interoperability §2.1.7)."""
    listed = [collection(each, rights) for each, rights in sorted(opened, key=lambda pair: pair[0].uuid)]
    return {"collections": listed} if listed else {}


def envelope(bodies: Sequence[bytes], next_token: str | None) -> bytes:
    """Return an envelope around stored objects, which are copied and not looked at (§3.7)."""
    head = _head(next_token)
    return head + b',"objects":[' + b",".join(bodies) + b"]}" if bodies else head + b"}"


def manifest(records: Sequence[Record], next_token: str | None) -> bytes:
    """Return a manifest, one record per object version (§5.3.1)."""
    objects = []
    for stix_id, date_added, version in records:
        stamp = format_timestamp(date_added)
        objects.append({"id": stix_id, "date_added": stamp, "version": version or stamp, "media_type": STIX})
    head = _head(next_token)
    return head + b',"objects":' + orjson.dumps(objects) + b"}" if objects else head + b"}"


def versions(records: Sequence[Record], next_token: str | None) -> bytes:
    """Return the versions of one object, ascending by date added (§5.8.1)."""
    head = _head(next_token)
    if not records:
        return head + b"}"
    texts = [version or format_timestamp(date_added) for _, date_added, version in records]
    return head + b',"versions":' + orjson.dumps(texts) + b"}"


def status(
    uuid: str,
    *,
    complete: bool,
    received_at: int,
    total: int,
    successes: Sequence[Mapping[str, Any]],
    failures: Sequence[Mapping[str, Any]],
    pendings: Sequence[Mapping[str, Any]],
    hub: Mapping[str, Any],
    receipt: orjson.Fragment | None = None,
) -> Resource:
    """Return the status of a submission; each list is complete or absent (§4.3.1).

    :param hub: value of the custom property ``x_cybex_hub``: which software answered.
    :param receipt: value of the custom property ``x_cybex_receipt``, JSON as it is stored, once there is one.
    """
    resource: Resource = {
        "id": uuid,
        "status": "complete" if complete else "pending",
        "request_timestamp": format_timestamp(received_at),
        "total_count": total,
        "success_count": len(successes),
        "failure_count": len(failures),
        "pending_count": total - len(successes) - len(failures),
    }
    for name, details in (("successes", successes), ("failures", failures), ("pendings", pendings)):
        if details:
            resource[name] = list(details)
    resource["x_cybex_hub"] = dict(hub)
    if receipt is not None:
        resource["x_cybex_receipt"] = receipt
    return resource


def error(*, title: str, detail: str, field: str | None, status: int, error_id: str, code: str) -> Resource:
    """Return an error message (§3.6.1); the text names a field or rule and holds no content."""
    resource: Resource = {
        "title": title,
        "error_id": error_id,
        "error_code": code,
        "http_status": str(status),
    }
    text = f"{field}: {detail}" if field and detail else detail
    if text:
        resource["description"] = text
    if field:
        resource["details"] = {"field": field}
    return resource


def _head(next_token: str | None) -> bytes:
    """Return the opening of a page: ``more`` always, ``next`` exactly when there is more (§3.5)."""
    if next_token is None:
        return b'{"more":false'
    return b'{"more":true,"next":' + orjson.dumps(next_token)
