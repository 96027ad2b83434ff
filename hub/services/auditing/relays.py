"""Check `relays`: by which hubs versions came, what was handed on, and the receipts that both sides signed for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.domain.canonical import parse
from hub.domain.hop import check_signed, read_path
from hub.domain.introduction import check_signed_by, content_digest, read_introduction
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.reach import octets
from hub.domain.receipt import Receipt
from hub.domain.receipt_check import check_signature
from hub.errors import CybexError
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground
from hub.store import scan
from hub.store.scan import Row

OUTCOMES = frozenset({"sent", "accepted", "duplicate", "held", "served-by-hub", "refused", "withdrawn"})


def check(ground: Ground) -> Findings:
    """Compare what is kept of the exchange with other hubs with what is stored, and with what they have signed."""
    yield from _introductions(ground)
    yield from _paths(ground)
    yield from _batches(ground)
    yield from _sent(ground)
    yield from _reaches(ground)


def _introductions(ground: Ground) -> Findings:
    rows = scan.whole(ground.tx, "introduction")
    for row in rows:
        name = f"introduction of {row['subject_identity']}"
        try:
            document: Any = parse(bytes(row["document"]))
            said = read_introduction(document)
            check_signed_by(document, _ring(ground, row["home_peer_id"]))
        except CybexError as error:
            text = f"it does not hold: {error.detail or error.title}"
            yield Finding("introduction.signature", "introduction.document", name, text)
            continue
        if said.identity != row["subject_identity"]:
            yield Finding("introduction.row", "introduction.subject_identity", name, "the document is of another name")
        if said.hub != ground.identity(row["home_peer_id"]):
            yield Finding("introduction.row", "introduction.home_peer_id", name, "another hub has signed it")
        if content_digest(document) != bytes(row["sha256"]):
            yield Finding("introduction.row", "introduction.sha256", name, "it is the digest of something else")
        if said.issued_at != row["issued_at"]:
            yield Finding("introduction.row", "introduction.issued_at", name, "the document has another time")
    ground.step(len(rows))


def _paths(ground: Ground) -> Findings:
    own = ground.hub_peer()
    for piece in scan.pieces(ground.tx, "relay_path"):
        stored = {
            (row["collection_id"], row["stix_id"], row["version_key"]): row
            for row in scan.having(
                ground.tx, "entry", "stix_id", [one["stix_id"] for one in piece],
                ("collection_id", "stix_id", "version_key", "sha256"),
            )
        }  # fmt: skip
        for row in piece:
            name = f"path of {row['stix_id']} {row['version_key']} by {ground.handle(row['from_peer_id'])}"
            yield from _path(ground, row, name, "" if own is None else own["identity"])
            entry = stored.get((row["collection_id"], row["stix_id"], row["version_key"]))
            if entry is not None and bytes(entry["sha256"]) != bytes(row["sha256"]):
                yield Finding("path.sha256", "relay_path.sha256", name, "the stored version has other bytes")
        ground.step(len(piece))


def _path(ground: Ground, row: Row, name: str, own: str) -> Findings:
    by = ground.identity(row["from_peer_id"]) or ""
    try:
        documents: Any = parse(bytes(row["hops"]))
        if not isinstance(documents, list):
            raise TypeError
        hops = read_path(documents, sha256=bytes(row["sha256"]), giver=by, here=own)
        for document, hop in zip(documents, hops, strict=True):
            check_signed(document, _ring_of(ground, hop.hub))
    except CybexError as error:
        yield Finding("path.hops", "relay_path.hops", name, f"it does not hold: {error.detail or error.title}")
        return
    except TypeError:
        yield Finding("path.hops", "relay_path.hops", name, "it is no list of hops")
        return
    if len(hops) != row["hop_count"]:
        yield Finding("path.count", "relay_path.hop_count", name, "there is another number of hops")
    if any(hop.stix_id != row["stix_id"] for hop in hops):
        yield Finding("path.object", "relay_path.stix_id", name, "the hops are about another object")


def _batches(ground: Ground) -> Findings:
    for piece in scan.pieces(ground.tx, "relay_batch"):
        for row in piece:
            if row["receipt"] is not None:
                yield from _batch(ground, row, f"batch {row['uuid']} {row['direction']}")
        ground.step(len(piece))


def _batch(ground: Ground, row: Row, name: str) -> Findings:
    """Check the receipt of a batch: of the hub that received it, for the one that handed it over."""
    own = ground.hub_peer()
    here, there = "" if own is None else own["identity"], ground.identity(row["peer_id"]) or ""
    giver, taker = (there, here) if row["direction"] == "in" else (here, there)
    try:
        receipt: Receipt = check_signature(
            parse(bytes(row["receipt"])), _ring_of(ground, taker), hub=taker, now=2**62
        ).receipt
    except CybexError as error:
        text = f"it does not hold: {error.detail or error.title}"
        yield Finding("batch.receipt", "relay_batch.receipt", name, text)
        return
    if receipt.submitter != giver:
        yield Finding("batch.peer", "relay_batch.peer_id", name, "the receipt is for another hub")
    if len(receipt.lines) != row["objects"]:
        yield Finding("batch.objects", "relay_batch.objects", name, "the receipt has another number of objects")
    if row["direction"] == "in":
        _, uuid = ground.collection_names(row["collection_id"])
        if receipt.collection != uuid:
            yield Finding("batch.collection", "relay_batch.collection_id", name, "the receipt names another collection")
        if receipt.received_at != row["at"]:
            yield Finding("batch.at", "relay_batch.at", name, "the receipt has another time")


def _sent(ground: Ground) -> Findings:
    for piece in scan.pieces(ground.tx, "relay_sent"):
        batches = {row["id"]: row for row in scan.having(
            ground.tx, "relay_batch", "id", [one["batch_id"] for one in piece])}  # fmt: skip
        receipts = {key: _lines(batch) for key, batch in batches.items()}
        for row in piece:
            name = f"{row['stix_id']} {row['version_key']} handed to {ground.handle(row['peer_id'])}"
            batch = batches.get(row["batch_id"])
            if batch is None or batch["peer_id"] != row["peer_id"] or batch["direction"] != "out":
                yield Finding("sent.batch", "relay_sent.batch_id", name, "it was in no batch for that hub")
            elif row["outcome"] not in OUTCOMES:
                yield Finding("sent.outcome", "relay_sent.outcome", name, "it is none that a hub can answer")
            elif row["outcome"] not in ("sent", "withdrawn"):
                said = receipts[row["batch_id"]].get((row["stix_id"], bytes(row["sha256"])))
                if said is None:
                    text = "the receipt of its batch says nothing of these bytes"
                    yield Finding("sent.sha256", "relay_sent.sha256", name, text)
                elif said != (row["outcome"], row["rule"]):
                    column = "outcome" if said[0] != row["outcome"] else "rule"
                    yield Finding("sent.outcome", f"relay_sent.{column}", name, "the receipt says otherwise")
        ground.step(len(piece))


def _lines(batch: Row) -> dict[tuple[str, bytes], tuple[str, str | None]]:
    try:
        document: Any = parse(bytes(batch["receipt"] or b"null"))
    except CybexError:
        return {}  # the check of the batch itself tells it
    lines = document.get("objects") if isinstance(document, dict) else None
    return {
        (str(one.get("id")), bytes.fromhex(str(one["sha256"]))): (str(one.get("decision")), one.get("rule"))
        for one in (lines if isinstance(lines, list) else [])
        if isinstance(one, dict) and "sha256" in one
    }


def _reaches(ground: Ground) -> Findings:
    own = ground.hub_peer()
    rows = scan.whole(ground.tx, "relay_reach")
    for row in rows:
        name = f"report on {row['act']} {row['direction']} {ground.handle(row['peer_id'])}"
        by_us = "" if own is None else own["identity"]
        signer = ground.identity(row["peer_id"]) if row["direction"] == "in" else by_us
        try:
            document: Any = parse(bytes(row["statement"]))
            check_signed(document, _ring_of(ground, signer or ""))
        except CybexError as error:
            text = f"it does not hold: {error.detail or error.title}"
            yield Finding("reach.signature", "relay_reach.statement", name, text)
            continue
        if octets(document) != bytes(row["statement"]) or document.get("hub") != signer:
            yield Finding("reach.signature", "relay_reach.statement", name, "another hub has signed it")
        for column in ("act", "holders", "removed"):
            if document.get(column) != row[column]:
                yield Finding("reach.row", f"relay_reach.{column}", name, "what was signed says otherwise")
    ground.step(len(rows))


def _ring(ground: Ground, peer_id: int | None) -> KeyRing:
    return KeyRing(_keys(ground, peer_id), allow_test_key=True)


def _ring_of(ground: Ground, identity: str) -> KeyRing:
    found = next((row["id"] for row in ground.peers.values() if row["identity"] == identity), None)
    return _ring(ground, found)


def _keys(ground: Ground, peer_id: int | None) -> Sequence[SigningKey]:
    return [
        SigningKey(
            row["id"], row["peer_id"], ground.identity(row["peer_id"]) or "", row["kid"], row["algorithm"],
            row["public_key"], row["valid_from"], row["valid_until"], row["revoked_at"], row["revocation_reason"],
        )
        for row in ground.keys.values()
        if row["peer_id"] == peer_id and row["pseudonym_id"] is None
    ]  # fmt: skip
