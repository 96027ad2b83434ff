"""The hub's receipt for a submission: what it took, what it refused and why, and where the log says so."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from hub.domain.canonical import jcs
from hub.domain.key_material import PrivateKey
from hub.domain.statement import sign_statement
from hub.domain.taxii_time import format_timestamp

RECEIPT_TYPE: Final = "x-cybex-receipt"
FORMAT: Final = "1"
"""Of the receipt's form; ``schemas/hub/receipt.schema.json`` describes it."""

Decision: TypeAlias = Literal["accepted", "duplicate", "held", "served-by-hub", "refused"]


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one object of the envelope.

    :param sha256: of its JCS bytes; None for what could not be brought into that form.
    :param rule: by which it was refused. :param log_index: the leaf that says so; None while it is held.
    """

    index: int
    stix_id: str
    version: str
    sha256: bytes | None
    decision: Decision
    rule: str | None
    log_index: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """All that the hub states of one submission. Times are microseconds since the epoch.

    :param sha256: of the octets of the body, decoded, as they were received.
    :param supplements: SHA-256 of the first receipt of the submission, JCS bytes with its signature, when this one says
        what has become of objects that were held then; None for the first receipt itself.
    """

    hub: str  # STIX identity
    submission: str
    submitter: str  # STIX identity
    group: str
    collection: str
    received_at: int
    completed_at: int
    sha256: bytes
    lines: Sequence[Line]
    supplements: bytes | None = None


def written(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt as JSON, its lines in the order of the envelope, not signed yet."""
    document: dict[str, Any] = {
        "type": RECEIPT_TYPE,
        "format": FORMAT,
        "hub": receipt.hub,
        "submission": receipt.submission,
        "submitter": receipt.submitter,
        "group": receipt.group,
        "collection": receipt.collection,
        "received_at": format_timestamp(receipt.received_at),
        "completed_at": format_timestamp(receipt.completed_at),
        "sha256": receipt.sha256.hex(),
        "objects": _listed(receipt.lines),
    }
    if receipt.supplements is not None:
        document["supplements"] = receipt.supplements.hex()
    return document


def signed(receipt: Receipt, key: PrivateKey, *, uuid: str) -> bytes:
    """Return the receipt's JCS bytes with the hub's signature (X.590 7.1).

    :param uuid: of the signature, version 4.
    """
    statement = sign_statement(
        written(receipt), key, signee=receipt.hub, created=receipt.completed_at, uuid=uuid, plain=True
    )
    return jcs(statement, plain=True)


def digest_of(lines: Sequence[Line]) -> str:
    """Return the hex SHA-256 that the log holds for refused objects: of their lines without the place in the log."""
    bare = [{name: value for name, value in line.items() if name != "log_index"} for line in _listed(lines)]
    return hashlib.sha256(jcs(bare, plain=True)).hexdigest()


def _listed(lines: Sequence[Line]) -> list[dict[str, Any]]:
    listed = []
    for line in sorted(lines, key=lambda one: one.index):
        entry: dict[str, Any] = {"id": line.stix_id, "version": line.version, "decision": line.decision}
        if line.sha256 is not None:
            entry["sha256"] = line.sha256.hex()
        if line.rule is not None:
            entry["rule"] = line.rule
        if line.log_index is not None:
            entry["log_index"] = line.log_index
        listed.append(entry)
    return listed
