"""Two hubs with data directories of their own, and a stick: every command that docs/airgap.md tells an operator."""

from __future__ import annotations

import json
import re
import shlex
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema_rs
import pytest
from click.testing import Result

from hub import config
from hub.bootstrap import open_hub
from hub.cli.pack import pack, pack_key, packs
from hub.cli.unpack import unpack
from hub.client import keyfile
from hub.domain.bundle_signing import sign_objects
from hub.domain.membership import Caller, CredentialKind, PeerKind, Right, Role
from hub.domain.pack_file import read_head
from hub.domain.taxii_time import format_timestamp
from hub.domain.tlp import IDS
from hub.services import access, credentials, groups, ingest, keys, members, peers
from hub.services.actor import LOCAL_OPERATOR as OPERATOR
from hub.services.context import Hub
from hub.store import peers as peer_store
from tests.cli.operation import run, succeed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/airgap.md").read_text(encoding="utf-8")


@dataclass
class Land:
    """Two hubs that agree, the stick between them, and what `cybex` prints at each."""

    folder: Path
    stick: Path
    author: str = ""
    names: dict[str, str] = field(default_factory=dict)

    def data(self, name: str) -> Path:
        return self.folder / name

    def hub(self, name: str) -> Hub:
        return open_hub(config.load(self.data(name), env={}))

    def at(self, name: str, *arguments: str | Path) -> str:
        """Run a command that must succeed on the machine of one hub."""
        return succeed(*arguments, "--data", self.data(name))

    def fails(self, name: str, *arguments: str | Path) -> str:
        """Run a command that must fail; return the reason."""
        result: Result = run(*arguments, "--data", self.data(name))
        assert result.exit_code != 0
        return str(getattr(result.exception, "detail", result.output))

    def share(self, count: int) -> None:
        """Have AA post this many indicators at hub A."""
        hub = self.hub("A")
        with hub.db.read() as tx:
            peer = peer_store.by_handle(tx, "aa")
        assert peer is not None
        stamp = format_timestamp(hub.clock())[:23] + "Z"
        made, _ = sign_objects(
            [
                {
                    "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}",
                    "created_by_ref": peer.identity, "created": stamp, "modified": stamp, "name": f"Address {number}",
                    "pattern": f"[ipv4-addr:value = '198.51.100.{number}']", "pattern_type": "stix",
                    "valid_from": stamp, "object_marking_refs": [IDS["green"]],
                }
                for number in range(count)
            ],
            keyfile.read(self.folder / "aa.pem"), identity=peer.identity, created=stamp,
            new_uuid=lambda: str(uuid.uuid4()),
        )  # fmt: skip
        with hub.db.read() as tx:
            opened = access.collection(tx, Caller(peer, 0, Role.ANALYST), "alpha", "indicators")
        issued = credentials.add(hub, OPERATOR, "aa", kind=CredentialKind.BEARER, role=Role.ANALYST, label="test")
        caller = Caller(peer, issued.credential.id, Role.ANALYST)
        status = ingest.submit(hub, caller, opened, json.dumps({"objects": made}).encode())
        assert not status.failures, status.failures
        hub.db.close()


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Land:
    """Hub A with AA in alpha and hub B with regional, connected as docs/relay.md says."""
    folder = tmp_path_factory.mktemp("land")
    stick = folder / "stick"
    stick.mkdir()
    made = Land(folder, stick)
    for name, slug in (("A", "alpha"), ("B", "regional")):
        made.at(name, "init", "--name", f"Hub {name}")
        hub = made.hub(name)
        groups.add(hub, OPERATOR, slug=slug, title=slug.title())
        if name == "A":
            peers.add(hub, OPERATOR, handle="aa", name="CIRT AA", kind=PeerKind.NATIONAL)
            key = keyfile.generate()
            keyfile.write(folder / "aa.pem", key)
            keys.enrol(hub, OPERATOR, "aa", public_key=key.public.text)
            members.put(hub, OPERATOR, slug, "aa", {Right.READ, Right.WRITE})
        hub.db.close()
    for here, there, handle, slug in (("A", "B", "hub-b", "alpha"), ("B", "A", "hub-a", "regional")):
        card = folder / f"{there}.card.json"
        card.write_text(made.at(there, "hub-card"))
        kid = made.hub(there).signing_key.public.kid
        made.at(here, "hub-card", "adopt", card, "--handle", handle, "--fingerprint", kid)
        made.at(here, "member", "add", slug, handle, "--rights", "read,write")
    offer, agreed = folder / "offer.json", folder / "agreed.json"
    offer.write_text(made.at("A", "agreement", "offer", "hub-b", "--map", "alpha=regional", "--tlp", "green"))
    agreed.write_text(made.at("B", "agreement", "accept", offer))
    made.at("A", "agreement", "accept", agreed)
    return made


