"""Post signed objects to a collection and wait until the hub has decided on every one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from hub.client.feed import collection_url
from hub.client.receipts import ReceiptBook
from hub.client.transport import RemoteError, Transport
from hub.domain.canonical import Json, jcs
from hub.domain.receipt_check import Sent
from hub.domain.signature_profile import SIGNATURE_TYPE, related_version

BATCH: Final = 500
"""Objects in one envelope: small enough to be answered at once, and to be posted again on a bad line."""

LONGEST_POLL: Final = 10.0


@dataclass(slots=True)
class Pushed:
    """What the hub has said so far. Lines are `status-details` of TAXII 2.1 §4.3.1."""

    total: int
    done: int = 0
    under_way: int = 0  # of the envelope that is pending
    envelopes: int = 0
    statuses: list[str] = field(default_factory=list)
    successes: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)


def push(
    transport: Transport,
    api_root: str,
    collection: str,
    objects: Sequence[Mapping[str, Json]],
    *,
    batch: int = BATCH,
    receipts: ReceiptBook | None = None,
) -> Iterator[Pushed]:
    """Yield the state of affairs after each answer; when the iteration ends, every object has its decision.

    Repeating a push after an interruption is safe: the hub recognises envelopes and objects it has.

    :param receipts: checks the receipt of each envelope before it counts as done; None takes the status on its word.
    :raises RemoteError: the server refuses an envelope, or what it answers is not a TAXII status.
    :raises ReceiptError: a receipt does not prove what the status says; nothing more is sent to this hub.
    """
    pushed = Pushed(total=len(objects))
    url = f"{collection_url(api_root, collection)}objects/"
    most = _max_content_length(transport, api_root)
    for envelope, sent in _envelopes(objects, batch, most):
        status = _status(transport.post(url, envelope).body)
        pushed.envelopes += 1
        pushed.statuses.append(str(status["id"]))
        wait = 0.25
        while status["status"] == "pending":
            pushed.under_way = int(status["success_count"]) + int(status["failure_count"])
            yield pushed
            transport.sleep(wait)
            wait = min(LONGEST_POLL, wait * 1.5)
            status = _status(transport.get(f"{api_root.rstrip('/')}/status/{quote(str(status['id']), safe='')}/").body)
        if receipts is not None:
            receipts.take(status, envelope, sent)
        pushed.under_way = 0
        pushed.done += int(status["total_count"])
        pushed.successes += status.get("successes", [])
        pushed.failures += status.get("failures", [])
        yield pushed


def _envelopes(objects: Sequence[Mapping[str, Json]], batch: int, most: int) -> Iterator[tuple[bytes, Sequence[Sent]]]:
    """Cut into envelopes of at most so many objects and octets; a signature stays with what it signs."""
    pieces: list[bytes] = []
    sent: list[Sent] = []
    size = 0
    for group in _with_signatures(objects):
        bodies = [jcs(dict(obj)) for obj in group]
        length = sum(len(body) + 1 for body in bodies)
        if pieces and (len(pieces) + len(bodies) > batch or size + length + 16 > most):
            yield _envelope(pieces), sent
            pieces, sent, size = [], [], 0
        pieces += bodies
        sent += [
            Sent(str(obj.get("id")), hashlib.sha256(body).digest()) for obj, body in zip(group, bodies, strict=True)
        ]
        size += length
    if pieces:
        yield _envelope(pieces), sent


def _envelope(bodies: Sequence[bytes]) -> bytes:
    return b'{"objects":[' + b",".join(bodies) + b"]}"


def _with_signatures(objects: Sequence[Mapping[str, Json]]) -> Iterator[list[Mapping[str, Json]]]:
    """Yield what must not be parted: markings before what they mark, each version with the signatures over it."""
    signatures: dict[tuple[object, object], list[Mapping[str, Json]]] = {}
    for obj in objects:
        if obj.get("type") == SIGNATURE_TYPE:
            signatures.setdefault((obj.get("related_to"), obj.get("related_version")), []).append(obj)
    for obj in sorted(objects, key=lambda obj: obj.get("type") != "marking-definition"):
        if obj.get("type") != SIGNATURE_TYPE:
            beside = signatures.pop((obj.get("id"), related_version(obj)), []) if signatures else []
            yield [obj, *beside]
    yield from signatures.values()  # over what the hub has already


def _max_content_length(transport: Transport, api_root: str) -> int:
    body = transport.get(f"{api_root.rstrip('/')}/").body
    most = body.get("max_content_length") if isinstance(body, dict) else None
    if not isinstance(most, int) or isinstance(most, bool) or most <= 0:
        raise RemoteError("the API root does not answer as one; check the address given with --url")
    return most


def _status(body: Json) -> dict[str, Any]:
    if (
        not isinstance(body, dict)
        or body.get("status") not in ("complete", "pending")
        or not isinstance(body.get("id"), str)
        or not all(isinstance(body.get(name), int) for name in ("total_count", "success_count", "failure_count"))
        or not all(_are_lines(body.get(name, [])) for name in ("successes", "failures"))
    ):
        raise RemoteError("the answer is not a TAXII status")
    return body


def _are_lines(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(line, dict) for line in value)
