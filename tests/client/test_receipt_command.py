"""`cybex receipt`: a submission's receipts, asked for again by its submitter, and held against the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.receipt import receipt as command
from hub.client import receipt_log, tlog
from hub.client.transport import Login, Transport
from hub.domain.receipt_check import read_receipt
from hub.services import checkpoints
from tests.client.hub_server import HubServer
from tests.client.test_push_receipts import cybex_push, place

__all__ = ["place"]


@pytest.fixture
def submission(running: HubServer, place: Path) -> str:
    """A submission of AA with one object accepted and one refused."""
    bundle = json.loads((place / "incident.json").read_text())
    bundle["objects"].append({"type": "incident", "id": "none"})
    (place / "incident.json").write_text(json.dumps(bundle))
    assert cybex_push(running, "--key", "aa.pem", "incident.json").exit_code == 1
    (path,) = (place / "incident.json.receipts").iterdir()
    return path.stem


def cybex_receipt(running: HubServer, *arguments: str, token: str = "aa.token") -> Result:  # noqa: S107 - a file name
    return CliRunner().invoke(command, ["--url", running.api_root, "--token-file", token, *arguments])


def test_the_submitter_gets_the_same_receipt_again(running: HubServer, place: Path, submission: str) -> None:
    shown = cybex_receipt(running, "--key", "aa.pem", submission)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("accepted") == 3
    assert shown.stdout.count("refused") == 2
    printed = json.loads(cybex_receipt(running, "--json", submission).stdout)
    kept = json.loads((place / "incident.json.receipts" / f"{submission}.json").read_text())
    assert printed == {"submission": submission, "receipt": kept, "later": []}


def test_nobody_else_gets_it(running: HubServer, place: Path, submission: str) -> None:
    running.token_file("bb", place)
    for name in (submission, "00000000-0000-4000-8000-000000000000"):
        answered = cybex_receipt(running, name, token="bb.token")
        assert answered.exception is not None
        assert str(answered.exception).startswith("404 Not found")


def test_the_log_says_the_same_and_a_leaf_that_does_not_is_caught(
    running: HubServer, place: Path, submission: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.make(running.hub)
    kept = read_receipt(json.loads((place / "incident.json.receipts" / f"{submission}.json").read_text()))
    session = Transport(Login(token=running.tokens["aa"]))
    assert receipt_log.check_log(session, running.api_root, kept) == 4
    shown = cybex_receipt(running, "--check-log", submission)
    assert "4 leaves are in the log" in shown.stderr, shown.output
    real = tlog.open_leaf

    def lying(*arguments: Any) -> Any:
        leaf = real(*arguments)
        return tlog.OpenedLeaf(leaf.index, leaf.payload | {"sha256": "00" * 32}, leaf.data)

    monkeypatch.setattr(tlog, "open_leaf", lying)
    with pytest.raises(tlog.NotLogged):
        receipt_log.check_log(session, running.api_root, kept)
