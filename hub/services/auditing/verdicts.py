"""Checks `signatures` and `audience`: the keys and the policy of its day gave each version what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub.domain import pap, tlp
from hub.domain.policy.publish import Verdict
from hub.domain.retraction import is_retraction
from hub.domain.signature_profile import Attestation, related_version
from hub.domain.submission import Parsed, Verified
from hub.services.auditing import notices
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.services.auditing.item import Item, item_of
from hub.services.auditing.then import Then
from hub.services.decision import Place, decide_one
from hub.services.verification import StoredTarget, verify
from hub.store import scan

DECIDED_WITHIN_US: Final = 300 * 1_000_000
"""How long before its commit a version may have been decided on: the largest envelopes wait for the worker."""

_NOW_HERE: Final = "the marking-definition of a version has been withdrawn since"
_TARGET: Final = "what a detached signature signs has been withdrawn since"


@dataclass(slots=True)
class Around:
    """What the versions of one piece refer to: signatures over them, what they sign themselves, and their markings."""

    over: dict[tuple[int, str], list[Item]] = field(default_factory=dict)  # (collection, id of the target)
    by_id: dict[tuple[int, str], list[Item]] = field(default_factory=dict)
    markings: dict[tuple[int, str], list[Item]] = field(default_factory=dict)  # (group, id)
    held: dict[tuple[int, int, str], Parsed] = field(default_factory=dict)


def check(ground: Ground, then: Then, items: Sequence[Item]) -> Findings:
    """Decide again on every version of a piece, with the keys, rights and settings of its day."""
    around = _around(ground, items)
    for item in items:
        if item.parsed is None or notices.is_of_the_hub(ground, item):
            continue
        first: list[Finding] = []
        for index in _moments(ground, item):
            place = then.place(item.row["collection_id"], item.row["submitter_peer_id"], index)
            found = list(_decided(ground, then, item, around, place, index))
            if not found:
                break
            first = first or found
        else:
            yield from first


def _moments(ground: Ground, item: Item) -> Iterator[int]:
    if item.leaf is None:
        yield 0
        return
    yield from ground.replay.moments(item.leaf.index, item.leaf.at, DECIDED_WITHIN_US)


def _decided(ground: Ground, then: Then, item: Item, around: Around, place: Place | None, index: int) -> Findings:
    parsed, row = item.parsed, item.row
    if parsed is None:
        return
    if place is None:
        text = "there was no such member, group or collection when it was accepted"
        yield Finding("entry.policy", "entry.submitter_peer_id", item.name, text)
        return
    attestation, refusal, gone = _attestation(then, item, around, place, index)
    if gone:
        ground.unverifiable[_TARGET] += 1
        return
    yield from _signature(item, attestation)
    markings, lacking = _markings(item, around, place)
    if lacking:
        ground.unverifiable[_NOW_HERE] += 1
        return
    verdict = decide_one(place, Verified(parsed, attestation, refusal), markings, row["date_added"])
    if not verdict.decision:
        text = f"the rule {verdict.decision.rule} of that day refuses it: {verdict.decision.reason}"
        place_ = "entry.key_id" if verdict.decision.rule == "signature" else "entry.rule"
        yield Finding("entry.policy", place_, item.name, text)
        return
    if not parsed.is_signature:
        yield from _terms(ground, item, verdict)
        yield from _authorship(item, place)
    else:
        yield from _as_target(ground, item, around, verdict)


def _attestation(
    then: Then, item: Item, around: Around, place: Place, index: int
) -> tuple[Attestation | None, Any, bool]:
    """Verify again. Returns what was proved, why not, and whether what it depends on is gone."""
    parsed, row = item.parsed, item.row
    if parsed is None:
        return None, None, True
    signers = then.signers(place)
    ring = then.ring(frozenset((place.submitter.id, *signers.relayed.values())), index)
    if parsed.is_signature:
        targets = [
            StoredTarget(one.parsed.obj, place_audience, one.row["expires_at"])
            for one in around.by_id.get((row["collection_id"], str(row["related_to"])), ())
            if one.parsed is not None and (place_audience := one.audience(then.ground)) is not None
        ]
        if not any(related_version(one.obj) == parsed.obj.get("related_version") for one in targets):
            return None, None, True
        stored = {str(row["related_to"]): targets}
        (verified,) = verify([parsed], stored, signers, ring, now=row["date_added"])
        return verified.attestation, verified.refusal, False
    beside = around.over.get((row["collection_id"], row["stix_id"]), [])
    together = [one for one in beside if one.row["submission_uuid"] == row["submission_uuid"]] or beside
    outcome: tuple[Attestation | None, Any] = (None, None)
    for some in ([], *([one] for one in together)):
        signatures = [one.parsed for one in some if one.parsed is not None]
        verified = verify([parsed, *signatures], {}, signers, ring, now=row["date_added"])[0]
        if verified.attestation is not None and (outcome[0] is None or _is_stored(row, verified.attestation)):
            outcome = verified.attestation, None
    if outcome[0] is None:
        verified = verify([parsed], {}, signers, ring, now=row["date_added"])[0]
        outcome = None, verified.refusal
    lost = outcome[0] is None and outcome[1] is None and row["carrier"] == "detached" and not beside
    return (*outcome, lost)


def _is_stored(row: Mapping[str, Any], one: Attestation) -> bool:
    return (row["key_id"], row["jss_form"], row["signed_at"], row["carrier"]) == (
        one.key.id,
        one.form,
        one.signed_at,
        one.carrier,
    )


def _signature(item: Item, attestation: Attestation | None) -> Findings:
    row = item.row
    columns = ("key_id", "jss_form", "signed_at", "carrier")
    if attestation is None:
        said = [column for column in columns if row[column] is not None]
        if said:
            text = "it says the version was signed, and no signature over it verifies"
            yield Finding("entry.signature", f"entry.{said[0]}", item.name, text)
        return
    proved = {
        "key_id": attestation.key.id,
        "jss_form": attestation.form,
        "signed_at": attestation.signed_at,
        "carrier": attestation.carrier,
    }
    for column in columns:
        if row[column] != proved[column]:
            yield Finding(
                "entry.signature", f"entry.{column}", item.name, "the signature over the version says otherwise"
            )


def _terms(ground: Ground, item: Item, verdict: Verdict) -> Findings:
    row = item.row
    audience = verdict.audience
    if item.parsed is not None and is_retraction(item.parsed.obj):
        audience = notices.heard_by(ground, item)
    if audience != item.first_audience(ground):
        column = "audience_id" if row["first_audience_id"] is None else "first_audience_id"
        text = "the markings and the policy of that day give it another audience"
        yield Finding("entry.audience", f"entry.{column}", item.name, text)
    for column, decided in (
        ("tlp", verdict.tlp),
        ("expires_at", verdict.expires_at),
        ("onward_relay", verdict.onward_relay),
        ("rule", verdict.decision.rule),
        ("reason", verdict.decision.reason),
    ):
        if row[column] != decided:
            text = "the markings and the policy of that day say otherwise"
            yield Finding(f"entry.{column}", f"entry.{column}", item.name, text)


def _authorship(item: Item, place: Place) -> Findings:
    author = item.row["author_identity"]
    introduced = author is None or author not in place.peers
    if item.row["introduced"] != introduced:
        text = "whether its author was a peer then says otherwise"
        yield Finding("entry.introduced", "entry.introduced", item.name, text)


def _as_target(ground: Ground, item: Item, around: Around, verdict: Verdict) -> Findings:
    """A detached signature has its target's terms, or those of its own markings where the target was stored before."""
    row, parsed = item.row, item.parsed
    targets = [
        one
        for one in around.by_id.get((row["collection_id"], str(row["related_to"])), ())
        if parsed is not None and one.parsed is not None and one.parsed.version_named == parsed.version_signed
    ]
    first = item.first_audience(ground)
    covering = [one for one in targets if first is not None and _covers(ground, one, first)]
    if not covering:
        column = "audience_id" if row["first_audience_id"] is None else "first_audience_id"
        text = "it admits peers who may not see what it signs"
        yield Finding("entry.audience", f"entry.{column}", item.name, text)
        return
    for column, own in (
        ("tlp", verdict.tlp),
        ("expires_at", verdict.expires_at),
        ("onward_relay", verdict.onward_relay),
    ):
        allowed = {own, *(one.row[column] for one in targets)} | ({False} if column == "onward_relay" else set())
        if row[column] not in allowed:
            text = "neither its own markings nor those of what it signs say so"
            yield Finding(f"entry.{column}", f"entry.{column}", item.name, text)
    if row["rule"] != verdict.decision.rule:
        yield Finding("entry.rule", "entry.rule", item.name, "the policy of that day says otherwise")
    if row["reason"] != verdict.decision.reason:
        yield Finding("entry.reason", "entry.reason", item.name, "the policy of that day says otherwise")


