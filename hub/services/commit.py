"""The only point of no return: one transaction admits decided objects against what is stored, and writes them.

Whatever fails before the transaction commits leaves nothing behind; after it every line of the status is durable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from hub.domain.admission import Candidate, KnownVersion, admit
from hub.domain.audience import Audience
from hub.domain.log_event import Event
from hub.domain.receipt import Decision, Line, digest_of
from hub.domain.submission import Decided, Failed, VersionName
from hub.domain.taxii_time import format_timestamp
from hub.services import transparency
from hub.services.context import Hub
from hub.services.decision import Place
from hub.store import entries as entry_store
from hub.store import held as held_store
from hub.store import refusals as refusal_store

ALREADY_STORED = "already stored"
SIGNED_TARGET_REFUSED = "the object it signs was refused"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """An object that is stored, was stored already, is held until its embargo ends, or is served by the hub anyway.

    :param log_index: the place of its acceptance in the transparency log; None when it has none.
    """

    index: int
    stix_id: str
    version: str
    message: str | None
    decision: Decision
    sha256: bytes
    log_index: int | None = None

    def receipt_line(self) -> Line:
        """Return what the receipt says of it."""
        return Line(self.index, self.stix_id, self.version, self.sha256, self.decision, None, self.log_index)


def commit(
    tx: Connection, hub: Hub, place: Place, submission_uuid: str, decided: Sequence[Decided], *, now: int
) -> tuple[list[Succeeded], list[Failed]]:
    """Store what is new. Returns one line per object, in no particular order.

    1. Lock the collection: from here on `date_added` is handed out in commit order.
    2. Admit each object against every stored version of its id, objects before the signatures over them.
    3. Hold back what is under embargo.
    4. Order the rest, each signature just before its object, so that no page shows an object without it.
    5. Witness each in the transparency log, and insert it with its place there.
    """
    last = entry_store.lock(tx, place.collection.id)  # 1
    ids = sorted({item.parsed.facts.id for item in decided})
    known = defaultdict(list, entry_store.known(tx, ids))
    tombstones = entry_store.tombstones(tx, place.collection.id, ids)
    version_tombstones = entry_store.version_tombstones(tx, place.collection.id, ids)
    succeeded: list[Succeeded] = []
    failed: list[Failed] = []
    fresh: list[Decided] = []
    refused_targets: set[VersionName] = set()
    for item in sorted(decided, key=lambda item: item.parsed.is_signature):  # 2
        facts = item.parsed.facts
        if item.parsed.is_signature and item.parsed.version_signed in refused_targets:
            failed.append(item.parsed.failed("signature", SIGNED_TARGET_REFUSED))
            continue
        tombstone = None
        if facts.version_key is not None:  # nobody owns a cyber-observable: his deleting it must not silence the others
            tombstone = tombstones.get(facts.id) or version_tombstones.get((facts.id, facts.version_key))
        admission = admit(_candidate(place, item), known[facts.id], tombstone)
        if admission.outcome == "new":
            fresh.append(item)
            known[facts.id].append(_as_known(place, item, now))
        elif admission.outcome == "duplicate":
            succeeded.append(_duplicate_line(place, item, known[facts.id]))
        else:
            refused_targets.add(item.parsed.version_named)
            failed.append(item.parsed.failed(admission.rule, admission.reason, keep=admission.outcome == "conflict"))
    held = [item for item in fresh if (item.verdict.embargo_until or 0) > now]  # 3
    if held:
        held_store.add(tx, place.collection.id, place.submitter.id, submission_uuid, [_held(item) for item in held])
    succeeded += [_held_line(item) for item in held]
    served = _signatures_first([item for item in fresh if (item.verdict.embargo_until or 0) <= now])  # 4
    entry_store.intern(tx, {_audience(item) for item in served})
    first = max(now, last + 1)
    places = transparency.append(tx, hub, _events(place, submission_uuid, served, first), now=now)  # 5
    entries = [_entry(place, submission_uuid, item, log_index) for item, log_index in zip(served, places, strict=True)]
    dates = entry_store.insert(tx, place.collection.id, now, entries)
    for item, date_added, log_index in zip(served, dates, places, strict=True):
        stix_id, key = item.parsed.facts.id, item.parsed.facts.version_key
        if stix_id in tombstones:  # its owner has posted it again
            entry_store.clear_tombstone(tx, place.collection.id, stix_id)
        elif key is not None and (stix_id, key) in version_tombstones:
            entry_store.clear_tombstone(tx, place.collection.id, stix_id, key)
        version = item.parsed.facts.version or format_timestamp(date_added)
        succeeded.append(
            Succeeded(item.parsed.index, stix_id, version, None, "accepted", item.parsed.sha256, log_index)
        )
    return succeeded, failed


def record_refusals(
    tx: Connection, hub: Hub, place: Place, submission_uuid: str, failed: Sequence[Failed], *, now: int
) -> list[Line]:
    """Keep, for the operator, what was refused and by which rule; bytes only where `Failed.body` says so.

    One leaf of the log commits to all of them. Returns what the receipt says of each.
    """
    lines = [Line(one.index, one.stix_id, one.version, one.sha256, "refused", one.rule, None) for one in failed]
    if failed:
        event = Event(
            "refused",
            {
                "at": format_timestamp(now),
                "submission": submission_uuid,
                "submitter": place.submitter.identity,
                "count": len(lines),
                "sha256": digest_of(lines),
            },
            place.submitter.id,
        )
        (log_index,) = transparency.append(tx, hub, [event], now=now)
        lines = [replace(line, log_index=log_index) for line in lines]
        refusal_store.add_many(
            tx,
            [
                refusal_store.Refusal(
                    submission_uuid=submission_uuid,
                    collection_id=place.collection.id,
                    peer_id=place.submitter.id,
                    stix_id=line.stix_id,
                    version=line.version,
                    rule=line.rule,
                    reason=line.message,
                    sha256=line.sha256,
                    body=line.body,
                    at=now,
                    log_index=log_index,
                )
                for line in failed
            ],
        )
    return lines


def _candidate(place: Place, item: Decided) -> Candidate:
    facts = item.parsed.facts
    author = facts.created_by_ref
    owns = author is not None and (place.identities.get(author) == place.submitter.id or author in place.relay_rights)
    return Candidate(
        stix_id=facts.id,
        version_key=facts.version_key,
        sha256=item.parsed.sha256,
        created_by_ref=author,
        author_is_peer=owns,
        submitter_peer_id=place.submitter.id,
        group_id=place.group.id,
        collection_id=place.collection.id,
        audience=_audience(item),
        is_sco=facts.version_key is None,
        expires_at=item.verdict.expires_at,
        may_read=place.rights is not None and place.rights.can_read,
    )


def _duplicate_line(place: Place, item: Decided, known: Sequence[KnownVersion]) -> Succeeded:
    facts, sha256 = item.parsed.facts, item.parsed.sha256
    same = [one for one in known if one.sha256 == sha256 and one.collection_id == place.collection.id]
    version = facts.version or same[0].version
    return Succeeded(item.parsed.index, facts.id, version, ALREADY_STORED, "duplicate", sha256, same[0].log_index)


def _events(place: Place, submission_uuid: str, items: Sequence[Decided], first: int) -> list[Event]:
    """Return what the log says of these objects, the first of which is dated ``first``."""
    names = {peer.id: peer.identity for peer in place.peers.values()}
    common = {
        "collection": place.collection.uuid,
        "group": place.group.slug,
        "submission": submission_uuid,
        "submitter": place.submitter.identity,
    }
    events = []
    for date_added, item in enumerate(items, first):
        stamp = format_timestamp(date_added)
        audience = _audience(item)
        body: dict[str, Any] = {
            **common,
            "at": stamp,
            "audience": audience.kind,
            "id": item.parsed.facts.id,
            "sha256": item.parsed.sha256.hex(),
            "version": item.parsed.facts.version or stamp,
        }
        if audience.kind != "group":
            body["peers"] = sorted(names[peer_id] for peer_id in audience.peers)
        events.append(Event("accepted", body, place.submitter.id))
    return events


def _as_known(place: Place, item: Decided, now: int) -> KnownVersion:
    facts = item.parsed.facts
    return KnownVersion(
        collection_id=place.collection.id,
        group_id=place.group.id,
        stix_id=facts.id,
        version=facts.version or format_timestamp(now),
        version_key=facts.version_key,
        sha256=item.parsed.sha256,
        date_added=now,
        author_identity=facts.created_by_ref,
        introduced=_introduced(place, item),
        submitter_peer_id=place.submitter.id,
        audience=_audience(item),
        expires_at=item.verdict.expires_at,
    )


def _introduced(place: Place, item: Decided) -> bool:
    author = item.parsed.facts.created_by_ref
    return author is None or author not in place.peers


def _audience(item: Decided) -> Audience:
    audience = item.verdict.audience
    if audience is None:
        raise AssertionError("a permission without an audience: nothing means nobody")
    return audience


def _entry(place: Place, submission_uuid: str, item: Decided, log_index: int) -> entry_store.NewEntry:
    facts, attestation, verdict = item.parsed.facts, item.verified.attestation, item.verdict
    return entry_store.NewEntry(
        stix_id=facts.id,
        type=facts.type,
        version=facts.version,
        version_key=facts.version_key,
        sha256=item.parsed.sha256,
        body=item.parsed.body,
        author_identity=facts.created_by_ref,
        introduced=_introduced(place, item),
        submitter_peer_id=place.submitter.id,
        submission_uuid=submission_uuid,
        audience=_audience(item),
        tlp=verdict.tlp or place.group.default_tlp,
        rule=verdict.decision.rule,
        reason=verdict.decision.reason,
        expires_at=verdict.expires_at,
        onward_relay=verdict.onward_relay,
        key_id=attestation.key.id if attestation else None,
        jss_form=attestation.form if attestation else None,
        signed_at=attestation.signed_at if attestation else None,
        carrier=attestation.carrier if attestation else None,
        related_to=str(item.parsed.obj.get("related_to")) if item.parsed.is_signature else None,
        log_index=log_index,
    )


def _signatures_first(items: Sequence[Decided]) -> list[Decided]:
    """Keep the order of the envelope, but put each detached signature right before the object it signs."""
    signatures: dict[VersionName, list[Decided]] = defaultdict(list)
    for item in items:
        if item.parsed.is_signature:
            signatures[item.parsed.version_signed].append(item)
    ordered: list[Decided] = []
    for item in sorted((one for one in items if not one.parsed.is_signature), key=lambda one: one.parsed.index):
        if signatures:
            ordered += signatures.pop(item.parsed.version_named, [])
        ordered.append(item)
    for rest in signatures.values():
        ordered += rest
    return ordered


def _held(item: Decided) -> held_store.NewHeld:
    embargo_until = item.verdict.embargo_until
    if embargo_until is None:
        raise AssertionError("only what is under embargo is held")
    return held_store.NewHeld(
        stix_id=item.parsed.facts.id, body=item.parsed.body, sha256=item.parsed.sha256, embargo_until=embargo_until
    )


def _held_line(item: Decided) -> Succeeded:
    until = format_timestamp(item.verdict.embargo_until or 0)
    version = item.parsed.facts.version or until
    return Succeeded(
        item.parsed.index, item.parsed.facts.id, version, f"held until {until}", "held", item.parsed.sha256
    )
