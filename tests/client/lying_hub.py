"""A hub that gives receipts as it should, or lies in one way that has a name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hub.client import keyfile
from hub.domain.canonical import jcs, parse
from hub.domain.key_directory import ListedKey, write_directory
from hub.domain.key_material import PrivateKey
from hub.domain.receipt import Line, Receipt, signed
from tests.client.scripted_server import Asked, Reply, ScriptedServer
from tests.domain.signing import NOW, UUID, enrolled

HUB = "identity--5f0f1d8e-7c0b-4d3e-9f35-2a4b7d1c6e90"
PEER = "identity--8c6af861-7b20-41ef-9b59-6344fd872a8f"
SUBMISSION = "2d086da7-4bdc-4f91-900e-d77486753710"
Change = Callable[[Receipt], Receipt]


def same(receipt: Receipt) -> Receipt:
    """Change nothing."""
    return receipt


@dataclass
class LyingHub:
    """Takes everything. What it signs went through ``change`` first, what it answers through ``tamper``."""

    server: ScriptedServer
    key: PrivateKey = field(default_factory=keyfile.generate)
    change: Change = same
    tamper: Callable[[dict[str, Any]], Any] = lambda status: status
    listed: bool = True

    def __post_init__(self) -> None:
        self.server.script = self.answer

    @property
    def api_root(self) -> str:
        return f"{self.server.url}alpha/"

    def answer(self, asked: Asked) -> Reply:
        return Reply(200, json.dumps(self._body(asked)).encode())

    def _body(self, asked: Asked) -> Any:
        if asked.target == "/api/v1/whoami":
            return {"peer": {"identity": PEER}}
        if asked.target.endswith("/keys"):
            own = enrolled(self.key, identity=HUB)
            return write_directory([ListedKey("hub", own)] if self.listed else [])
        if asked.target.startswith("/api/v1/receipts/"):
            return {"submission": SUBMISSION, "receipt": self.status(b"{}", [])["x_cybex_receipt"], "later": []}
        if asked.method == "GET":
            return {"title": "x", "versions": [], "max_content_length": 10_000_000}
        return self.status(asked.body, json.loads(asked.body)["objects"])

    def status(self, body: bytes, objects: list[Any]) -> dict[str, Any]:
        lines = [
            Line(index, one["id"], one["modified"], hashlib.sha256(jcs(one)).digest(), "accepted", None, index)
            for index, one in enumerate(objects)
        ]
        receipt = Receipt(
            hub=HUB,
            submission=SUBMISSION,
            submitter=PEER,
            group="alpha",
            collection="472c94ae-3113-4e3e-a4dd-a9f4ac7471d4",
            received_at=NOW,
            completed_at=NOW,
            sha256=hashlib.sha256(body).digest(),
            lines=lines,
        )
        status = {
            "id": SUBMISSION,
            "status": "complete",
            "total_count": len(lines),
            "success_count": len(lines),
            "failure_count": 0,
            "pending_count": 0,
            "successes": [{"id": line.stix_id, "version": line.version} for line in lines],
            "x_cybex_receipt": parse(signed(self.change(receipt), self.key, uuid=UUID)),
        }
        answered = self.tamper(status)
        return status if answered is None else answered


def without_last(receipt: Receipt) -> Receipt:
    """Leave out the last line."""
    return replace(receipt, lines=receipt.lines[:-1])


def swapped(receipt: Receipt) -> Receipt:
    """Give the lines in another order."""
    return replace(receipt, lines=[replace(line, index=-line.index) for line in receipt.lines])


def of_other_octets(receipt: Receipt) -> Receipt:
    """Be about another body."""
    return replace(receipt, sha256=b"x" * 32)


def of_other_bytes(receipt: Receipt) -> Receipt:
    """Be about another content of the first object."""
    first, *rest = receipt.lines
    return replace(receipt, lines=[replace(first, sha256=b"x" * 32), *rest])


def of_another_submission(receipt: Receipt) -> Receipt:
    """Be of an earlier submission."""
    return replace(receipt, submission=SUBMISSION.replace("2d", "3d"))


def for_another_peer(receipt: Receipt) -> Receipt:
    """Name another submitter."""
    return replace(receipt, submitter=HUB)


def refusing(receipt: Receipt) -> Receipt:
    """Refuse in the receipt what the status says is stored."""
    first, *rest = receipt.lines
    return replace(receipt, lines=[replace(first, decision="refused", rule="tlp", log_index=9), *rest])


def without_places(receipt: Receipt) -> Receipt:
    """Name no place in the log."""
    return replace(receipt, lines=[replace(line, log_index=None) for line in receipt.lines])


CHANGES: dict[str, Change] = {
    one.__name__: one
    for one in (
        without_last,
        swapped,
        of_other_octets,
        of_other_bytes,
        of_another_submission,
        for_another_peer,
        refusing,
        without_places,
    )
}
