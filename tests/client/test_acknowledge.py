"""`cybex acknowledge` and `cybex pull --acknowledge`: confirmed once, whatever happens on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.acknowledge import acknowledge
from hub.cli.pull import pull
from hub.client.acknowledge import QUEUE_FILE, Queue, Said, Signer
from hub.client.pull_acknowledge import remove
from hub.client.transport import RemoteError, Transport
from hub.domain.retraction import Retraction, Target
from hub.services import acknowledgements
from hub.services.actor import LOCAL_OPERATOR
from tests.client.hub_server import HubServer
from tests.client.test_push_receipts import cybex_push, place
from tests.domain.signing import AUTHOR, DOMAIN, INDICATOR, NOW, OTHER, OTHER_KEY

__all__ = ["place"]


@pytest.fixture
def posted(running: HubServer, place: Path) -> str:
    """The id of an indicator that AA has posted; BB's token and key are here too."""
    running.token_file("bb", place)
    running.key_file("bb", place)
    assert cybex_push(running, "--key", "aa.pem", "incident.json").exit_code == 0
    return str(INDICATOR["id"])


def invoke(command: Any, running: HubServer, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["--url", running.api_root, "--token-file", "bb.token", *arguments])


def counted(running: HubServer, stix_id: str) -> list[dict[str, int]]:
    return [dict(one.outcomes) for one in acknowledgements.tally(running.hub, LOCAL_OPERATOR, stix_id)[0]]


def test_a_reader_confirms_an_object_by_its_latest_version(running: HubServer, posted: str) -> None:
    done = invoke(acknowledge, running, "--key", "bb.pem", "--outcome", "used", posted)
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.stdout == f"kept: used {posted} {INDICATOR['modified']}\n"
    assert counted(running, posted) == [{"used": 1}]


def test_what_is_not_kept_is_said(running: HubServer, posted: str) -> None:
    version = ("--version", "2020-01-01T00:00:00.000Z")
    done = invoke(acknowledge, running, "--key", "bb.pem", "--outcome", "used", *version, posted)
    assert (done.exit_code, done.stderr) == (1, "not kept: there is no such object\n")
    assert invoke(acknowledge, running, "--key", "bb.pem", "--outcome", "refused", posted).exit_code == 2


def test_a_pull_confirms_what_it_keeps(running: HubServer, place: Path, posted: str) -> None:
    pulled = invoke(pull, running, "--out", "inbox", "--acknowledge", "bb.pem")
    assert pulled.exit_code == 0, (pulled.output, pulled.exception)
    assert "2 acknowledgements kept by the hub, 0 not" in pulled.stderr
    assert counted(running, posted) == [{"verified": 1}]
    assert counted(running, str(DOMAIN["id"])) == [{"verified": 1}]
    assert not (place / "inbox" / QUEUE_FILE).exists()


def test_what_cannot_be_handed_in_waits_for_the_next_pull(
    running: HubServer, place: Path, posted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> Any:
        raise RemoteError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(Transport, "post", unreachable)
        pulled = invoke(pull, running, "--out", "inbox", "--acknowledge", "bb.pem")
    assert pulled.exit_code == 1
    assert "2 acknowledgements wait for the next pull" in pulled.stderr
    assert (place / "inbox" / QUEUE_FILE).exists()
    assert invoke(pull, running, "--out", "inbox", "--acknowledge", "bb.pem").exit_code == 0
    assert counted(running, posted) == [{"verified": 1}]


def test_a_crash_before_the_bookmark_only_repeats_them(running: HubServer, place: Path, posted: str) -> None:
    for _ in range(2):
        assert invoke(pull, running, "--out", "inbox", "--acknowledge", "bb.pem").exit_code == 0
        (place / "inbox" / "pull-state.json").unlink()
        for path in (place / "inbox").glob("*"):
            path.unlink()
    assert counted(running, posted) == [{"verified": 1}]


def test_one_version_waits_once_with_each_outcome(tmp_path: Path) -> None:
    who = Signer(OTHER_KEY, OTHER, AUTHOR, "alpha", lambda: NOW)
    queue = Queue(tmp_path)
    for outcome in ("stored", "stored", "used"):
        queue.add([who.sign(Said(INDICATOR["id"], INDICATOR["modified"], outcome))])
    assert len(queue) == len(Queue(tmp_path)) == 2


@pytest.mark.parametrize(
    ("by", "versions", "left"),
    [
        (AUTHOR, None, [DOMAIN["id"]]),
        ("hub", None, [DOMAIN["id"]]),
        (OTHER, None, [INDICATOR["id"], DOMAIN["id"]]),
        (AUTHOR, (INDICATOR["modified"],), [DOMAIN["id"]]),
        (AUTHOR, ("2020-01-01T00:00:00.000Z",), [INDICATOR["id"], DOMAIN["id"]]),
    ],
    ids=["author", "hub", "another", "version", "another-version"],
)
def test_a_notice_removes_what_its_signer_may_withdraw(
    tmp_path: Path, by: str, versions: tuple[str, ...] | None, left: list[str]
) -> None:
    bundle = {"id": "bundle--1", "objects": [dict(INDICATOR), dict(DOMAIN)], "type": "bundle"}
    (tmp_path / "from-the-start.json").write_text(json.dumps(bundle))
    notice = Retraction("retracted", (Target(INDICATOR["id"], versions),))
    assert remove(tmp_path, notice, by, hub="hub") == 2 - len(left)
    kept = json.loads((tmp_path / "from-the-start.json").read_text())
    assert [one["id"] for one in kept["objects"]] == left
