"""Check `receipts`: each status and its receipt say the same, the hub has signed it, and the log says so too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain.canonical import Json, jcs, parse
from hub.domain.keys import KeyRing, SigningKey
from hub.domain.receipt import Line, Receipt, digest_of
from hub.domain.receipt_check import check_signature, check_supplement
from hub.domain.taxii_time import parse_timestamp
from hub.errors import MalformedJson, ReceiptError
from hub.services.auditing.finding import Finding, Findings
from hub.services.auditing.ground import Ground, Leaf
from hub.store import scan
from hub.store.scan import Row


def check(ground: Ground) -> Findings:
    """Find statuses and receipts that contradict themselves, each other, the hub's key or the log."""
    ring = hub_ring(ground)
    for piece in scan.pieces(ground.tx, "submission"):
        for row in piece:
            yield from _submission(ground, row, ring)
        ground.step(len(piece))


def hub_ring(ground: Ground) -> KeyRing:
    """Return the hub's own keys, with which it signs receipts."""
    own = ground.hub_peer()
    rows = [row for row in ground.keys.values() if own is not None and row["peer_id"] == own["id"]]
    return KeyRing(
        SigningKey(
            id=row["id"],
            peer_id=row["peer_id"],
            identity=ground.identity(row["peer_id"]) or "",
            kid=row["kid"],
            algorithm=row["algorithm"],
            public_key=row["public_key"],
            valid_from=row["valid_from"],
            valid_until=row["valid_until"],
            revoked_at=row["revoked_at"],
            revocation_reason=row["revocation_reason"],
        )
        for row in rows
    )


def _submission(ground: Ground, row: Row, ring: KeyRing) -> Findings:
    name = f"submission {row['uuid']}"
    details = details_of(row)
    if details is None:
        yield Finding("submission.details", "submission.details", name, "it is not three lists of lines")
        return
    successes, failures, pendings = details
    if row["total"] != len(successes) + len(failures) + len(pendings):
        yield Finding("submission.counts", "submission.total", name, "it is not the number of lines")
    if row["failed"] != len(failures):
        yield Finding("submission.counts", "submission.failed", name, "it is not the number of refusals")
    collection = ground.collections.get(row["collection_id"])
    if collection is None or collection["group_id"] != row["group_id"]:
        text = "the collection is not one of this group"
        yield Finding("submission.collection", "submission.collection_id", name, text)
    elif row["deletions"] > collection["deletions"]:
        text = "it is greater than that of the collection"
        yield Finding("submission.deletions", "submission.deletions", name, text)
    credential = ground.credentials.get(row["credential_id"] or 0)
    if row["credential_id"] is not None and (credential is None or credential["peer_id"] != row["peer_id"]):
        text = "it is not a credential of the peer that sent it"
        yield Finding("submission.credential", "submission.credential_id", name, text)
    if row["state"] not in ("pending", "complete") or (row["state"] == "complete") != (row["completed_at"] is not None):
        yield Finding("submission.state", "submission.state", name, "it is not that of its other columns")
    elif row["state"] == "pending":
        if row["body"] is None or hashlib.sha256(bytes(row["body"])).digest() != bytes(row["sha256"]):
            yield Finding("submission.bytes", "submission.body", name, "they are not the bytes that were received")
    elif row["receipt"] is None:
        if not ground.older_than_the_log(row["completed_at"]):
            yield Finding("receipt.lost", "submission.receipt", name, "a complete submission has a receipt")
    else:
        yield from _receipts(ground, row, ring, name, successes, failures)


def details_of(row: Row) -> list[list[Mapping[str, Any]]] | None:
    """Return successes, failures and pendings of a submission's status; None when they are not readable."""
    try:
        value: Any = parse(bytes(row["details"]))
    except MalformedJson:
        return None
    if not isinstance(value, list) or len(value) != 3:
        return None
    if not all(isinstance(lines, list) and all(isinstance(line, dict) for line in lines) for lines in value):
        return None
    lists: list[list[Mapping[str, Any]]] = value
    return lists


