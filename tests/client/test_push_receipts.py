"""`cybex push` believes no hub: what its receipt does not prove is not done, and the evidence is kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.push import push as command
from hub.client import keyfile
from hub.client.hub_pin import HubKeys, read_hub_key
from hub.client.push import push
from hub.client.receipts import ReceiptBook, fetch
from hub.domain.canonical import jcs
from hub.errors import ConfigError, ReceiptError
from tests.client.conftest import Session
from tests.client.hub_server import HubServer
from tests.client.lying_hub import CHANGES, HUB, SUBMISSION, LyingHub
from tests.client.scripted_server import ScriptedServer
from tests.client.test_push import taking, vendors
from tests.domain.signing import DOMAIN, INDICATOR, NOW

OBJECTS = [vendors(1), vendors(2), vendors(3)]


@pytest.fixture
def lying(server: ScriptedServer) -> LyingHub:
    return LyingHub(server)


def book(session: Session, lying: LyingHub, tmp_path: Path, **changes: Any) -> ReceiptBook:
    given = changes.pop("given", frozenset())
    keys = HubKeys(session.transport, lying.api_root, tmp_path / "aa.hubs.json", given, session.said.append)
    return ReceiptBook(keys, tmp_path / "x.receipts", lambda: NOW, **changes)


def run(session: Session, lying: LyingHub, receipts: ReceiptBook, **changes: Any) -> Any:
    *_, pushed = push(session.transport, lying.api_root, "c", OBJECTS, receipts=receipts, **changes)
    return pushed


def test_a_true_receipt_is_kept_and_the_key_remembered(session: Session, lying: LyingHub, tmp_path: Path) -> None:
    receipts = book(session, lying, tmp_path)
    assert run(session, lying, receipts).done == 3
    kept = json.loads((tmp_path / "x.receipts" / f"{SUBMISSION}.json").read_text())
    assert [line["id"] for line in kept["objects"]] == [one["id"] for one in OBJECTS]
    (pin,) = json.loads((tmp_path / "aa.hubs.json").read_text()).values()
    assert pin == {"hub": HUB, "keys": {lying.key.public.kid: lying.key.public.text}}
    assert lying.key.public.kid in session.said[0]
    run(session, lying, book(session, lying, tmp_path))
    assert len(session.said) == 1  # taken on trust once


@pytest.mark.parametrize("name", CHANGES)
def test_a_hub_that_signs_what_is_not_so_is_caught(
    session: Session, lying: LyingHub, tmp_path: Path, name: str
) -> None:
    lying.change = CHANGES[name]
    with pytest.raises(ReceiptError, match=r"evidence is kept in .*\.bad\.json"):
        run(session, lying, book(session, lying, tmp_path))
    evidence = json.loads((tmp_path / "x.receipts" / f"{SUBMISSION}.bad.json").read_text())
    envelope = (tmp_path / "x.receipts" / f"{SUBMISSION}.envelope.json").read_bytes()
    assert evidence["sha256"] == hashlib.sha256(envelope).hexdigest()
    assert [one["sha256"] for one in evidence["objects"]] == [hashlib.sha256(jcs(one)).hexdigest() for one in OBJECTS]
    assert evidence["status"]["x_cybex_receipt"]["signatures"]
    assert not (tmp_path / "x.receipts" / f"{SUBMISSION}.json").exists()
    assert not (tmp_path / "aa.hubs.json").exists()


def test_a_forged_receipt_is_caught(session: Session, lying: LyingHub, tmp_path: Path) -> None:
    lying.tamper = lambda status: status["x_cybex_receipt"].update(received_at="2026-01-10T00:00:00.000000Z")
    with pytest.raises(ReceiptError, match="not signed by the hub"):
        run(session, lying, book(session, lying, tmp_path))


def test_nothing_more_is_sent_to_a_hub_that_lies(session: Session, lying: LyingHub, tmp_path: Path) -> None:
    lying.change = CHANGES["of_other_octets"]
    with pytest.raises(ReceiptError):
        run(session, lying, book(session, lying, tmp_path), batch=1)
    assert sum(asked.method == "POST" for asked in lying.server.asked) == 1


def test_a_key_that_changes_is_not_believed_until_somebody_vouches_for_it(
    session: Session, lying: LyingHub, tmp_path: Path
) -> None:
    run(session, lying, book(session, lying, tmp_path))
    lying.key = keyfile.generate()
    (tmp_path / "x.receipts" / f"{SUBMISSION}.json").unlink()
    with pytest.raises(ReceiptError, match="ANOTHER KEY"):
        run(session, lying, book(session, lying, tmp_path))
    run(session, lying, book(session, lying, tmp_path, given=frozenset([lying.key.public.kid])))
    (pin,) = json.loads((tmp_path / "aa.hubs.json").read_text()).values()
    assert len(pin["keys"]) == 2
    (tmp_path / "x.receipts" / f"{SUBMISSION}.json").unlink()
    run(session, lying, book(session, lying, tmp_path))


def test_a_first_key_that_is_not_the_one_given_is_not_believed(
    session: Session, lying: LyingHub, tmp_path: Path
) -> None:
    with pytest.raises(ReceiptError, match="ANOTHER KEY"):
        run(session, lying, book(session, lying, tmp_path, given=frozenset([keyfile.generate().public.kid])))
    assert not (tmp_path / "aa.hubs.json").exists()


def test_a_hub_that_stops_giving_receipts_is_caught(session: Session, lying: LyingHub, tmp_path: Path) -> None:
    run(session, lying, book(session, lying, tmp_path))
    lying.tamper = lambda status: status.pop("x_cybex_receipt") and None
    with pytest.raises(ReceiptError, match="as it did before"):
        run(session, lying, book(session, lying, tmp_path))


def test_another_receipt_for_the_same_submission_is_caught(session: Session, lying: LyingHub, tmp_path: Path) -> None:
    run(session, lying, book(session, lying, tmp_path))
    lying.change = lambda receipt: type(receipt)(
        **{name: getattr(receipt, name) for name in receipt.__slots__} | {"received_at": NOW - 1}
    )
    with pytest.raises(ReceiptError, match="another receipt"):
        run(session, lying, book(session, lying, tmp_path))


def test_a_server_that_never_gives_any_is_named_and_goes_on(
    session: Session, server: ScriptedServer, tmp_path: Path
) -> None:
    taking(server)
    keys = HubKeys(session.transport, server.url, tmp_path / "aa.hubs.json")
    receipts = ReceiptBook(keys, tmp_path / "x.receipts", lambda: NOW)
    *_, pushed = push(session.transport, server.url, "c", OBJECTS, receipts=receipts)
    assert (pushed.done, receipts.without, receipts.kept) == (3, 1, [])
    required = ReceiptBook(keys, tmp_path / "x.receipts", lambda: NOW, require=True)
    with pytest.raises(ReceiptError, match="gives none"):
        list(push(session.transport, server.url, "c", OBJECTS, receipts=required))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"x": 1}', b'{"x": {"hub": "y", "keys": []}}', b"\xff"])
def test_a_damaged_memory_is_no_empty_one(session: Session, lying: LyingHub, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "aa.hubs.json").write_bytes(content)
    with pytest.raises(ConfigError, match="damaged"):
        book(session, lying, tmp_path)


def test_fetched_receipts_are_checked_as_well(session: Session, lying: LyingHub, tmp_path: Path) -> None:
    keys = book(session, lying, tmp_path).keys
    assert fetch(keys, SUBMISSION, now=NOW).first.receipt.submission == SUBMISSION
    lying.change = CHANGES["of_another_submission"]
    with pytest.raises(ReceiptError):
        fetch(keys, SUBMISSION, now=NOW)
    with pytest.raises(ConfigError):
        fetch(keys, "../whoami", now=NOW)


def test_a_hub_key_is_a_kid_or_a_file(tmp_path: Path) -> None:
    key = keyfile.generate()
    assert read_hub_key(key.public.kid.upper()) == key.public.kid
    path = keyfile.write_public(tmp_path / "hub.pem", key)
    assert read_hub_key(str(path)) == key.public.kid
    (tmp_path / "hub.pub").write_text(
        f"-----BEGIN PUBLIC KEY-----\n{key.public.text}\n-----END PUBLIC KEY-----\n", encoding="ascii"
    )
    assert read_hub_key(str(tmp_path / "hub.pub")) == key.public.kid
    (tmp_path / "bad").write_text("nothing")
    for text in (str(tmp_path / "bad"), str(tmp_path / "missing")):
        with pytest.raises(ConfigError):
            read_hub_key(text)


# The command itself, against a real hub.


def cybex_push(running: HubServer, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["--url", running.api_root, "--token-file", "aa.token", *arguments])


@pytest.fixture
def place(running: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    running.token_file("aa", tmp_path)
    running.key_file("aa", tmp_path)
    own = {**INDICATOR, "created_by_ref": running.identity["aa"]}
    (tmp_path / "incident.json").write_text(json.dumps({"type": "bundle", "objects": [own, DOMAIN]}))
    return tmp_path


def test_a_push_keeps_its_receipts_and_a_repeat_gets_the_same(running: HubServer, place: Path) -> None:
    pushed = cybex_push(running, "--key", "aa.pem", "incident.json")
    assert pushed.exit_code == 0, pushed.output
    assert "incident.json: 1 receipts hold and are kept in incident.json.receipts" in pushed.stderr
    (path,) = (place / "incident.json.receipts").iterdir()
    before = path.read_bytes()
    again = cybex_push(running, "--key", "aa.pem", "--json", "--require-receipt", "incident.json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["receipts"] == [str(path.relative_to(place))]
    assert path.read_bytes() == before
    assert (place / "aa.hubs.json").exists()


def test_without_a_signing_key_the_hubs_key_is_remembered_beside_the_receipts(running: HubServer, place: Path) -> None:
    cybex_push(running, "incident.json")
    assert (place / "incident.json.receipts" / "hubs.json").exists()
