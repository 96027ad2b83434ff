"""`cybex init`: a hub from nothing, an operator whose password is shown once, and a second run that harms nothing."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from hub import config
from hub.bootstrap import open_hub_at
from hub.cli import init
from hub.client import keyfile
from hub.domain.credentials import Basic
from hub.domain.membership import Role
from hub.errors import ConfigError, Conflict, Unauthenticated
from hub.services import authentication, keys
from hub.services.actor import LOCAL_OPERATOR
from tests.cli.operation import run, succeed


def test_the_operator_it_shows_can_log_in(tmp_path: Path) -> None:
    made = json.loads(succeed("init", "--data", tmp_path / "hub", "--name", "Regional hub", "--json"))
    hub = open_hub_at(tmp_path / "hub")
    operator = Basic(made["operator"]["username"], made["operator"]["password"])
    caller = authentication.authenticate(hub, operator, remote="127.0.0.1")
    assert (caller.peer.handle, caller.peer.name, caller.role) == ("hub", "Regional hub", Role.OPERATOR)
    assert caller.peer.identity == made["identity"]
    with pytest.raises(Unauthenticated):
        authentication.authenticate(hub, Basic("operator", "operator"), remote="127.0.0.1")
    hub.db.close()


def test_the_hub_has_a_signing_key_of_its_own_in_the_key_ring(tmp_path: Path) -> None:
    succeed("init", "--data", tmp_path)
    hub = open_hub_at(tmp_path)
    _, enrolled = keys.of_peer(hub, LOCAL_OPERATOR, "hub")
    hub.db.close()
    private = keyfile.read(config.load(tmp_path, {}).secrets / config.SIGNING_KEY)
    assert [key.kid for key in enrolled] == [private.public.kid]


def test_the_password_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    made = json.loads(succeed("init", "--data", tmp_path, "--json"))
    password = made["operator"]["password"].encode()
    assert len(password) >= 32
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) >= 4
    assert [file for file in files if password in file.read_bytes()] == []


def test_two_hubs_have_different_passwords(tmp_path: Path) -> None:
    made = [json.loads(succeed("init", "--data", tmp_path / name, "--json")) for name in ("one", "two")]
    assert made[0]["operator"]["password"] != made[1]["operator"]["password"]


def test_the_directory_and_the_file_are_their_owners_only(tmp_path: Path) -> None:
    succeed("init", "--data", tmp_path / "hub")
    assert stat.S_IMODE((tmp_path / "hub").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "hub" / "hub.toml").stat().st_mode) == 0o600


def test_what_is_chosen_stands_in_the_file(tmp_path: Path) -> None:
    options = ["--url", "https://hub.example.org/", "--host", "10.0.0.5", "--port", "9000", "--behind-proxy"]
    succeed("init", "--data", tmp_path, *options, "--trusted-proxy", "10.0.0.1/32", "--client-certificates")
    loaded = config.load(tmp_path, {})
    assert loaded.public_url == "https://hub.example.org/"
    assert (loaded.server.host, loaded.server.port, loaded.server.behind_proxy) == ("10.0.0.5", 9000, True)
    assert loaded.server.trusted_proxies == ("10.0.0.1/32",)
    assert loaded.server.client_certificate_header == "client-cert"


@pytest.mark.parametrize("more", [[], ["--port", "9000"]], ids=["the-same", "other-options"])
def test_a_second_run_is_refused_and_changes_nothing(tmp_path: Path, more: list[str]) -> None:
    succeed("init", "--data", tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file() and "sqlite3" not in file.name}
    again = run("init", "--data", tmp_path, *more)
    assert isinstance(again.exception, Conflict)
    assert {file: file.read_bytes() for file in before} == before
    hub = open_hub_at(tmp_path)
    assert len(keys.of_peer(hub, LOCAL_OPERATOR, "hub")[1]) == 1
    hub.db.close()


@pytest.mark.parametrize("step", ["ensure_secrets", "_migrated", "first_operator"])
def test_a_run_that_was_interrupted_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def power_failure(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(config if step == "ensure_secrets" else init, step, power_failure)
        assert run("init", "--data", tmp_path).exit_code != 0
    made = json.loads(succeed("init", "--data", tmp_path, "--json"))
    assert made["operator"]["password"]


def test_an_option_that_is_wrong_leaves_no_configuration_behind(tmp_path: Path) -> None:
    refused = run("init", "--data", tmp_path, "--url", "hub.example.org")
    assert isinstance(refused.exception, ConfigError)
    assert list(tmp_path.iterdir()) == []
