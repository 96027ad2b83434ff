"""Decide: may this peer publish this object here, and who may see it? Marking definitions first, signatures last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from hub.domain.canonical import parse
from hub.domain.membership import Collection, CollectionRights, Peer, PeerKind, TrustGroup
from hub.domain.policy.publish import Publication, Verdict, decide
from hub.domain.signature_profile import related_version
from hub.domain.stix import facts
from hub.domain.submission import Decided, Failed, Verified, VersionName
from hub.services.verification import StoredTarget
from hub.store import entries as entry_store
from hub.store import held as held_store

MARKING_TYPE = "marking-definition"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a submission is going and who sends it, as things stand now.

    :param peers: every peer of the hub by STIX identity: authorship is protected hub-wide. A pseudonym of this group
        leads to its peer, one of another group to `NOBODY`, since nobody may use it here.
    :param identities: peer ids of those of them that are somebody here.
    :param pseudonyms: the pseudonyms of this group.
    :param relay_rights: identities of authors for whom the submitter may make versions in this group.
    :param hub_identity: STIX identity of the hub's own peer, in whose name receipts are signed.
    :param relayed: a partner hub sends it, which has shown by their paths that it may (`hub.services.relay`).
    :param continued: STIX ids without an author whose earlier versions came from the same first hub.
    """

    group: TrustGroup
    collection: Collection
    rights: CollectionRights | None
    submitter: Peer
    peers: Mapping[str, Peer]
    identities: Mapping[str, int]
    relay_rights: frozenset[str]
    hub_identity: str
    pseudonyms: frozenset[str] = frozenset()
    relayed: bool = False
    continued: frozenset[str] = frozenset()


NOBODY: Final = Peer(0, "", "", PeerKind.NATIONAL, "")
"""Stands for an author who publishes elsewhere: no row of the database has id 0, so nobody here is ever him."""


def decide_all(
    tx: Connection,
    place: Place,
    verified: Sequence[Verified],
    stored: Mapping[str, Sequence[StoredTarget]],
    *,
    now: int,
) -> tuple[list[Decided], list[Failed]]:
    """Return what may be published, in the order of the envelope, and what may not."""
    markings = _stored_markings(tx, place, verified, now)
    carried = {item.parsed.facts.id: item.parsed.obj for item in verified if item.parsed.facts.type == MARKING_TYPE}
    verdicts: dict[int, Verdict] = {}
    for item in verified:
        if item.parsed.facts.type == MARKING_TYPE:
            verdicts[item.parsed.index] = decide_one(place, item, {**carried, **markings}, now)
            if verdicts[item.parsed.index].decision:
                markings.setdefault(item.parsed.facts.id, item.parsed.obj)
    for item in verified:
        if item.parsed.facts.type != MARKING_TYPE and not item.parsed.is_signature:
            verdicts[item.parsed.index] = decide_one(place, item, markings, now)
    targets = _targets(verified, verdicts, stored)
    for item in verified:
        if item.parsed.is_signature:
            verdict = decide_one(place, item, markings, now)
            verdicts[item.parsed.index] = _as_its_target(item, verdict, targets.get(item.parsed.version_signed))
    decided: list[Decided] = []
    failed: list[Failed] = []
    for item in verified:
        verdict = verdicts[item.parsed.index]
        if verdict.decision:
            decided.append(Decided(item, verdict))
        else:
            failed.append(item.parsed.failed(verdict.decision.rule, verdict.decision.reason))
    return decided, failed


