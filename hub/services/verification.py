"""Verify before write: what the signatures in one submission prove, against the key ring, as of their signing time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hub.domain.audience import Audience
from hub.domain.canonical import parse
from hub.domain.hybrid import Partners, is_quantum_safe, paired, signatures_in, signer_of
from hub.domain.key_material import CLASSICAL
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.membership import Peer
from hub.domain.policy.decision import Decision, deny
from hub.domain.signature_profile import (
    NOT_ENROLLED,
    Attestation,
    carries_inline,
    check_detached,
    check_inline,
    check_withdrawal,
    related_version,
)
from hub.domain.submission import Parsed, Verified, VersionName
from hub.services.access import OpenCollection
from hub.services.context import Hub
from hub.store import entries as entry_store
from hub.store import keys as key_store

RULE = "signature"


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """A stored object that a detached signature in this submission is about, readable by the submitter.

    :param signatures: the signature objects in the detached signatures that are stored over this version.
    """

    obj: Mapping[str, Any]
    audience: Audience
    expires_at: int | None
    signatures: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Signers:
    """Whose keys count for a submission: the submitter's, and those of the authors he may relay for.

    :param relayed: identity ids of authors for whom the submitter holds a relay right, with their peer ids.
    :param for_others: these may also sign what has no author here: a partner hub sends it, and they are at home there.
    """

    submitter: Peer
    relayed: Mapping[str, int]
    for_others: bool = False

    def of(self, author: str | None) -> frozenset[int]:
        """Return the peers whose signature makes an object of this author acceptable from the submitter."""
        if author is not None and author in self.relayed:
            return frozenset((self.submitter.id, self.relayed[author]))
        if self.for_others:
            return frozenset((self.submitter.id, *self.relayed.values()))
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
                beside = _stored_signatures(tx, opened.collection.id, stix_id, related_version(target), parsed)
                found.setdefault(stix_id, []).append(StoredTarget(target, audience, expires_at, beside))
    return found


def _stored_signatures(
    tx: Connection, collection_id: int, stix_id: str, version: str, parsed: Sequence[Parsed]
) -> tuple[Mapping[str, Any], ...]:
    """Return the signatures by the signers of this submission that are stored over a version and not withdrawn."""
    signees = {item.facts.created_by_ref for item in parsed if item.is_signature}
    found: dict[str, Mapping[str, Any]] = {}
    withdrawn: set[str] = set()
    for signature_id, body in entry_store.signatures_over(tx, collection_id, stix_id):
        wrapper = parse(body)
        if not isinstance(wrapper, dict) or wrapper.get("related_version") != version:
            continue
        if wrapper.get("revoked") is True:
            withdrawn.add(signature_id)
        elif wrapper.get("created_by_ref") in signees:
            found.update((signature_id, one) for one in signatures_in(wrapper))
    return tuple(one for signature_id, one in found.items() if signature_id not in withdrawn)


def verify(
    parsed: Sequence[Parsed],
    stored: Mapping[str, Sequence[StoredTarget]],
    signers: Signers,
    ring: KeyRing,
    *,
    now: int,
) -> list[Verified]:
    """Say of each object what its own signature, or a detached one beside it, proves.

    A signature that is present and does not verify is a refusal even where none is required. A quantum-safe one counts
    together with a classical one by the same signer over the same version, in this submission or stored.
    """
    checks = _Checks(parsed, stored, signers, ring, now)
    verified = []
    for item in parsed:
        result = checks.signature(item) if item.is_signature else checks.object(item)
        attestation = result if isinstance(result, Attestation) else None
        refusal = result if isinstance(result, Decision) else None
        verified.append(Verified(item, attestation, refusal))
    return verified


class _Checks:
    """One submission's signatures and what they are about; each is verified once against each version it names."""

    def __init__(
        self,
        parsed: Sequence[Parsed],
        stored: Mapping[str, Sequence[StoredTarget]],
        signers: Signers,
        ring: KeyRing,
        now: int,
    ) -> None:
        self._signers, self._ring, self._now = signers, ring, now
        self._detached: dict[VersionName, list[Parsed]] = defaultdict(list)
        self._carried: dict[VersionName, list[Parsed]] = defaultdict(list)
        self._stored: dict[VersionName, list[StoredTarget]] = defaultdict(list)
        self._done: dict[tuple[int, int], Attestation | Decision] = {}
        self._held: dict[VersionName, Partners] = {}
        for item in parsed:
            if item.is_signature:
                self._detached[item.version_signed].append(item)
        for item in parsed:
            if self._detached and not item.is_signature:
                self._carried[item.version_named].append(item)
        for stix_id, versions in stored.items():
            for version in versions:
                self._stored[stix_id, related_version(version.obj)].append(version)

    def object(self, item: Parsed) -> Attestation | Decision | None:
        """Say what the signatures of an object prove: its own, else those beside it that its publisher may sign."""
        accepted = self._signers.of(item.facts.created_by_ref)
        beside = self._detached.get(item.version_named, []) if self._detached else []
        if carries_inline(item.obj):
            own = check_inline(item.obj, self._ring, signer_peers=accepted, now=self._now, plain=item.plain)
            if isinstance(own, Decision) or not beside:
                return own
            held, refused = self._beside(item, beside, accepted)
            same = [one for one in held if signer_of(one.key) == signer_of(own.key)]
            broken = _broken(own, refused)
            return paired([own, *same])[0] if broken is None else broken
        held, refused = self._beside(item, beside, accepted)
        results = paired(held)
        for result in results:
            if isinstance(result, Attestation) and result.key.algorithm in CLASSICAL:
                broken = _broken(result, refused)  # a refusal is false, as a value
                return result if broken is None else broken
        lone = [result for result in results if isinstance(result, Decision)]
        return next(iter([decision for _, decision in refused] + lone), None)

    def signature(self, item: Parsed) -> Attestation | Decision:
        """Say what a detached signature proves, or that it is its signer's withdrawal."""
        result: Attestation | Decision = deny(
            RULE, "related_to: the signed version is neither in this envelope nor stored where you can read it"
        )
        for target in self._targets(item.version_signed):
            result = self._against(item, target)
            if isinstance(result, Attestation):
                break
        if isinstance(result, Decision) or item.obj.get("revoked") is True:
            return result
        return self._partners(item.version_signed).pair(result)

    def _beside(
        self, item: Parsed, signatures: Sequence[Parsed], accepted: frozenset[int]
    ) -> tuple[list[Attestation], list[tuple[Parsed, Decision]]]:
        held: list[Attestation] = []
        refused: list[tuple[Parsed, Decision]] = []
        for signature in signatures:
            if signature.obj.get("revoked") is True:
                continue  # a withdrawal signs nothing
            result = self._against(signature, item)
            if isinstance(result, Decision):
                refused.append((signature, result))
            elif result.key.peer_id in accepted:
                held.append(result)
            else:
                refused.append((signature, deny(RULE, NOT_ENROLLED)))
        return held, refused

    def _against(self, signature: Parsed, target: Parsed | StoredTarget) -> Attestation | Decision:
        done = self._done.get((signature.index, id(target)))
        if done is None:
            accepted = self._signers.of(signature.facts.created_by_ref)
            if signature.obj.get("revoked") is True:
                done = check_withdrawal(target.obj, signature.obj, self._ring, signer_peers=accepted, now=self._now)
            else:
                plain = signature.plain and isinstance(target, Parsed) and target.plain
                done = check_detached(
                    target.obj, signature.obj, self._ring, signer_peers=accepted, now=self._now, plain=plain
                )
            self._done[signature.index, id(target)] = done
        return done

    def _targets(self, name: VersionName) -> list[Parsed | StoredTarget]:
        return [*self._stored.get(name, ()), *self._carried.get(name, ())]

    def _partners(self, version: VersionName) -> Partners:
        """Return the keys of all signatures over a version that hold: found once, however many sign it."""
        known = self._held.get(version)
        if known is None:
            known = self._held[version] = Partners(self._keys_over(version))
        return known

    def _keys_over(self, version: VersionName) -> Iterator[SigningKey]:
        for signature in self._detached.get(version, ()):
            if signature.obj.get("revoked") is not True:
                results = [self._against(signature, target) for target in self._targets(version)]
                yield from (result.key for result in results if isinstance(result, Attestation))
        for target in self._carried.get(version, ()):
            own = self.object(target) if carries_inline(target.obj) else None
            if isinstance(own, Attestation):
                yield own.key
        for stored in self._stored.get(version, ()):
            for one in (*signatures_in(stored.obj), *stored.signatures):
                yield from (key for key in self._ring.matching(one) if key.identity == one.get("signee"))


def _broken(attestation: Attestation, refused: Sequence[tuple[Parsed, Decision]]) -> Decision | None:
    """Return why a quantum-safe signature that the same signer sent along does not hold: then neither counts."""
    for signature, decision in refused:
        same = signature.obj.get("created_by_ref") == attestation.key.identity
        if same and any(is_quantum_safe(one) for one in signatures_in(signature.obj)):
            return decision
    return None
