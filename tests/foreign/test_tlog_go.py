"""Go's sumdb libraries read what a hub serves under /tlog/: notes, cosignatures, tiles, entries and proofs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from hub.client import keyfile
from hub.domain import checkpoint, signed_note, tiles
from hub.domain.signed_note import COSIGNATURE, Note
from hub.domain.tiles import Tile
from hub.services import checkpoints, log_reading, witnesses
from hub.services.actor import LOCAL_OPERATOR
from hub.services.context import Hub
from hub.web.api.log import encoded
from hub.web.app import create_app
from tests.domain.tlog_vectors import DIRECTORY
from tests.foreign.conftest import GO_PACKAGES
from tests.services.conftest import cast as cast
from tests.services.conftest import hub, postgresql_cast, postgresql_copy, sqlite_cast, sqlite_copy
from tests.services.log_world import write_leaves

__all__ = ["cast", "hub", "postgresql_cast", "postgresql_copy", "sqlite_cast", "sqlite_copy"]

KEY = keyfile.generate()


@pytest.fixture(scope="session")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled verifier."""
    program = tmp_path_factory.mktemp("go") / "tlog"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GO_PACKAGES), "GOFLAGS": ""}
    command = ["go", "build", "-o", program, "."]
    subprocess.run(command, cwd=Path(__file__).parent / "tlog", env=environment, check=True, timeout=240)
    return program


def save(client: FlaskClient, path: str, directory: Path, name: str | None = None) -> bytes:
    answer = client.get(f"/tlog/{path}")
    assert answer.status_code == 200
    target = directory / (name or path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(answer.data)
    return answer.data


@pytest.fixture
def served(hub: Hub, tmp_path: Path) -> Path:
    """Everything a hub serves of its log, with a cosignature, as files; and the proofs of its API."""
    client = create_app(hub).test_client()
    witness = signed_note.verifier_key("cirt.example/witness", KEY.public, COSIGNATURE)
    witnesses.put(hub, LOCAL_OPERATOR, "cirt", witness.text)
    write_leaves(hub, 250)
    checkpoints.make(hub)
    old = checkpoint.parse(signed_note.parse(save(client, "checkpoint", tmp_path, "old-checkpoint")).text).size
    write_leaves(hub, 700)
    made = checkpoints.make(hub)
    assert made is not None
    line = signed_note.cosigned(made.text, witness.name, KEY, hub.clock() // 1_000_000)
    witnesses.cosign(hub, Note(made.text, (line,)).octets)
    (tmp_path / "witness-key").write_text(witness.text)
    save(client, "key", tmp_path)
    save(client, "checkpoint", tmp_path)
    for level in range(2):
        for index in range(8):
            width = tiles.width_of(level, index, made.size)
            for name in (level, None) if level == 0 else (level,):
                if width:
                    save(client, f"tile/{Tile(name, index, width).path}", tmp_path)
    proofs = {
        "inclusion": [
            {"index": index, "size": made.size, "proof": hashes(log_reading.inclusion(hub, index).hashes)}
            for index in (0, 1, 255, 256, 511, made.size - 1)
        ],
        "consistency": [
            {"old": size, "new": made.size, "proof": hashes(log_reading.consistency(hub, size).hashes)}
            for size in (1, old, 256, 512, made.size - 1)
        ],
    }
    (tmp_path / "proofs.json").write_text(json.dumps(proofs))
    return tmp_path


def hashes(proof: list[bytes]) -> list[str]:
    return [encoded(each) for each in proof]


def verify(program: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, "verify", directory], capture_output=True, text=True, timeout=60)


def test_go_verifies_every_leaf_and_every_proof_of_a_hub(go_program: Path, served: Path) -> None:
    done = verify(go_program, served)
    assert done.returncode == 0, done.stderr
    assert "11 proofs" in done.stdout


@pytest.mark.parametrize(
    "file", ["checkpoint", "old-checkpoint", "witness-key", "tile/0/000", "tile/entries/001", "proofs.json"]
)
def test_go_refuses_it_after_one_changed_octet(go_program: Path, served: Path, file: str) -> None:
    content = bytearray((served / file).read_bytes())
    at = content.index(b'proof": ["') + 12 if file == "proofs.json" else len(content) - 20
    content[at] = ord("A") if content[at] != ord("A") else ord("B")
    (served / file).write_bytes(content)
    assert verify(go_program, served).returncode == 1


def test_the_recorded_answers_are_what_go_makes(go_program: Path) -> None:
    made = subprocess.run([go_program, "make"], capture_output=True, timeout=60, check=True).stdout
    assert made == (DIRECTORY / "go.json").read_bytes()