def decide_one(place: Place, item: Verified, markings: Mapping[str, Mapping[str, Any]], now: int) -> Verdict:
    """Return what the rules say of one object by itself; a signature is then given what its target has."""
    author = item.parsed.facts.created_by_ref
    return decide(
        Publication(
            facts=item.parsed.facts,
            body=item.parsed.obj,
            submitter=place.submitter,
            group=place.group,
            collection=place.collection,
            rights=place.rights,
            author=place.peers.get(author) if author is not None else None,
            relay_right=author in place.relay_rights,
            relays_subject=place.relayed and item.parsed.facts.id in place.relay_rights,
            attestation=item.attestation,
            signature_refusal=item.refusal,
            markings=markings,
            identities=place.identities,
            now=now,
            pseudonyms=place.pseudonyms,
        )
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """What a signature is about: as it was decided now, or as it is stored; and the markings on it."""

    of: Verdict | StoredTarget
    marking_refs: frozenset[str]


def _targets(
    verified: Sequence[Verified], verdicts: Mapping[int, Verdict], stored: Mapping[str, Sequence[StoredTarget]]
) -> dict[VersionName, _Target]:
    found: dict[VersionName, _Target] = {}
    wanted = {item.parsed.version_signed[0] for item in verified if item.parsed.is_signature}
    for stix_id, versions in stored.items():
        for version in versions:
            refs = frozenset(facts(version.obj).marking_refs)
            found[stix_id, related_version(version.obj)] = _Target(version, refs)
    for item in verified:
        if not item.parsed.is_signature and item.parsed.facts.id in wanted:
            refs = frozenset(item.parsed.facts.marking_refs)
            found[item.parsed.version_named] = _Target(verdicts[item.parsed.index], refs)
    return found


def _as_its_target(item: Verified, verdict: Verdict, target: _Target | None) -> Verdict:
    """Give a signature the readers of what it signs, or fewer: a signature tells that its object exists.

    Fewer when its signer put a marking on it that the object does not have.
    """
    if not verdict.decision or target is None or verdict.audience is None:
        return verdict
    if isinstance(target.of, Verdict) and not target.of.decision:
        refused = replace(verdict.decision, allowed=False, rule="signature", reason="the object it signs was refused")
        return replace(verdict, decision=refused, audience=None)
    of, refs = target.of, frozenset(item.parsed.facts.marking_refs)
    audience = of.audience if of.audience is not None else verdict.audience
    embargo_until = of.embargo_until if isinstance(of, Verdict) else None
    expires_at = of.expires_at
    if not refs <= target.marking_refs:
        audience = audience.intersection(verdict.audience)
        embargo_until = max(filter(None, (embargo_until, verdict.embargo_until)), default=None)
        expires_at = min(filter(None, (expires_at, verdict.expires_at)), default=None)
    return replace(
        verdict,
        audience=audience,
        tlp=of.tlp if isinstance(of, Verdict) else verdict.tlp,
        expires_at=expires_at,
        embargo_until=embargo_until,
        onward_relay=of.onward_relay
        if isinstance(of, Verdict)
        else verdict.onward_relay and target.marking_refs <= refs,
    )


def _stored_markings(
    tx: Connection, place: Place, verified: Sequence[Verified], now: int
) -> dict[str, Mapping[str, Any]]:
    refs = sorted({ref for item in verified for ref in item.parsed.facts.marking_refs})
    found: dict[str, Mapping[str, Any]] = {}
    if not refs:
        return found
    for stix_id, rows in entry_store.bodies_of(tx, place.group.id, refs).items():
        for body, audience, _, expires_at in rows:
            if audience.admits(place.submitter.id) and (expires_at is None or expires_at > now):
                _keep_marking(found, stix_id, body)
    for stix_id, bodies in held_store.of_objects(tx, place.group.id, place.submitter.id, refs).items():
        for body in bodies:
            _keep_marking(found, stix_id, body)
    pending = sorted(
        {str(ref) for marking in found.values() for ref in marking.get("object_marking_refs", [])} - set(found)
    )
    for stix_id, rows in (entry_store.bodies_of(tx, place.group.id, pending) if pending else {}).items():
        for body, audience, _, _ in rows:
            if audience.admits(place.submitter.id):
                _keep_marking(found, stix_id, body)
    return found


def _keep_marking(found: dict[str, Mapping[str, Any]], stix_id: str, body: bytes) -> None:
    marking = parse(body)
    if isinstance(marking, dict):
        found[stix_id] = marking
