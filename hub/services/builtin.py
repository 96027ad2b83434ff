"""The objects every reader may fetch by id although nobody posted them: what our objects and markings refer to.

They never appear on a page, so that a collection holds what its members put there and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection

from hub.domain.canonical import jcs
from hub.domain.iodef_extension import IODEF_EXTENSION_DEFINITION
from hub.domain.policy.ownership import NOT_YOURS
from hub.domain.pseudonym import Pseudonym, identity_object
from hub.domain.releasability import EXTENSION_DEFINITION as RELEASABILITY_DEFINITION
from hub.domain.retraction import EXTENSION_DEFINITION as RETRACTION_DEFINITION
from hub.domain.signature_extensions import EXTENSION_DEFINITIONS, PROJECT_IDENTITY
from hub.domain.stix import instant_us
from hub.domain.submission import Failed, Parsed
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import MARKING_DEFINITIONS, is_genuine
from hub.services.actor import HUB_HANDLE
from hub.store import peers as peer_store
from hub.store import pseudonyms as pseudonym_store
from hub.store.batches import batches


@dataclass(frozen=True, slots=True)
class BuiltinObject:
    """An object the hub serves on its own account; it was "added" when it was created."""

    body: bytes
    version: str
    date_added: int


@dataclass(frozen=True, slots=True)
class Recognised:
    """A submission's objects that the hub serves anyway: those that say the same, and those that say something else."""

    rest: list[Parsed]
    known: list[Parsed]
    failed: list[Failed]


def recognise(tx: Connection, parsed: Sequence[Parsed], group_id: int) -> Recognised:
    """Set apart what the hub serves on its own account: nobody needs to sign it, and nobody may give it other content.

    Published bundles carry the TLP markings with other names and references; what they mark with must be the same.
    """
    found = Recognised([], [], [])
    identities = [item.facts.id for item in parsed if item.facts.type == "identity"]
    elsewhere = {one.identity for one in _pseudonyms(tx, identities) if one.group_id != group_id}
    for item in parsed:
        own = builtin_object(tx, item.facts.id, group_id)
        if item.facts.id in elsewhere:
            found.failed.append(item.failed("ownership", NOT_YOURS))
        elif own is None:
            found.rest.append(item)
        elif own.body == item.body or is_genuine(item.obj):
            found.known.append(item)
        else:
            found.failed.append(
                item.failed("ownership", "this id is of an object of the hub itself, with other content")
            )
    return found


def _pseudonyms(tx: Connection, identities: Sequence[str]) -> list[Pseudonym]:
    return [one for some in batches(identities) for one in pseudonym_store.of_identities(tx, some)]


def builtin_object(tx: Connection, stix_id: str, group_id: int) -> BuiltinObject | None:
    """Return an extension definition or its author, a TLP marking or the hub's own identity by its id, else None.

    The identity of a pseudonym too, in its own group alone. The answer is the same whoever asks, its owner included.
    """
    fixed = _fixed().get(stix_id)
    if fixed is not None:
        return fixed
    if not stix_id.startswith("identity--"):
        return None
    own = peer_store.by_handle(tx, HUB_HANDLE)
    if own is None or own.identity != stix_id:
        pseudonym = pseudonym_store.by_identity(tx, stix_id)
        return None if pseudonym is None or pseudonym.group_id != group_id else _builtin(identity_object(pseudonym))
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
    definitions = (
        PROJECT_IDENTITY,
        *EXTENSION_DEFINITIONS,
        IODEF_EXTENSION_DEFINITION,
        RELEASABILITY_DEFINITION,
        RETRACTION_DEFINITION,
        *MARKING_DEFINITIONS,
    )
    return {str(one["id"]): _builtin(one) for one in definitions}


def _builtin(obj: Mapping[str, Any]) -> BuiltinObject:
    version = str(obj.get("modified", obj["created"]))
    return BuiltinObject(jcs(dict(obj)), version, instant_us(version))
