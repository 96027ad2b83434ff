"""A small world for the policy tests: four peers, one group, and builders for objects and markings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.domain.keys import SigningKey
from hub.domain.membership import Collection, CollectionRights, Peer, PeerKind, TrustGroup
from hub.domain.policy.publish import Publication
from hub.domain.releasability import EXTENSION_ID
from hub.domain.signature_profile import Attestation
from hub.domain.stix import facts
from hub.domain.tlp import MARKING_DEFINITIONS

NOW = 1_795_000_000_000_000  # 2026-11-18
BEFORE, SOON, LATER = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"


def uid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def identity(number: int) -> str:
    return f"identity--{uid(number)}"


def peer(number: int) -> Peer:
    return Peer(number, f"p{number}", f"Peer {number}", PeerKind.NATIONAL, identity(number))


AA, BB, CC, DD = peer(1), peer(2), peer(3), peer(4)
PEERS = (AA, BB, CC, DD)
VENDOR = identity(99)  # an author that is no peer
STRANGER = identity(98)
GROUP = TrustGroup(1, "alpha", "Alpha", None, "amber", "red", signature_required=False)
COLLECTION = Collection(1, uid(1), 1, "Incidents", None, "incidents")
RIGHTS = CollectionRights(can_read=True, can_write=True, can_moderate=False)

TLP_IDS = {one["name"].removeprefix("TLP:").lower(): one["id"] for one in MARKING_DEFINITIONS[:5]}
TLP1_IDS = {one["name"].removeprefix("TLP:").lower(): one["id"] for one in MARKING_DEFINITIONS[5:]}


def incident(*marking_refs: str, author: str | None = AA.identity, **extra: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "incident",
        "spec_version": "2.1",
        "id": f"incident--{uid(1)}",
        "created": "2026-11-01T00:00:00Z",
        "modified": "2026-11-01T00:00:00Z",
        "name": "secret-content",
    }
    if author is not None:
        made["created_by_ref"] = author
    if marking_refs:
        made["object_marking_refs"] = list(marking_refs)
    return made | extra


def definition(number: int, *, author: str | None = AA.identity, **content: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uid(number)}",
        "created": "2026-11-01T00:00:00Z",
    }
    if author is not None:
        made["created_by_ref"] = author
    return made | content


def releasable(number: int, *, author: str | None = AA.identity, **terms: Any) -> dict[str, Any]:
    stated = {"extension_type": "property-extension", "onward_relay": False} | terms
    return definition(number, author=author, extensions={EXTENSION_ID: stated})


def statement(number: int, *marking_refs: str) -> dict[str, Any]:
    content: dict[str, Any] = {"definition_type": "statement", "definition": {"statement": "Copyright"}}
    if marking_refs:
        content["object_marking_refs"] = list(marking_refs)
    return definition(number, **content)


def publication(body: Mapping[str, Any], *markings: Mapping[str, Any], **changes: Any) -> Publication:
    """A publication by AA in the group, of an object AA may publish unless the changes say otherwise."""
    about = facts(body)
    made = Publication(
        facts=about,
        body=body,
        submitter=AA,
        group=GROUP,
        collection=COLLECTION,
        rights=RIGHTS,
        author=next((one for one in PEERS if one.identity == about.created_by_ref), None),
        relay_right=False,
        attestation=None,
        signature_refusal=None,
        markings={one["id"]: one for one in markings},
        identities={one.identity: one.id for one in PEERS},
        now=NOW,
    )
    return replace(made, **changes)


def marked(*markings: Mapping[str, Any], **changes: Any) -> Publication:
    """AA's incident, carrying these markings and only these."""
    return publication(incident(*(one["id"] for one in markings)), *markings, **changes)


def signed_by(signer: Peer) -> Attestation:
    key = SigningKey(signer.id, signer.id, signer.identity, f"{signer.id:064x}", "Ed25519", "MCowBQ", valid_from=0)
    return Attestation(key=key, form="hex", signed_at=NOW, carrier="inline")
