"""Verify before write: what the signatures in one submission prove, against the key ring, as of their signing time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.canonical import parse
from hub.domain.keys import KeyRing
from hub.domain.membership import Peer
from hub.domain.policy.decision import Decision, deny
from hub.domain.signature_profile import Attestation, carries_inline, check_detached, check_inline, related_version
from hub.domain.submission import Parsed, Verified
from hub.services.access import OpenCollection
from hub.services.context import Hub
from hub.store import entries as entry_store
from hub.store import keys as key_store

RULE = "signature"


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """A stored object that a detached signature in this submission is about, readable by the submitter."""

    obj: Mapping[str, Any]
    audience: Audience
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Signers:
    """Whose keys count for a submission: the submitter's, and those of the authors he may relay for.

    :param relayed: identity ids of authors for whom the submitter holds a relay right, with their peer ids.
    """

    submitter: Peer
    relayed: Mapping[str, int]

    def of(self, author: str | None) -> frozenset[int]:
        """Return the peers whose signature makes an object of this author acceptable from the submitter."""
        if author is not None and author in self.relayed:
            return frozenset((self.submitter.id, self.relayed[author]))
        return frozenset((self.submitter.id,))


def key_ring(tx: Connection, signers: Signers, group_id: int, hub: Hub) -> KeyRing:
    """Return the keys that may count in this submission; nobody else's key is even tried.

    Of an author who is relayed only those of that very name: how a key of another name of his is refused would tell the
    one who relays that both are the same peer's.
    """
    keys = list(key_store.of_peer(tx, signers.submitter.id, group_id=group_id))
    for author, peer_id in sorted(signers.relayed.items()):
        keys += [key for key in key_store.of_peer(tx, peer_id, group_id=group_id) if key.identity == author]
    return KeyRing(keys, allow_test_key=hub.allow_test_key)


def stored_targets(
    tx: Connection, opened: OpenCollection, submitter: Peer, parsed: Sequence[Parsed], *, now: int
) -> dict[str, list[StoredTarget]]:
    """Return the stored versions that detached signatures in this submission name and the envelope does not carry.

    Only of the same collection and only what the submitter may read there: a signature tells that its object exists,
    to him by being accepted, and to the readers of the collection by its `related_to`.
    """
    signed = {item.version_signed for item in parsed if item.is_signature}
    found: dict[str, list[StoredTarget]] = {}
    if not signed or not opened.rights.can_read:
        return found
    wanted = signed - {item.version_named for item in parsed if not item.is_signature}
    ids = sorted({stix_id for stix_id, _ in wanted})
    rows = entry_store.bodies_of(tx, opened.group.id, ids, collection_id=opened.collection.id) if ids else {}
    for stix_id, versions in rows.items():
        for body, audience, submitter_peer_id, expires_at in versions:
            del submitter_peer_id  # the submitter is always inside the audience
            if not audience.admits(submitter.id) or (expires_at is not None and expires_at <= now):
                continue
            target = parse(body)
            if isinstance(target, dict) and (stix_id, related_version(target)) in wanted:
                found.setdefault(stix_id, []).append(StoredTarget(target, audience, expires_at))
    return found


def verify(
    parsed: Sequence[Parsed],
    stored: Mapping[str, Sequence[StoredTarget]],
    signers: Signers,
    ring: KeyRing,
    *,
    now: int,
) -> list[Verified]:
    """Say of each object what its own signature, or a detached one beside it, proves.

    A signature that is present and does not verify is a refusal even where none is required.
    """
    detached: dict[str, list[Parsed]] = defaultdict(list)
    targets: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for stix_id, versions in stored.items():
        targets[stix_id] += [version.obj for version in versions]
    for item in parsed:
        if item.is_signature:
            detached[str(item.obj.get("related_to"))].append(item)
        else:
            targets[item.facts.id].append(item.obj)
    verified = []
    for item in parsed:
        result: Attestation | Decision | None
        if item.is_signature:
            result = _verify_signature(item, targets, signers, ring, now)
        else:
            result = _verify_object(item, detached.get(item.facts.id, []), signers, ring, now)
        attestation = result if isinstance(result, Attestation) else None
        refusal = result if isinstance(result, Decision) else None
        verified.append(Verified(item, attestation, refusal))
    return verified


def _verify_object(
    item: Parsed, detached: Sequence[Parsed], signers: Signers, ring: KeyRing, now: int
) -> Attestation | Decision | None:
    accepted = signers.of(item.facts.created_by_ref)
    if carries_inline(item.obj):
        return check_inline(item.obj, ring, signer_peers=accepted, now=now, plain=item.plain)
    version = related_version(item.obj)
    refusal: Decision | None = None
    for signature in detached:
        if signature.obj.get("related_version") != version:
            continue
        plain = item.plain and signature.plain
        result = check_detached(item.obj, signature.obj, ring, signer_peers=accepted, now=now, plain=plain)
        if isinstance(result, Attestation):
            return result
        refusal = refusal or result
    return refusal


def _verify_signature(
    item: Parsed, targets: Mapping[str, Sequence[Mapping[str, Any]]], signers: Signers, ring: KeyRing, now: int
) -> Attestation | Decision:
    version = item.obj.get("related_version")
    for target in targets.get(str(item.obj.get("related_to")), ()):
        if related_version(target) == version:
            accepted = signers.of(item.facts.created_by_ref)
            return check_detached(target, item.obj, ring, signer_peers=accepted, now=now)
    return deny(RULE, "related_to: the signed version is neither in this envelope nor stored where you can read it")
