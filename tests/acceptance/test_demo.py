"""`cybex demo` as a process: the world of demo.json, its story, its logins, and nothing left when it stops.

One demonstration serves all tests of this module, in the order in which they stand.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from hub.client import keyfile
from hub.domain.taxii_time import format_timestamp
from tests.acceptance.processes import BIN, START_SECONDS, STOP_SECONDS, clean_environment, free_port

TAXII = "application/taxii+json;version=2.1"


@dataclass
class Demo:
    """A demonstration that has said it is ready."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def world(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "demo.json").read_text())
        return found

    @property
    def said(self) -> str:
        return self.output.read_text()


def start(data: Path, port: int, output: Path, *arguments: str) -> Demo:
    """Start a demonstration and return once `demo.json` says it is ready."""
    with output.open("wb") as file:
        process = subprocess.Popen(
            [BIN / "cybex", "demo", "--data", data, "--port", str(port), *arguments],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    made = Demo(data, port, process, output)
    deadline = time.monotonic() + START_SECONDS
    while not ((data / "demo.json").exists() and made.world["ready"]):
        if process.poll() is not None or time.monotonic() > deadline:
            kill(made)
            raise AssertionError(f"the demonstration did not start ({process.returncode}):\n{made.said}")
        time.sleep(0.05)
    return made


def kill(demo: Demo) -> None:
    """End a demonstration and everything it has started, if anything of it is left."""
    try:
        os.killpg(demo.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        demo.process.wait()


def stop(demo: Demo) -> int:
    """Ask a demonstration to stop as `kill` does, and return its exit code."""
    demo.process.send_signal(signal.SIGTERM)
    return demo.process.wait(STOP_SECONDS)


def group_is_gone(process_group: int) -> bool:
    """Say whether all processes that were started with this one end; its helper ends when it sees that it is alone."""
    deadline = time.monotonic() + STOP_SECONDS
    while _alive(process_group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _alive(process_group: int) -> bool:
    """Say whether a process of the group runs; one that has ended and waits for init to notice does not."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(group) == process_group and state != "Z":
            return True
    return False


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    base = tmp_path_factory.mktemp("demo")
    made = start(base / "data", free_port(), base / "output.txt")
    yield made
    kill(made)


@pytest.fixture(scope="module")
def bundle(demo: Demo) -> Path:
    """A bundle of AA's that is not signed yet."""
    stamp = format_timestamp(time.time_ns() // 1000)[:23] + "Z"
    incident = {
        "type": "incident",
        "spec_version": "2.1",
        "id": f"incident--{uuid.uuid4()}",
        "created": stamp,
        "modified": stamp,
        "name": "Phishing wave against a registry",
    }
    path = demo.data.parent / "new.json"
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [incident]}))
    return path


def cybex(demo: Demo, *arguments: str | Path, token: str | None = None) -> subprocess.CompletedProcess[str]:
    more = {} if token is None else {"CYBEX_CLIENT_TOKEN": token}
    return subprocess.run(
        [BIN / "cybex", *arguments],
        env=clean_environment(**more),
        cwd=demo.data.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_demo_json_has_the_agreed_shape(demo: Demo) -> None:
    world, base = demo.world, f"http://127.0.0.1:{demo.port}/"
    assert world["ready"] is True
    assert (world["base_url"], world["discovery"]) == (base, f"{base}taxii2/")
    assert set(world["operator"]) == {"username", "password"}
    assert list(world["groups"]) == ["alpha", "bravo"]
    for slug, group in world["groups"].items():
        assert group["api_root"] == f"{base}{slug}/"
        assert set(group["collections"]) == {"indicators", "incidents"}
        assert all(uuid.UUID(ref).version == 4 for ref in group["collections"].values())
    assert {handle: set(peer["groups"]) for handle, peer in world["peers"].items()} == {
        "aa": {"alpha"},
        "bb": {"alpha", "bravo"},
        "cc": {"bravo"},
    }
    for handle, peer in world["peers"].items():
        assert re.fullmatch(r"identity--[0-9a-f-]{36}", peer["identity"])
        assert peer["username"]
        assert peer["password"]
        assert peer["token"].startswith("cybex_")
        assert all(rights == ["read", "write"] for rights in peer["groups"].values())
        assert peer["signing_key"] == str(demo.data / "keys" / f"{handle}.pem")
        assert peer["signing"] == ("optional" if handle == "cc" else "required")
    assert (demo.data / "demo.json").stat().st_mode & 0o077 == 0


def test_the_signing_keys_load_and_belong_to_their_peers(demo: Demo) -> None:
    for peer in demo.world["peers"].values():
        path = Path(peer["signing_key"])
        assert keyfile.identity_beside(path, keyfile.read(path)) == peer["identity"]


def test_the_story_is_told(demo: Demo) -> None:
    said = demo.said
    for line in (
        "1. CIRT AA signs a real incident",
        "2. The hub verified every signature",
        "accepted by rule",
        "bb: may see it; rule",
        "3. CIRT BB reads the collection",
        "signed by aa, inline",
        "4. CIRT CC is not in the group",
        "GET /alpha/ as cc: 404",
        "cc: withheld; rule membership: the peer is not a member of the group",
        "bb: would see it; rule",
        "holds; the log's signed tree has its",
        "bb: served by",
        "cc: served by",
        "retracted 7 versions, to reach 2 peers",
        "cc reads: 'Withdrawn by its author'",
        "removed at 1 of 2; open: cc",
        "BB confirmed; in the tree of",
        "nothing is wrong",
        demo.world["discovery"],
        demo.world["peers"]["aa"]["username"],
    ):
        assert line in said, said
    assert "Traceback" not in said


@pytest.mark.parametrize("handle", ["aa", "bb", "cc"])
def test_every_login_works_as_basic_and_as_bearer(demo: Demo, handle: str) -> None:
    peer = demo.world["peers"][handle]
    basic = requests.get(
        demo.world["discovery"], auth=(peer["username"], peer["password"]), headers={"Accept": TAXII}, timeout=30
    )
    bearer = requests.get(
        demo.world["discovery"], headers={"Accept": TAXII, "Authorization": f"Bearer {peer['token']}"}, timeout=30
    )
    roots = [demo.world["groups"][slug]["api_root"] for slug in sorted(peer["groups"])]
    for answer in (basic, bearer):
        assert answer.status_code == 200
        assert sorted(answer.json()["api_roots"]) == roots


def test_the_operators_and_the_analysts_logins_work(demo: Demo) -> None:
    for name in ("operator", "analyst"):
        login = demo.world[name]
        answer = requests.get(
            f"{demo.world['base_url']}api/v1/whoami", auth=(login["username"], login["password"]), timeout=30
        )
        assert answer.status_code == 200, answer.text


def test_bravos_collections_are_empty_and_alphas_are_not(demo: Demo) -> None:
    peer = demo.world["peers"]["bb"]
    for slug, expected in (("bravo", False), ("alpha", True)):
        group = demo.world["groups"][slug]
        for ref in group["collections"].values():
            answer = requests.get(
                f"{group['api_root']}collections/{ref}/objects/",
                auth=(peer["username"], peer["password"]),
                headers={"Accept": TAXII},
                timeout=30,
            )
            assert bool(answer.json().get("objects")) is expected


def test_the_readmes_lines_for_taxii2_client_read_what_aa_has_shared(demo: Demo, tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    block = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert block is not None
    (tmp_path / "demo-data").symlink_to(demo.data)
    ran = subprocess.run(
        [BIN / "python", "-c", block[1]],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"^Alpha.* incident incident--fad5bbd5-90d1-42ee-97c9-d558c5180baa$", ran.stdout, re.MULTILINE)


def test_aa_pushes_what_bb_pulls_and_verifies(demo: Demo, bundle: Path) -> None:
    aa, bb = demo.world["peers"]["aa"], demo.world["peers"]["bb"]
    root = demo.world["groups"]["alpha"]["api_root"]
    pushed = cybex(demo, "push", "--url", root, "--key", aa["signing_key"], "--author", bundle, token=aa["token"])
    assert pushed.returncode == 0, pushed.stderr
    assert "1 stored, 0 refused" in pushed.stdout
    pulled = cybex(demo, "pull", "--url", root, "--out", "inbox", "--json", token=bb["token"])
    assert pulled.returncode == 0, pulled.stderr
    report = json.loads(pulled.stdout)
    assert set(report["by_status"]) == {"verified"}
    assert report["failures"] == []
    received = "".join((demo.data.parent / "inbox" / name).read_text() for name in report["files"])
    assert json.loads(bundle.read_text())["objects"][0]["id"] in received


def test_ccs_pull_is_a_404_as_for_a_group_that_does_not_exist(demo: Demo) -> None:
    token = demo.world["peers"]["cc"]["token"]
    said = []
    for slug in ("alpha", "no-such-group"):
        url = f"{demo.world['base_url']}{slug}/"
        pulled = cybex(demo, "pull", "--url", url, "--out", "nothing", token=token)
        assert pulled.returncode == 1
        (line,) = pulled.stderr.splitlines()
        said.append(line)
    assert said[0] == said[1]
    assert "404" in said[0]
    assert not (demo.data.parent / "nothing").exists()


def test_explain_prints_rule_and_reason(demo: Demo, bundle: Path) -> None:
    stix_id = json.loads(bundle.read_text())["objects"][0]["id"]
    withheld = cybex(demo, "explain", stix_id, "cc", "--data", demo.data)
    assert withheld.returncode == 1
    assert "cc does not see version" in withheld.stdout
    assert re.search(r"NO +membership +the peer is not a member of the group", withheld.stdout)
    shown = cybex(demo, "explain", stix_id, "bb", "--data", demo.data)
    assert shown.returncode == 0
    assert "bb sees version" in shown.stdout
    assert "taken by rule releasability" in shown.stdout
    assert "signed inline" in shown.stdout


def test_sigterm_stops_everything_and_a_second_start_finds_it_all_again(demo: Demo) -> None:
    before = demo.world
    assert stop(demo) == 0, demo.said
    assert group_is_gone(demo.process.pid)
    assert demo.world["ready"] is False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", demo.port))
    output = demo.data.parent / "again.txt"
    again = start(demo.data, demo.port, output)
    try:
        assert again.world == before
        assert re.findall(r"\d+ objects.*", again.said)[0] == re.findall(r"\d+ objects.*", demo.said)[0]
        peer = before["peers"]["bb"]
        answer = requests.get(before["discovery"], auth=(peer["username"], peer["password"]), timeout=30)
        assert answer.status_code in (200, 406)
        taken = cybex(demo, "demo", "--data", demo.data.parent / "other", "--port", str(demo.port))
        assert taken.returncode == 1
        assert len(taken.stderr.splitlines()) == 1
        assert stop(again) == 0, again.said
        assert group_is_gone(again.process.pid)
    finally:
        kill(again)
