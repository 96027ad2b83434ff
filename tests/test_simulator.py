"""Every lie of the simulator is found out by the party, and with the command, that docs/trust.md says."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result

from hub.client import keyfile
from hub.client.tlog import LogMisbehaved, LogRewound, SplitView, UnknownLogKey
from hub.client.transport import RemoteError
from hub.client.witness import Witness
from hub.domain.releasability import EXTENSION_ID
from hub.domain.taxii_time import format_timestamp
from hub.errors import ReceiptError
from hub.services import checkpoints, groups, keys, witnesses
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.store.database import Database
from tests.cli.operation import run
from tests.client.hub_server import EVER, HubServer, hub_server
from tests.services.cast import HUB_KEY
from tests.simulator import LIES, Simulator


@dataclass
class World:
    """A hub that can lie, and its peers' files."""

    server: HubServer
    simulator: Simulator
    home: Path
    number: int = 0

    def stamp(self, seconds: float = 0) -> str:
        return format_timestamp(self.server.hub.clock() + round(seconds * 1_000_000))[:23] + "Z"

    def key(self, handle: str) -> Path:
        path = self.home / f"{handle}.pem"
        return path if path.exists() else self.server.key_file(handle, self.home)

    def incident(self, name: str = "Phishing wave", **more: Any) -> dict[str, Any]:
        now = self.stamp()
        made = {"type": "incident", "spec_version": "2.1", "id": f"incident--{uuid.uuid4()}", "name": name}
        return {**made, "created_by_ref": self.server.identity["aa"], "created": now, "modified": now, **more}

    def peer(self, command: str, handle: str, *arguments: str | Path) -> Result:
        token = self.server.token_file(handle, self.home)
        return run(command, "--url", self.server.api_root, "--token-file", token, *arguments)

    def push(self, *objects: dict[str, Any]) -> Result:
        """Push as AA, from a new file."""
        self.number += 1
        file = self.home / f"{self.number}.json"
        file.write_text(json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": list(objects)}))
        return self.peer("push", "aa", "--key", self.key("aa"), file, "--json")

    def share(self, *objects: dict[str, Any]) -> dict[str, Any]:
        """Push as AA to an honest hub, and return what `cybex push` prints."""
        result = self.push(*objects)
        assert result.exit_code == 0, (result.output, result.exception)
        printed: dict[str, Any] = json.loads(result.stdout)
        assert printed["successes"]
        return printed

    def pull(self, *arguments: str | Path) -> Result:
        """Pull as BB, into one directory."""
        return self.peer("pull", "bb", "--out", self.home / "inbox", *arguments)

    def withdraw(self, stix_id: str) -> None:
        """Delete an object as AA (TAXII 2.1 §5.7)."""
        headers = {
            "Authorization": f"Bearer {self.server.tokens['aa']}",
            "Accept": "application/taxii+json;version=2.1",
        }
        url = f"{self.server.api_root}collections/incidents/objects/{stix_id}/"
        assert requests.delete(url, headers=headers, timeout=10).status_code == 200

    def witness(self) -> Result:
        key, state = self.home / "witness.pem", self.home / "witness.state"
        if not key.exists():
            pair = keyfile.generate()
            keyfile.write(key, pair)
            public = Witness("witness.example/w", pair).verifier_key.text
            witnesses.put(self.server.hub, OPERATOR, "witness", public)
        log = f"{self.server.base_url}tlog/"
        return run("witness", "--url", log, "--name", "witness.example/w", "--key", key, "--state", state)

    def audit(self) -> tuple[int, str | None]:
        """Audit as the operator, or as whoever has a copy of the database; return the first place that is wrong."""
        result = run("audit", "--json")
        first = json.loads(result.stdout)["first"]
        return result.exit_code, None if first is None else first["place"]

    def at(self, seconds: int, act: Callable[[], object]) -> None:
        """Let the hub's clock be so far ahead meanwhile."""
        true = self.server.hub.clock
        object.__setattr__(self.server.hub, "clock", lambda: true() + seconds * 1_000_000)
        try:
            act()
        finally:
            object.__setattr__(self.server.hub, "clock", true)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A hub behind the simulator, with no lie switched on."""
    database = Database.open(sqlite_url)
    made: list[Simulator] = []

    def served(app: Any, hub: Any) -> Simulator:
        made.append(Simulator(app, hub))
        return made[0]

    with hub_server(database, served) as server:
        keys.enrol(server.hub, OPERATOR, "hub", public_key=HUB_KEY.public.text, valid_from=EVER)
        for module in ("hub.cli.audit", "hub.bootstrap"):
            monkeypatch.setattr(f"{module}.open_hub_at", lambda data: server.hub)
        yield World(server, made[0], tmp_path)
    database.close()


def test_a_hub_that_does_not_lie_is_believed_by_everybody(world: World) -> None:
    first = world.incident()
    printed = world.share(first)
    checkpoints.make(world.server.hub)
    assert world.pull().exit_code == 0
    assert world.witness().exit_code == 0
    assert world.peer("receipt", "aa", printed["statuses"][0], "--check-log").exit_code == 0
    world.share({**first, "modified": world.stamp(1)})
    checkpoints.make(world.server.hub)
    assert world.pull().exit_code == 0
    assert world.witness().exit_code == 0
    assert world.audit() == (0, None)


def test_receipts_forged(world: World) -> None:
    world.share(world.incident())
    world.simulator.lies = {"receipts_forged"}
    result = world.push(world.incident())
    assert isinstance(result.exception, ReceiptError)
    assert "evidence is kept" in str(result.exception)


def test_denies_logging(world: World) -> None:
    printed = world.share(world.incident())
    checkpoints.make(world.server.hub)
    world.simulator.lies = {"denies_logging"}
    result = world.peer("receipt", "aa", printed["statuses"][0], "--check-log")
    assert "says something else than the receipt" in str(result.exception)


def test_withholds_retraction(world: World) -> None:
    """BB is never told, so BB never confirms; what BB has not signed the hub cannot show."""
    incident = world.incident()
    world.share(incident)
    assert world.pull().exit_code == 0
    stored = world.peer("acknowledge", "bb", incident["id"], "--key", world.key("bb"), "--outcome", "stored")
    assert stored.exit_code == 0, (stored.output, stored.exception)
    world.simulator.lies = {"withholds_retraction"}
    world.withdraw(incident["id"])
    assert world.pull().exit_code == 0
    assert not list((world.home / "inbox").glob("after*.json"))  # no notice came
    told = json.loads(run("acknowledgements", incident["id"], "--json").stdout)
    assert "stored" in json.dumps(told)
    assert "removed" not in json.dumps(told)


def _fails_as_evidence(world: World, lie: str) -> None:
    world.share(world.incident())
    world.simulator.lies = {lie}
    result = world.pull("--require-signatures")
    assert result.exit_code == 1
    assert list((world.home / "inbox").glob("*.failed.json"))
    assert "failed incident--" in result.stdout


def test_alters_object(world: World) -> None:
    _fails_as_evidence(world, "alters_object")


def test_strips_signature(world: World) -> None:
    _fails_as_evidence(world, "strips_signature")


def test_replays_old_version(world: World) -> None:
    first = world.incident("first")
    world.share(first)
    assert world.pull().exit_code == 0
    old = dict(world.simulator.remembered)
    world.share({**first, "name": "second", "modified": world.stamp(1)})
    assert world.pull().exit_code == 0
    world.simulator.remembered = old
    world.simulator.lies = {"replays_old_version"}
    result = world.pull()
    assert result.exit_code == 1
    assert "a later version came before" in result.stdout


def test_dates_pages_back(world: World) -> None:
    world.share(world.incident())
    assert world.pull().exit_code == 0
    world.share(world.incident())
    world.simulator.lies = {"dates_pages_back"}
    result = world.pull()
    assert isinstance(result.exception, RemoteError)
    assert "dated them back" in str(result.exception)


def test_key_swapped(world: World) -> None:
    world.share(world.incident())
    assert world.pull().exit_code == 0
    world.share(world.incident())
    world.simulator.lies = {"key_swapped"}
    assert world.pull().exit_code != 0


def _cried_out(world: World, lie: str, error: type[LogMisbehaved]) -> None:
    world.share(world.incident())
    checkpoints.make(world.server.hub)
    assert world.witness().exit_code == 0
    early = dict(world.simulator.remembered)
    world.share(world.incident())
    checkpoints.make(world.server.hub)
    assert world.witness().exit_code == 0
    world.simulator.remembered = early
    world.simulator.lies = {lie}
    result = world.witness()
    assert result.exit_code == 3
    assert error.title in result.output
    assert list(world.home.glob("witness.state.evidence-*"))


def test_log_rewound(world: World) -> None:
    _cried_out(world, "log_rewound", LogRewound)


def test_splits_view(world: World) -> None:
    _cried_out(world, "splits_view", SplitView)


def test_log_key_swapped(world: World) -> None:
    _cried_out(world, "log_key_swapped", UnknownLogKey)


def _audited(world: World, lie: Callable[[], object], place: str) -> None:
    assert world.audit() == (0, None)
    lie()
    assert world.audit() == (1, place)


def test_backdates(world: World) -> None:
    """What is dated an hour ago stands in the log after what is dated now."""
    world.at(3_600, lambda: groups.update(world.server.hub, OPERATOR, "alpha", title="Alpha group"))
    _audited(world, lambda: world.share(world.incident()), "log_leaf.at")


def test_drops_object(world: World) -> None:
    incident = world.incident()
    world.share(incident)
    _audited(world, lambda: world.simulator.drops_object(incident["id"]), "entry")


def test_alters_marking(world: World) -> None:
    terms = {"extension_type": "property-extension", "recipient_refs": [world.server.identity["aa"]]}
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uuid.uuid4()}",
        "created": world.stamp(),
        "created_by_ref": world.server.identity["aa"],
        "extensions": {EXTENSION_ID: {**terms, "onward_relay": False}},
    }
    incident = world.incident(object_marking_refs=[marking["id"]])
    world.share(marking, incident)
    _audited(world, lambda: world.simulator.alters_marking(incident["id"]), "entry.audience_id")


def test_invents_member(world: World) -> None:
    _audited(world, lambda: world.simulator.invents_member("cc"), "member")


def test_rewrites_receipt(world: World) -> None:
    world.share(world.incident())
    _audited(world, world.simulator.rewrites_receipt, "submission.receipt")


def test_every_lie_has_its_test_and_every_switch_its_lie() -> None:
    assert all(callable(globals()[lie.test]) for lie in LIES.values())
    assert all(hasattr(Simulator, name) or hasattr(Simulator, f"_{name}") for name in LIES if name != "backdates")
