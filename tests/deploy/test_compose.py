"""compose.yaml, Dockerfile and Caddyfile, as far as they can be checked without running them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub import config
from tests.deploy.commands import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]

# The keys of the Compose Specification that may stand in a service; a misspelt one is silently ignored by nobody here.
SERVICE_KEYS = {
    *(
        "build",
        "cap_add",
        "cap_drop",
        "command",
        "depends_on",
        "environment",
        "healthcheck",
        "image",
        "init",
        "networks",
    ),
    *("ports", "read_only", "restart", "secrets", "security_opt", "stop_grace_period", "tmpfs", "volumes"),
}


def test_it_has_the_hub_the_worker_postgresql_and_caddy() -> None:
    assert set(SERVICES) == {"hub", "worker", "database", "caddy"}
    assert set(COMPOSE) == {"name", "services", "networks", "volumes", "secrets"}
    assert SERVICES["database"]["image"] == "postgres:16"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_only_keys_of_the_specification(name: str) -> None:
    assert set(SERVICES[name]) <= SERVICE_KEYS


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_refers_to_exists(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    for volume in service.get("volumes", []):
        # A substitution such as ${NAME:?why} may hold colons of its own.
        source = re.sub(r"\$\{[^}]*\}", "./set-by-the-operator", volume).split(":")[0]
        assert source.startswith("./") or source in COMPOSE["volumes"]


def test_only_caddy_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert SERVICES["caddy"]["ports"] == ["443:443"]
    assert COMPOSE["networks"]["back"]["internal"]
    assert SERVICES["database"]["networks"] == ["back"]


def test_no_secret_and_no_door_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert re.findall(r"\$\{[A-Z_]+\}|\$\{[A-Z_]+:?-[^}]*\}", text) == []  # only ${NAME:?why}
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {
        "./secrets/database_password",
        "./secrets/database_url",
    }
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            assert "PASSWORD" not in name or name.endswith("_FILE")


@pytest.mark.parametrize("name", ["hub", "worker"])
def test_the_settings_of_the_hub_in_compose_are_accepted(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://cybex:secret@database/cybex")
    environment = {
        key: re.sub(r"\$\{[^}]*\}", "hub.example.org", value) for key, value in SERVICES[name]["environment"].items()
    }
    settings = config.load(tmp_path, {**environment, "CYBEX_DATABASE_URL_FILE": str(secret)})
    caddy = SERVICES["caddy"]["networks"]["front"]["ipv4_address"]
    assert settings.server.trusted_proxies == (f"{caddy}/32",)
    assert settings.server.client_certificate_header == "client-cert"
    assert settings.public_url == "https://hub.example.org/"
    assert not settings.embedded


def test_caddy_finds_the_hub() -> None:
    port = SERVICES["hub"]["environment"]["CYBEX_PORT"]
    assert SERVICES["caddy"]["environment"]["CYBEX_UPSTREAM"] == f"hub:{port}"
    assert f":{port}/readyz" in SERVICES["hub"]["healthcheck"]["test"][-1]


def caddy(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).parent / "caddy", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("tls", ["", "admin@example.org"], ids=["acme", "acme-with-address"])
def test_the_caddyfile_is_valid(tls: str, tmp_path: Path) -> None:
    from tests.acceptance.certificates import Authority

    settings = {
        "CYBEX_DOMAIN": "hub.example.org",
        "CYBEX_TLS": tls,
        "CYBEX_CLIENT_CA": str(Authority(tmp_path).file),
        "CYBEX_UPSTREAM": "hub:8080",
        "XDG_DATA_HOME": str(tmp_path),
    }
    done = caddy("validate", "--config", str(ROOT / "deploy" / "Caddyfile"), "--adapter", "caddyfile", **settings)
    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr


def test_every_variable_of_the_caddyfile_is_set_in_compose_or_has_a_default() -> None:
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    without_default = set(re.findall(r"\{\$([A-Z_]+)\}", text))
    assert without_default == set(SERVICES["caddy"]["environment"])


def test_the_image_runs_as_an_ordinary_user_and_holds_what_it_needs() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    stages = [line for line in lines if line.startswith("FROM ")]
    assert [line.split()[1] for line in stages] == ["python:3.12-slim"] * 2
    last = lines[lines.index(stages[-1]) :]
    assert "USER 10001" in last
    assert not [line for line in last if "apt-get" in line or "pip install" in line]
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in ignored
