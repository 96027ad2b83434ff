"""The objects every reader may fetch by id although nobody posted them: what our objects and markings refer to.

They never appear on a page, so that a collection holds what its members put there and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection

from hub.domain.canonical import jcs
from hub.domain.releasability import EXTENSION_DEFINITION as RELEASABILITY_DEFINITION
from hub.domain.signature_profile import EXTENSION_DEFINITIONS
from hub.domain.stix import instant_us
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import MARKING_DEFINITIONS
from hub.services.actor import HUB_HANDLE
from hub.store import peers as peer_store


@dataclass(frozen=True, slots=True)
class BuiltinObject:
    """An object the hub serves on its own account; it was "added" when it was created."""

    body: bytes
    version: str
    date_added: int


def builtin_object(tx: Connection, stix_id: str) -> BuiltinObject | None:
    """Return an extension definition, a TLP marking or the hub's own identity by its id, else None."""
    fixed = _fixed().get(stix_id)
    if fixed is not None:
        return fixed
    if not stix_id.startswith("identity--"):
        return None
    own = peer_store.by_handle(tx, HUB_HANDLE)
    if own is None or own.identity != stix_id:
        return None
    created = format_timestamp(own.created_at)[:23] + "Z"  # STIX 2.1 §3.2 asks for milliseconds at least
    return _builtin(
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": own.identity,
            "created": created,
            "modified": created,
            "name": own.name,
            "identity_class": "system",
        }
    )


@cache
def _fixed() -> Mapping[str, BuiltinObject]:
    definitions = (*EXTENSION_DEFINITIONS, RELEASABILITY_DEFINITION, *MARKING_DEFINITIONS)
    return {str(one["id"]): _builtin(one) for one in definitions}


def _builtin(obj: Mapping[str, Any]) -> BuiltinObject:
    version = str(obj.get("modified", obj["created"]))
    return BuiltinObject(jcs(dict(obj)), version, instant_us(version))