def steps() -> list[tuple[str, list[str], str | None]]:
    """Return the commands of the page's steps: at which hub, in words, and into which file."""
    section = PAGE.partition("## With a stick")[2].partition("\n## ")[0]
    found = []
    for name, line in re.findall(r"^ {8}([AB]): cybex (.+)$", section, re.MULTILINE):
        command, _, target = line.partition(" > ")
        found.append((name, shlex.split(command), target or None))
    return found


def test_the_steps_of_the_page_carry_everything(land: Land) -> None:
    land.share(30)
    (land.folder / "passphrase").write_text("correct horse battery staple\n")
    assert len(steps()) == 6
    for name, words, target in steps():
        there = [word.replace("/media/stick", str(land.stick)) for word in words]
        printed = land.at(name, *there)
        if target is not None:
            Path(target.replace("/media/stick", str(land.stick))).write_text(printed)
    hub = land.hub("B")
    with hub.db.read() as tx:
        assert peer_store.by_handle(tx, "aa-at-hub-a") is not None
    assert json.loads(land.at("A", "pack", "hub-b", "--to", land.stick, "--json")) == []
    listed = {one: json.loads(land.at(one, "packs", "--json")) for one in "AB"}
    assert [(one["direction"], one["number"], bool(one["receipt"])) for one in listed["A"]] == [("out", 1, True)]
    assert [(one["direction"], one["number"], bool(one["receipt"])) for one in listed["B"]] == [("in", 1, True)]
    assert json.loads(land.at("A", "packs", "hub-b", "--json")) == listed["A"]


def test_files_are_what_their_schemas_say(land: Land, tmp_path: Path) -> None:
    land.share(2)
    (written,) = json.loads(land.at("A", "pack", "hub-b", "--to", tmp_path, "--json"))
    land.at("B", "unpack", written["file"])
    land.at("A", "unpack", f"{written['file']}.receipt")
    recipient = json.loads(land.at("B", "pack-key"))
    for name, path in (("pack", written["file"]), ("pack-receipt", f"{written['file']}.receipt")):
        schema = jsonschema_rs.validator_for(json.loads((ROOT / f"schemas/hub/{name}.schema.json").read_text()))
        with Path(path).open("rb") as file:
            schema.validate(read_head(file))
    schema = json.loads((ROOT / "schemas/hub/pack-recipient.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(recipient)


def test_a_passphrase_seals_the_pack_and_its_receipt(land: Land, tmp_path: Path) -> None:
    land.share(2)
    secret, short = tmp_path / "passphrase", tmp_path / "short"
    secret.write_text("correct horse battery staple\n")
    short.write_text("password\n")
    assert "16 characters" in land.fails("A", "pack", "hub-b", "--to", tmp_path, "--passphrase-file", short)
    arguments = ("--passphrase-file", secret)
    (written,) = json.loads(land.at("A", "pack", "hub-b", "--to", tmp_path, *arguments, "--json"))
    assert "--passphrase-file" in land.fails("B", "unpack", written["file"])
    checked = json.loads(land.at("B", "unpack", written["file"], *arguments, "--check", "--json"))
    assert (checked["kind"], checked["objects"]) == ("pack", 2)
    taken = json.loads(land.at("B", "unpack", written["file"], *arguments, "--json"))
    assert (taken["accepted"], taken["again"]) == (2, False)
    assert Path(taken["receipt"]).read_bytes().startswith(b"x-cybex-sealed 1\n")
    assert json.loads(land.at("B", "unpack", written["file"], *arguments, "--json"))["again"]
    assert json.loads(land.at("A", "unpack", taken["receipt"], *arguments, "--json"))["objects"] == 2


def test_a_damaged_file_says_what_is_whole_and_what_to_do(land: Land, tmp_path: Path) -> None:
    land.share(2)
    (written,) = json.loads(land.at("A", "pack", "hub-b", "--to", tmp_path, "--json"))
    path = Path(written["file"])
    path.write_bytes(path.read_bytes()[:-1])
    assert "0 of its 1 parts are whole: copy the file again" in land.fails("B", "unpack", path)
    assert "is no pack" in land.fails("B", "unpack", land.folder / "aa.pem")
    assert "no such hub" in land.fails("A", "pack", "nobody", "--to", tmp_path)
    assert "cannot be read" in land.fails("B", "unpack", tmp_path / "not-there")


def test_the_page_names_only_options_that_exist() -> None:

    known = {option for command in (pack, pack_key, packs, unpack) for param in command.params for option in param.opts}
    assert set(re.findall(r"`(?:cybex [a-z-]+ )?(--[a-z]+(?:-[a-z]+)*)", PAGE)) <= known
