"""The only point of no return: one transaction admits decided objects against what is stored, and writes them.

Whatever fails before the transaction commits leaves nothing behind; after it every line of the status is durable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from hub.domain.admission import KnownVersion
from hub.domain.log_event import Event
from hub.domain.receipt import Decision, Line, digest_of
from hub.domain.submission import Decided, Failed, VersionName
from hub.domain.taxii_time import format_timestamp
from hub.services import admitted, feedback, shown_keys, signed_targets, transparency, withdrawal
from hub.services.context import Hub
from hub.services.decision import Place
from hub.services.stock import stock_of
from hub.store import entries as entry_store
from hub.store import feedback as feedback_store
from hub.store import held as held_store
from hub.store import refusals as refusal_store

ALREADY_STORED = "already stored"


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
    2. Admit each object against every stored version of its id: revocations first, retractions after the objects,
       signatures last. A retraction is carried out as it is admitted.
    3. Hold back what is under embargo.
    4. End, or narrow, the versions that the new ones revoke or narrow.
    5. Order the rest, each signature just before its object, so that no page shows an object without it.
    6. Witness each in the transparency log, and insert it with its place there.
    7. Tell those who have what is withdrawn: after everything else, so that no notice comes before the fact.
    """
    last = entry_store.lock(tx, place.collection.id)  # 1
    decided, failed = signed_targets.recheck(tx, place, decided)
    stock = stock_of(tx, place, decided)
    found = admitted.admitted(tx, hub, place, stock, decided, now=now)  # 2
    failed += found.failed
    succeeded = [_duplicate_line(item, known) for item, known in found.duplicates]
    held = [item for item in found.fresh if (item.verdict.embargo_until or 0) > now]  # 3
    if held:
        held_store.add(tx, place.collection.id, place.submitter.id, submission_uuid, [_held(item) for item in held])
    succeeded += [_held_line(item) for item in held]
    served = [item for item in found.fresh if (item.verdict.embargo_until or 0) <= now]
    admitted.end_or_narrow(tx, hub, place, [item for item in served if stock.has_history(item)], found, now=now)  # 4
    served = _signatures_first(admitted.with_audiences(served, found.audiences))  # 5
    told = withdrawal.prepare(tx, hub, place.group, place.collection, found.acts, now=now)
    audience_ids = entry_store.intern(tx, {item.audience for item in served} | told.audiences)
    hub.shown_keys.note(tx, shown_keys.seen_in(place.group.id, served, audience_ids))
    first = max(now, last + 1)
    places = transparency.append(tx, hub, _events(place, submission_uuid, served, first), now=now)  # 6
    entries = [_entry(place, submission_uuid, item, log_index) for item, log_index in zip(served, places, strict=True)]
    dates = entry_store.insert(tx, place.collection.id, now, entries)
    feedback_store.add(tx, place.collection.id, feedback.rows_of(served, dates, places))
    for item, date_added, log_index in zip(served, dates, places, strict=True):
        stix_id, key = item.parsed.facts.id, item.parsed.facts.version_key
        if stix_id in stock.tombstones:  # its owner has posted it again
            entry_store.clear_tombstone(tx, place.collection.id, stix_id)
        elif key is not None and (stix_id, key) in stock.version_tombstones:
            entry_store.clear_tombstone(tx, place.collection.id, stix_id, key)
        version = item.parsed.facts.version or format_timestamp(date_added)
        message = found.messages.get(item.parsed.index)
        succeeded.append(
            Succeeded(item.parsed.index, stix_id, version, message, "accepted", item.parsed.sha256, log_index)
        )
    withdrawal.write(tx, hub, place.group, place.collection, told, now=now)  # 7
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


def _duplicate_line(item: Decided, known: KnownVersion) -> Succeeded:
    facts = item.parsed.facts
    version = facts.version or known.version
    return Succeeded(
        item.parsed.index, facts.id, version, ALREADY_STORED, "duplicate", item.parsed.sha256, known.log_index
    )


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
        audience = item.audience
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
        introduced=admitted.introduced(place, item),
        submitter_peer_id=place.submitter.id,
        submission_uuid=submission_uuid,
        audience=item.audience,
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