def _receipts(
    ground: Ground,
    row: Row,
    ring: KeyRing,
    name: str,
    successes: Sequence[Mapping[str, Any]],
    failures: Sequence[Mapping[str, Any]],
) -> Findings:
    own = ground.hub_peer()
    hub = "" if own is None else own["identity"]
    document = _document(row["receipt"])
    if document is None:
        yield Finding("receipt.form", "submission.receipt", name, "it is no JSON in canonical form")
        return
    try:
        receipt = check_signature(document, ring, hub=hub, now=row["completed_at"]).receipt
    except ReceiptError as error:
        # The signature covers the receipt and not the row: a wrong time of completion shows in the receipt's own.
        yield Finding("receipt.signature", "submission.receipt", name, error.detail or "it is not signed by the hub")
        return
    yield from _row(ground, row, receipt, name)
    taken = [(line.stix_id, line.version) for line in receipt.lines if line.decision != "refused"]
    refused = [(line.stix_id, line.version, line.rule) for line in receipt.lines if line.decision == "refused"]
    told = [(line.get("id"), line.get("version"), str(line.get("message")).partition(":")[0]) for line in failures]
    if taken != [(line.get("id"), line.get("version")) for line in successes] or refused != told:
        yield Finding("receipt.status", "submission.details", name, "the status says otherwise than the signed receipt")
    yield from _places(ground, receipt.lines, receipt.submission, name)
    yield from _later(ground, row, document, ring, name)


def _later(ground: Ground, row: Row, first: Json, ring: KeyRing, name: str) -> Findings:
    later = [] if row["supplements"] is None else _document(row["supplements"], canonical=False)
    if not isinstance(later, list):
        yield Finding("receipt.form", "submission.supplements", name, "it is no list of receipts")
        return
    for document in later:
        try:
            proved = check_supplement(document, ring, first=first, now=row["supplemented_at"] or row["completed_at"])
        except ReceiptError as error:
            yield Finding("receipt.signature", "submission.supplements", name, error.detail or "it is not signed")
            continue
        yield from _places(ground, proved.receipt.lines, row["uuid"], name)
    if later and (not isinstance(later[-1], dict) or _time(later[-1]) != row["supplemented_at"]):
        yield Finding("receipt.row", "submission.supplemented_at", name, "the last later receipt has another time")


def _time(document: Mapping[str, Any]) -> int | None:
    try:
        return parse_timestamp(str(document.get("completed_at")))
    except ValueError:
        return None


def _row(ground: Ground, row: Row, receipt: Receipt, name: str) -> Findings:
    slug, uuid = ground.collection_names(row["collection_id"])
    for column, said, stored in (
        ("uuid", receipt.submission, row["uuid"]),
        ("peer_id", receipt.submitter, ground.identity(row["peer_id"])),
        ("group_id", receipt.group, slug),
        ("collection_id", receipt.collection, uuid),
        ("received_at", receipt.received_at, row["received_at"]),
        ("completed_at", receipt.completed_at, row["completed_at"]),
        ("sha256", receipt.sha256, bytes(row["sha256"])),
    ):
        if said != stored:
            yield Finding("receipt.row", f"submission.{column}", name, "the signed receipt says otherwise")


def _places(ground: Ground, lines: Sequence[Line], submission: str, name: str) -> Findings:
    leaves = ground.leaves({line.log_index for line in lines})
    refused = [line for line in lines if line.decision == "refused"]
    for line in lines:
        leaf = leaves.get(-1 if line.log_index is None else line.log_index)
        has_leaf = line.decision in ("accepted", "duplicate") and line.log_index is not None
        if has_leaf and (leaf is None or not _accepted(leaf, line, submission)):
            text = f"the log does not say at {line.log_index} that {line.stix_id} was accepted"
            yield Finding("receipt.leaf", "submission.receipt", name, text)
    if refused:
        leaf = leaves.get(-1 if refused[0].log_index is None else refused[0].log_index)
        if leaf is None or leaf.kind != "refused" or leaf.body.get("submission") != submission:
            yield Finding("receipt.leaf", "submission.receipt", name, "the log does not say what was refused")
        elif leaf.body.get("sha256") != digest_of(refused) or leaf.body.get("count") != len(refused):
            yield Finding("receipt.leaf", "log_leaf.payload", f"leaf {leaf.index}", "the receipt says other refusals")


