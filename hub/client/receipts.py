"""Receipts on the sender's side: checked before a push is called done, kept, and held against a hub that lies."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from hub.client.hub_pin import JSON, HubKeys, hub_address
from hub.client.transport import RemoteError, Transport
from hub.domain.canonical import Json, jcs
from hub.domain.receipt_check import Proved, Sent, check_receipt, check_signature, check_supplement
from hub.errors import ConfigError, ReceiptError

PROPERTY: Final = "x_cybex_receipt"
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class ReceiptBook:
    """Checks the receipt of each envelope of a push and keeps it in a directory.

    :param require: a server that gives no receipts at all is an error too.
    :param clock: microseconds since the epoch.
    """

    keys: HubKeys
    directory: Path
    clock: Callable[[], int]
    require: bool = False
    kept: list[str] = field(default_factory=list)
    without: int = 0  # envelopes that a server answered without a receipt, as any other TAXII server does
    _submitter: str | None = None

    def take(self, status: Mapping[str, Any], body: bytes, sent: Sequence[Sent]) -> Proved | None:
        """Return what the receipt in a complete status proves; None from a server that has never given any.

        The receipt is on disk when this returns. What does not hold is kept as evidence beside them.

        :param body: the envelope as it was posted. :param sent: its objects, in order.
        :raises ReceiptError: the receipt does not hold, or is missing where there should be one.
        """
        document = status.get(PROPERTY)
        if document is None and not self.keys.known and not self.require:
            self.without += 1
            return None
        try:
            return self._checked(document, status, body, sent)
        except ReceiptError as error:
            path = self._evidence(status, body, sent, error)
            raise ReceiptError(f"{error.detail}; the evidence is kept in {path}", field=error.field) from None

    def _checked(self, document: Json, status: Mapping[str, Any], body: bytes, sent: Sequence[Sent]) -> Proved:
        if document is None:
            raise ReceiptError(
                "the hub gave none, as it did before" if self.keys.known else "this server gives none", field=PROPERTY
            )
        ring, hub = self.keys.ring(document)
        proved = check_receipt(
            document,
            ring,
            hub=hub,
            submitter=self._whoami(),
            body_sha256=hashlib.sha256(body).digest(),
            sent=sent,
            status=status,
            now=self.clock(),
        )
        path, octets = self.directory / f"{_file_name(proved.receipt.submission)}.json", jcs(document)
        if path.exists() and path.read_bytes() != octets:
            raise ReceiptError("the hub gave another receipt for this submission before", field="submission")
        _write(path, octets)
        self.kept.append(path.name)
        self.keys.remember(hub, proved.attested.key)
        return proved

    def _whoami(self) -> str:
        if self._submitter is None:
            self._submitter = whoami(self.keys.transport, self.keys.api_root)
        return self._submitter

    def _evidence(self, status: Mapping[str, Any], body: bytes, sent: Sequence[Sent], error: ReceiptError) -> Path:
        name = _file_name(str(status.get("id")))
        path = self.directory / f"{name}.bad.json"
        found = {
            "reason": error.detail,
            "field": error.field,
            "hub": self.keys.api_root,
            "at": self.clock(),
            "sha256": hashlib.sha256(body).hexdigest(),
            "objects": [{"id": one.stix_id, "sha256": one.sha256.hex()} for one in sent],
            "status": dict(status),
        }
        _write(self.directory / f"{name}.envelope.json", body)
        _write(path, orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return path


@dataclass(frozen=True, slots=True)
class Fetched:
    """The receipts of a submission as the hub gave them now, all of them checked.

    :param document: the answer. :param first: what the first proves. :param later: what each later one proves.
    """

    document: Mapping[str, Json]
    first: Proved
    later: list[Proved]


def fetch(keys: HubKeys, submission: str, *, now: int) -> Fetched:
    """Return the receipts of a submission of one's own, for as long as the hub has them.

    :raises RemoteError: there are none for this credential. :raises ReceiptError: one of them does not hold.
    """
    if not _UUID.fullmatch(submission):
        raise ConfigError("give the id of a submission, as the push printed it", field="submission")
    address, _ = hub_address(keys.api_root)
    body = keys.transport.get(f"{address}api/v1/receipts/{submission}", accept=JSON).body
    later = body.get("later") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(later, list):
        raise RemoteError("the answer holds no receipts")
    document = body.get("receipt")
    ring, hub = keys.ring(document)
    first = check_signature(document, ring, hub=hub, now=now)
    if first.receipt.submission != submission:
        raise ReceiptError("it is of another submission", field="submission")
    proved = [check_supplement(one, keys.ring(one)[0], first=document, now=now) for one in later]
    keys.remember(hub, first.attested.key)
    return Fetched(body, first, proved)


def whoami(transport: Transport, api_root: str) -> str:
    """Return the STIX identity of the peer whose credential is used. Raises RemoteError."""
    body = transport.get(f"{hub_address(api_root)[0]}api/v1/whoami", accept=JSON).body
    peer = body.get("peer") if isinstance(body, dict) else None
    identity = peer.get("identity") if isinstance(peer, dict) else None
    if not isinstance(identity, str):
        raise RemoteError("the hub does not say whose credential this is")
    return identity


def _file_name(submission: str) -> str:
    """Return a name that a server cannot choose freely."""
    return submission if _UUID.fullmatch(submission) else hashlib.sha256(submission.encode()).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Leave the file whole or as it was."""
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written, and a receipt is worth nothing lost: {error.strerror}") from None
