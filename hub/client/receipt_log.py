"""A receipt held against the transparency log: what it says was decided stands where it says, for all to see."""

from __future__ import annotations

from collections.abc import Sequence

from hub.client import tlog
from hub.client.tlog import NotLogged
from hub.client.transport import Transport
from hub.domain.receipt import Line, Receipt, digest_of


def check_log(transport: Transport, api_root: str, receipt: Receipt) -> int:
    """Return how many leaves of a checked receipt are in the tree of the log's latest checkpoint, and say the same.

    Each object that was accepted has its own; all refusals share one. The leaf of a duplicate belongs to whoever sent
    it first, and is left out.

    Raises:
        NotLogged: a leaf says something else, or is not in the tree. NotYetLogged: no checkpoint covers it yet.
        RemoteError: the hub does not open a leaf of our own.
    """
    url = tlog.log_url(api_root)
    known = tlog.fetch(transport, url, tlog.log_key(transport, url))
    expected = {line.log_index: _accepted(receipt, line) for line in receipt.lines if line.decision == "accepted"}
    refused = [line for line in receipt.lines if line.decision == "refused"]
    if refused:
        expected[refused[0].log_index] = _refused(receipt, refused)
    for index, said in expected.items():
        if index is None:
            raise NotLogged("the receipt names no place for it")
        leaf = tlog.open_leaf(transport, url, index)
        if leaf.index != index or any(leaf.payload.get(name) != value for name, value in said.items()):
            raise NotLogged(f"the leaf at {index} says something else than the receipt", known.note)
        tlog.check_inclusion(transport, url, known, index, leaf.data)
    return len(expected)


def _accepted(receipt: Receipt, line: Line) -> dict[str, object]:
    return {
        "event": "accepted",
        "submission": receipt.submission,
        "submitter": receipt.submitter,
        "group": receipt.group,
        "id": line.stix_id,
        "sha256": None if line.sha256 is None else line.sha256.hex(),
    }


def _refused(receipt: Receipt, lines: Sequence[Line]) -> dict[str, object]:
    return {
        "event": "refused",
        "submission": receipt.submission,
        "submitter": receipt.submitter,
        "count": len(lines),
        "sha256": digest_of(lines),
    }