def _accepted(leaf: Leaf, line: Line, submission: str) -> bool:
    same = leaf.kind == "accepted" and leaf.body.get("id") == line.stix_id
    same = same and line.sha256 is not None and leaf.body.get("sha256") == line.sha256.hex()
    return same and (line.decision == "duplicate" or leaf.body.get("submission") == submission)


def _document(octets: Any, *, canonical: bool = True) -> Json:
    try:
        value = parse(bytes(octets))
        return value if not canonical or jcs(value) == bytes(octets) else None
    except MalformedJson:
        return None


def refusals(ground: Ground) -> Findings:
    """Find refusals of which the log knows nothing, or of which receipt or status say otherwise."""
    for piece in scan.pieces(ground.tx, "refusal"):
        leaves = ground.leaves(row["log_index"] for row in piece)
        uuids = [row["submission_uuid"] for row in piece]
        only = ("uuid", "collection_id", "details", "receipt", "supplements")
        known = {row["uuid"]: row for row in scan.having(ground.tx, "submission", "uuid", uuids, only)}
        for row in piece:
            yield from _refusal(ground, row, leaves.get(row["log_index"]), known.get(row["submission_uuid"]))
        ground.step(len(piece))


def _refusal(ground: Ground, row: Row, leaf: Leaf | None, submission: Row | None) -> Findings:
    name = f"refusal {row['id']} ({row['stix_id']})"
    if leaf is None:
        if row["log_index"] is not None or not ground.older_than_the_log(row["at"]):
            yield Finding("refusal.leaf", "refusal.log_index", name, "there is no leaf for it in the log")
        return
    if leaf.kind != "refused":
        yield Finding("refusal.leaf", "refusal.log_index", name, "that leaf of the log is about something else")
        return
    ground.explain(leaf.index)
    for column, said, stored in (
        ("submission_uuid", leaf.body.get("submission"), row["submission_uuid"]),
        ("peer_id", leaf.body.get("submitter"), ground.identity(row["peer_id"])),
        ("at", leaf.at, row["at"]),
    ):
        if said != stored:
            yield Finding("refusal.leaf", f"refusal.{column}", name, f"leaf {leaf.index} of the log says otherwise")
            return
    if submission is None:
        return  # its status was kept long enough
    if row["collection_id"] != submission["collection_id"]:
        yield Finding("refusal.row", "refusal.collection_id", name, "its submission was to another collection")
    lines = _refused_lines(submission)
    told = {"id": row["stix_id"], "version": row["version"], "rule": row["rule"]}
    if row["sha256"] is not None:
        told["sha256"] = bytes(row["sha256"]).hex()
    if told not in lines:
        near = max(lines, key=lambda line: sum(line.get(key) == told.get(key) for key in told), default={})
        column = next((key for key in ("id", "version", "rule", "sha256") if near.get(key) != told.get(key)), "rule")
        column = "stix_id" if column == "id" else column
        yield Finding("refusal.receipt", f"refusal.{column}", name, "the receipt of its submission says otherwise")
    failures = (details_of(submission) or [[], [], []])[1]
    said = {(line.get("id"), line.get("message")) for line in failures}
    if (
        any(one == row["stix_id"] for one, _ in said)
        and (row["stix_id"], f"{row['rule']}: {row['reason']}") not in said
    ):
        yield Finding("refusal.status", "refusal.reason", name, "the status of its submission says otherwise")


def _refused_lines(submission: Row) -> list[dict[str, Any]]:
    documents = [] if submission["receipt"] is None else [_document(submission["receipt"])]
    later = None if submission["supplements"] is None else _document(submission["supplements"], canonical=False)
    documents += later if isinstance(later, list) else []
    lines: list[dict[str, Any]] = []
    for document in documents:
        objects = document.get("objects") if isinstance(document, dict) else None
        refused: list[Any] = [line for line in objects if _is_refused(line)] if isinstance(objects, list) else []
        lines += [{key: line[key] for key in ("id", "version", "rule", "sha256") if key in line} for line in refused]
    return lines


def _is_refused(line: Any) -> bool:
    return isinstance(line, dict) and line.get("decision") == "refused"
