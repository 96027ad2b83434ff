"""Check a receipt: by the hub's key, over what was really sent, and at one with the TAXII status."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from hub.domain.canonical import Json, jcs
from hub.domain.keys import KeyRing
from hub.domain.receipt import FORMAT, RECEIPT_TYPE, Decision, Line, Receipt
from hub.domain.statement import Attested, check_statement
from hub.domain.taxii_time import format_timestamp, parse_timestamp
from hub.errors import ReceiptError, SignatureError

_NAMES: Final = frozenset(
    {
        "type",
        "format",
        "hub",
        "submission",
        "submitter",
        "group",
        "collection",
        "received_at",
        "completed_at",
        "sha256",
        "objects",
        "signatures",
    }
)
_LINE_REQUIRED: Final = frozenset({"id", "version", "decision"})
_LINE_NAMES: Final = _LINE_REQUIRED | {"sha256", "rule", "log_index"}
_DECISIONS: Final = frozenset(get_args(Decision))
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Sent:
    """One object as it was sent. :param sha256: of its JCS bytes."""

    stix_id: str
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Proved:
    """A receipt whose signature holds: this hub said all of it, with this key, at this time."""

    receipt: Receipt
    attested: Attested


def check_signature(document: Json, ring: KeyRing, *, hub: str, now: int) -> Proved:
    """Return what a receipt says, and that this hub says it.

    :param ring: the keys of the hub. :param hub: its STIX identity. :param now: microseconds since the epoch.

    Raises:
        ReceiptError: it has not the form of a receipt, or is not signed by this hub.
    """
    receipt = read_receipt(document)
    if receipt.hub != hub:
        raise ReceiptError("it names another hub", field="hub")
    try:
        attested = check_statement(document if isinstance(document, dict) else {}, ring, signee=hub, now=now)
    except SignatureError as error:
        raise ReceiptError(f"it is not signed by the hub: {error.detail}", field=error.field) from None
    return Proved(receipt, attested)


def check_receipt(
    document: Json,
    ring: KeyRing,
    *,
    hub: str,
    submitter: str,
    body_sha256: bytes,
    sent: Sequence[Sent],
    status: Mapping[str, Any],
    now: int,
) -> Proved:
    """Return what the receipt of a submission proves.

    1. It is signed by a key of this hub that was valid then.
    2. It names this submitter, and the submission whose status came with it.
    3. It is about these very octets: their SHA-256 is in it.
    4. It has one line for each object that was sent, in order, with the SHA-256 of the object's JCS bytes.
    5. Whatever was decided for good has a place in the log.
    6. The status says the same of each object: success, refusal and rule, in the same order.

    :param sent: every object of the envelope, in its order. :param status: the TAXII status, complete (§4.3).

    Raises:
        ReceiptError: one of these is not so; the field is the one at fault.
    """
    proved = check_signature(document, ring, hub=hub, now=now)  # 1
    receipt = proved.receipt
    if receipt.supplements is not None:
        raise ReceiptError("it only supplements an earlier receipt", field="supplements")
    if receipt.submitter != submitter:  # 2
        raise ReceiptError("it is for another submitter", field="submitter")
    if receipt.submission != status.get("id"):
        raise ReceiptError("it is of another submission", field="submission")
    if receipt.sha256 != body_sha256:  # 3
        raise ReceiptError("the hub received other octets than were sent", field="sha256")
    if len(receipt.lines) != len(sent):  # 4
        raise ReceiptError("it has not one line for each object that was sent", field="objects")
    for line, one in zip(receipt.lines, sent, strict=True):
        place = f"objects[{line.index}]"
        if line.sha256 != one.sha256:
            raise ReceiptError("the hub decided on another object than was sent here", field=f"{place}.sha256")
        if line.stix_id != one.stix_id and (line.decision, line.stix_id) != ("refused", place):
            raise ReceiptError("it is not the id of what was sent here", field=f"{place}.id")
    _check_places(receipt.lines)  # 5
    _check_status(receipt, status)  # 6
    return proved


def check_supplement(document: Json, ring: KeyRing, *, first: Json, now: int) -> Proved:
    """Return what a later receipt proves: what became of objects that the first one said were held.

    :param first: the first receipt of the submission, which has been checked.

    Raises:
        ReceiptError: it is not by the same hub, belongs to another receipt, or is about what was not held.
    """
    before = read_receipt(first)
    proved = check_signature(document, ring, hub=before.hub, now=now)
    receipt = proved.receipt
    if receipt.supplements != hashlib.sha256(jcs(first)).digest():
        raise ReceiptError("it supplements another receipt", field="supplements")
    for name in ("submission", "submitter", "group", "collection", "received_at", "sha256"):
        if getattr(receipt, name) != getattr(before, name):
            raise ReceiptError("it differs from the receipt that it supplements", field=name)
    held = {(line.stix_id, line.sha256) for line in before.lines if line.decision == "held"}
    for line in receipt.lines:
        if (line.stix_id, line.sha256) not in held or line.decision == "held":
            raise ReceiptError("it is about what was not held, or is held still", field=f"objects[{line.index}]")
    _check_places(receipt.lines)
    return proved


def read_receipt(document: Json) -> Receipt:
    """Return a receipt, whoever signed it; its form is that of ``schemas/hub/receipt.schema.json``.

    Raises:
        ReceiptError: it has another form; the field is the one at fault.
    """
    if not isinstance(document, dict) or document.get("type") != RECEIPT_TYPE:
        raise ReceiptError("it is not a receipt of a hub", field="type")
    if document.get("format") != FORMAT:
        raise ReceiptError("it has another format than this version reads", field="format")
    if not document.keys() >= _NAMES or document.keys() - _NAMES - {"supplements"}:
        raise ReceiptError("it lacks a property of a receipt, or has one that no receipt has")
    objects = document["objects"]
    if not isinstance(objects, list):
        raise ReceiptError("it must be a list", field="objects")
    return Receipt(
        hub=_text(document, "hub"),
        submission=_text(document, "submission"),
        submitter=_text(document, "submitter"),
        group=_text(document, "group"),
        collection=_text(document, "collection"),
        received_at=_time(document, "received_at"),
        completed_at=_time(document, "completed_at"),
        sha256=_digest(document, "sha256"),
        lines=[_line(index, one) for index, one in enumerate(objects)],
        supplements=_digest(document, "supplements") if "supplements" in document else None,
    )


def _check_places(lines: Sequence[Line]) -> None:
    """Check that what was decided has its place: a leaf for each that was accepted, one leaf for all refusals."""
    accepted = [line.log_index for line in lines if line.decision == "accepted"]
    refused = {line.log_index for line in lines if line.decision == "refused"}
    if None in accepted or None in refused:
        raise ReceiptError("a decision has no place in the log", field="objects.log_index")
    if len(set(accepted)) != len(accepted) or len(refused) > 1 or refused & set(accepted):
        raise ReceiptError("two decisions have one place in the log", field="objects.log_index")


def _check_status(receipt: Receipt, status: Mapping[str, Any]) -> None:
    if status.get("status") != "complete" or status.get("total_count") != len(receipt.lines):
        raise ReceiptError("the status is of another number of objects, or not complete", field="status")
    taken = [(line.stix_id, line.version) for line in receipt.lines if line.decision != "refused"]
    if taken != [(one.get("id"), one.get("version")) for one in status.get("successes", ())]:
        raise ReceiptError("the status reports other successes than the receipt", field="successes")
    refused = [(line.stix_id, line.version, line.rule) for line in receipt.lines if line.decision == "refused"]
    reported = [
        (one.get("id"), one.get("version"), str(one.get("message")).partition(":")[0])
        for one in status.get("failures", ())
    ]
    if refused != reported:
        raise ReceiptError("the status reports other refusals than the receipt", field="failures")


def _line(index: int, value: Json) -> Line:
    place = f"objects[{index}]"
    if not isinstance(value, dict) or not _LINE_REQUIRED <= value.keys() <= _LINE_NAMES:
        raise ReceiptError("it is not a line of a receipt", field=place)
    decision, log_index = value["decision"], value.get("log_index")
    if not isinstance(decision, str) or decision not in _DECISIONS:
        raise ReceiptError("it is not a decision of a hub", field=f"{place}.decision")
    if (decision == "refused") != ("rule" in value):
        raise ReceiptError("a refusal names its rule, and nothing else does", field=f"{place}.rule")
    if "log_index" in value and (type(log_index) is not int or log_index < 0 or decision == "held"):
        raise ReceiptError("it is not a place in the log", field=f"{place}.log_index")
    return Line(
        index=index,
        stix_id=_text(value, "id"),
        version=_text(value, "version"),
        sha256=_digest(value, "sha256") if "sha256" in value else None,
        decision=cast(Decision, decision),  # it is one of them, as was just seen
        rule=_text(value, "rule") if "rule" in value else None,
        log_index=log_index if type(log_index) is int else None,
    )


def _text(value: Mapping[str, Json], name: str) -> str:
    text = value[name]
    if not isinstance(text, str) or not text:
        raise ReceiptError("it must be a text", field=name)
    return text


def _digest(value: Mapping[str, Json], name: str) -> bytes:
    text = _text(value, name)
    if not _DIGEST.fullmatch(text):
        raise ReceiptError("it must be a SHA-256 in lower-case hexadecimal", field=name)
    return bytes.fromhex(text)


def _time(value: Mapping[str, Json], name: str) -> int:
    try:
        moment = parse_timestamp(_text(value, name))
    except ValueError:
        moment = None
    if moment is None or format_timestamp(moment) != value[name]:
        raise ReceiptError("it must be a time in UTC with six digits of a second", field=name)
    return moment
