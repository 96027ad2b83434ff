"""`cybex log` and `cybex witness`: what they print, what they refuse, and how they end when a log is caught."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.client import keyfile
from hub.domain import signed_note
from hub.errors import Conflict, InvalidRequest, NotFound
from hub.services import checkpoints, log_reading, witnesses
from hub.services.actor import LOCAL_OPERATOR
from hub.store.database import Database
from hub.web.api.log import leaf as leaf_resource
from tests.cli.operation import run, succeed
from tests.client.hub_server import HubServer, hub_server
from tests.services.log_world import write_leaves


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A hub that was just made, its log signed."""
    succeed("init", "--data", tmp_path / "hub")
    succeed("log", "checkpoint", "--data", tmp_path / "hub")
    return tmp_path / "hub"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The key of a witness."""
    keyfile.write(tmp_path / "witness.pem", keyfile.generate())
    return tmp_path / "witness.pem"


@pytest.fixture
def running(sqlite_url: str) -> Iterator[HubServer]:
    """A hub that answers."""
    database = Database.open(sqlite_url)
    with hub_server(database) as served:
        checkpoints.make(served.hub)
        yield served
    database.close()


def test_the_state_ends_in_a_note_that_its_key_verifies(data: Path) -> None:
    state = json.loads(succeed("log", "state", "--json", "--data", data))
    note = signed_note.parse(state["checkpoint"]["note"].encode())
    signed_note.verified(note, [signed_note.parse_key(state["verifier_key"])])
    assert state["checkpoint"]["size"] == state["size"]
    assert succeed("log", "state", "--data", data).endswith(state["checkpoint"]["note"])
    assert succeed("log", "checkpoint", "--data", data) == state["checkpoint"]["note"]


def test_a_leaf_is_shown_with_its_proof(data: Path) -> None:
    leaf = json.loads(succeed("log", "leaf", "0", "--json", "--data", data))
    assert json.loads(leaf["payload"])["event"] == leaf["event"] == "peer.add"
    proof = json.loads(succeed("log", "prove", "0", "--json", "--data", data))
    assert proof["proof"]
    assert "root" in succeed("log", "consistency", "1", "2", "--data", data)
    assert isinstance(run("log", "leaf", "999", "--data", data).exception, NotFound)
    assert isinstance(run("log", "prove", "999", "--data", data).exception, InvalidRequest)


def test_witnesses_are_added_listed_and_removed(data: Path, key: Path) -> None:
    public = succeed("witness", "--show-key", "--name", "cirt.example/w", "--key", key).strip()
    succeed("log", "witness", "add", "cirt", public, "--data", data)
    (row,) = json.loads(succeed("log", "witness", "list", "--json", "--data", data))
    assert (row["name"], row["verifier_key"], row["cosigned_size"]) == ("cirt", public, None)
    succeed("log", "witness", "remove", "cirt", "--data", data)
    assert json.loads(succeed("log", "witness", "list", "--json", "--data", data)) == []
    assert isinstance(run("log", "witness", "remove", "cirt", "--data", data).exception, NotFound)
    other = signed_note.verifier_key("x", keyfile.generate().public, signed_note.COSIGNATURE).text
    assert isinstance(run("log", "witness", "add", "cirt", other, "--data", data).exception, Conflict)


def test_a_log_is_watched_verified_and_caught(running: HubServer, key: Path, tmp_path: Path) -> None:
    where = ("--url", f"{running.base_url}tlog/", "--state", tmp_path / "hub.log")
    watch = ("witness", "--name", "cirt.example/w", "--key", key, *where)
    refused = run(*watch)
    assert "cybex log witness add" in str(refused.exception)
    public = succeed("witness", "--show-key", "--name", "cirt.example/w", "--key", key).strip()
    witnesses.put(running.hub, LOCAL_OPERATOR, "cirt", public)
    checkpoints.make(running.hub)
    assert "cosigned" in succeed(*watch, "--once")
    (row,) = witnesses.listed(running.hub, LOCAL_OPERATOR)
    assert row.size is not None

    opened = leaf_resource(log_reading.opened(running.hub, LOCAL_OPERATOR, 0))
    (tmp_path / "leaf.json").write_text(json.dumps(opened))
    assert "holds this" in succeed("log", "verify", *where, "--leaf", tmp_path / "leaf.json")
    (tmp_path / "leaf.json").write_text(json.dumps(opened | {"payload": '{"event":"another"}'}))
    caught = run("log", "verify", *where, "--leaf", tmp_path / "leaf.json")
    assert (caught.exit_code, "ALARM" in caught.stderr) == (3, True)

    with running.hub.db.write() as tx:  # the hub takes back what it said
        tx.execute(text("UPDATE log_leaf SET payload = salt WHERE idx = 1"))
        tx.execute(text("DELETE FROM log_tile"))
        tx.execute(text("DELETE FROM cosignature"))
        tx.execute(text("DELETE FROM log_checkpoint"))
    write_leaves(running.hub, 3)
    checkpoints.make(running.hub)
    for command in (watch, ("log", "verify", *where)):
        caught = run(*command)
        assert caught.exit_code == 3
        assert "ALARM: The log shows different things to different people" in caught.stderr
    assert len(list(tmp_path.glob("hub.log.evidence-*"))) == 2
    assert witnesses.listed(running.hub, LOCAL_OPERATOR)[0].size is None, "nothing was cosigned"


@pytest.mark.parametrize("without", ["--url", "--state"])
def test_what_is_missing_is_named(key: Path, without: str) -> None:
    given = {"--url": "https://hub.example/tlog/", "--state": "hub.log"}
    given.pop(without)
    options = [part for pair in given.items() for part in pair]
    result = run("witness", "--name", "w", "--key", key, *options)
    assert isinstance(result.exception, InvalidRequest)
    assert result.exception.field == without.removeprefix("--")


def test_once_and_every_contradict_each_other(key: Path) -> None:
    result = run("witness", "--name", "w", "--key", key, "--once", "--every", "5")
    assert isinstance(result.exception, InvalidRequest)