def _covers(ground: Ground, target: Item, first: Any) -> bool:
    audience = target.first_audience(ground)
    return audience is not None and audience.covers(first)


def _markings(item: Item, around: Around, place: Place) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """Return the marking-definitions that the submitter could rely on, and whether one of them is gone since."""
    found: dict[str, Mapping[str, Any]] = {}
    wanted = list(item.parsed.facts.marking_refs) if item.parsed is not None else []
    lacking = False
    while wanted:
        ref = wanted.pop()
        if ref in found:
            continue
        known = around.markings.get((place.group.id, ref), [])
        held = around.held.get((place.collection.id, place.submitter.id, ref))
        before = [one for one in known if one.row["date_added"] < item.row["date_added"]] or known
        if before and before[-1].parsed is not None:
            found[ref] = before[-1].parsed.obj
        elif held is not None:
            found[ref] = held.obj
        else:
            lacking = lacking or _needed(ref)
            continue
        wanted += [str(each) for each in found[ref].get("object_marking_refs", ())]
    return found, lacking


def _needed(ref: str) -> bool:
    return tlp.level_of(ref) is None and not pap.is_pap(ref)


def _around(ground: Ground, items: Sequence[Item]) -> Around:
    around = Around()
    parsed = [item for item in items if item.parsed is not None]
    over = [item.row["stix_id"] for item in parsed if item.row["related_to"] is None]
    for row in scan.having(ground.tx, "entry", "related_to", over):
        around.over.setdefault((row["collection_id"], row["related_to"]), []).append(item_of(row, None))
    signed = [item.row["related_to"] for item in parsed if item.row["related_to"] is not None]
    for row in scan.having(ground.tx, "entry", "stix_id", signed):
        around.by_id.setdefault((row["collection_id"], row["stix_id"]), []).append(item_of(row, None))
    wanted = {ref for item in items if item.parsed for ref in item.parsed.facts.marking_refs if _needed(ref)}
    for _ in range(2):  # the markings, and the markings of the markings
        more: set[str] = set()
        for row in scan.having(ground.tx, "entry", "stix_id", sorted(wanted)):
            collection = ground.collections.get(row["collection_id"])
            marking = item_of(row, None)
            if collection is not None:
                around.markings.setdefault((collection["group_id"], row["stix_id"]), []).append(marking)
            more |= set() if marking.parsed is None else marking.parsed.facts.marking_refs
        for row in scan.having(ground.tx, "held_version", "stix_id", sorted(wanted)):
            held = item_of({**row, "collection_id": row["collection_id"]}, None).parsed
            if held is not None:
                around.held[row["collection_id"], row["peer_id"], row["stix_id"]] = held
                more |= held.facts.marking_refs
        wanted = {ref for ref in more if _needed(ref)} - {ref for _, ref in around.markings}
    for known in around.markings.values():
        known.sort(key=lambda one: one.row["date_added"])
    return around
