"""`cybex doctor`: each trouble is found, named, and comes with what to do."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.cli import doctor_files
from hub.cli.doctor import examine
from hub.cli.finding import Finding
from hub.worker import HEARTBEAT
from tests.acceptance.certificates import Authority
from tests.cli.operation import run, succeed

NOW = int(time.time())
DAY = 24 * 3600


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("doctor") / "hub"
    succeed("init", "--data", data)
    succeed("log", "checkpoint", "--data", data)
    return data


@pytest.fixture
def data(template: Path, tmp_path: Path) -> Path:
    """A hub that is well: made, and its worker seen just now."""
    copy = tmp_path / "hub"
    shutil.copytree(template, copy)
    (copy / "run").mkdir()
    (copy / "run" / HEARTBEAT).touch()
    os.utime(copy / "hub.toml", (NOW, NOW))  # this module may have been read minutes before the hub was made
    return copy


def found(data: Path, check: str, *, now: int = NOW) -> list[Finding]:
    return [finding for finding in examine(data, now=now) if finding.check == check]


def set_toml(data: Path, text: str) -> None:
    (data / "hub.toml").write_text(text)


def test_a_hub_that_is_well_has_only_ok_lines(data: Path) -> None:
    printed = succeed("doctor", "--data", data)
    assert {line.split()[0] for line in printed.splitlines()} == {"ok"}
    report = json.loads(succeed("doctor", "--data", data, "--json"))
    assert report["status"] == "ok"
    checks = {finding["check"] for finding in report["findings"]}
    assert checks == {
        *(
            "configuration",
            "secrets",
            "address",
            "disk",
            "migrations",
            "database",
            "clock",
            "operators",
            "worker",
            "log",
        )
    }


def _no_secret(data: Path) -> None:
    (data / "secrets" / "cursor.key").unlink()


def _open_secret(data: Path) -> None:
    (data / "secrets" / "cursor.key").chmod(0o644)


def _bad_toml(data: Path) -> None:
    set_toml(data, "[server]\nprot = 1")


def _writable_toml(data: Path) -> None:
    (data / "hub.toml").chmod(0o666)


def _open_door(data: Path) -> None:
    set_toml(data, '[server]\nhost = "0.0.0.0"')


def _no_tls_file(data: Path) -> None:
    set_toml(data, '[tls]\ncertificate = "none.pem"\nkey = "none.key"')


def _no_database(data: Path) -> None:
    (data / "hub.sqlite3").unlink()


def _old_schema(data: Path) -> None:
    with sqlite3.connect(data / "hub.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")


def _damaged(data: Path) -> None:
    with sqlite3.connect(data / "hub.sqlite3") as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE credential SET peer_id = 999")


def _no_operator(data: Path) -> None:
    with sqlite3.connect(data / "hub.sqlite3") as connection:
        connection.execute("UPDATE credential SET revoked_at = 1")


@pytest.mark.parametrize(
    ("break_it", "check"),
    [
        (_no_secret, "secrets"),
        (_open_secret, "secrets"),
        (_bad_toml, "configuration"),
        (_writable_toml, "configuration"),
        (_open_door, "address"),
        (_no_tls_file, "tls"),
        (_no_database, "database"),
        (_old_schema, "migrations"),
        (_damaged, "database"),
        (_no_operator, "operators"),
    ],
)
def test_what_is_broken_is_found_and_comes_with_a_remedy(
    data: Path, break_it: Callable[[Path], None], check: str
) -> None:
    break_it(data)
    failures = [finding for finding in examine(data, now=NOW) if finding.level == "fail"]
    assert check in {finding.check for finding in failures}
    assert all(finding.remedy for finding in failures)
    assert run("doctor", "--data", data).exit_code == 1
    report = json.loads(run("doctor", "--data", data, "--json").stdout)
    assert report["status"] == "fail"


def test_a_clock_that_went_back_is_found(data: Path) -> None:
    assert found(data, "clock", now=NOW - DAY)[0].level == "fail"
    assert found(data, "clock", now=NOW)[0].level == "ok"


@pytest.mark.parametrize(("free", "level"), [(1, "fail"), (500 * 1024**2, "warn"), (10 * 1024**3, "ok")])
def test_a_full_disk_is_found(data: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr(doctor_files.shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(free, 0, free))
    assert found(data, "disk")[0].level == level


@pytest.mark.parametrize(("days", "level"), [(90, "ok"), (10, "warn"), (-2, "fail")])
def test_a_certificate_that_ends_is_found(data: Path, tmp_path: Path, days: int, level: str) -> None:
    own = Authority(tmp_path).server("localhost", days=days)
    set_toml(data, f'[tls]\ncertificate = "{own.certificate}"\nkey = "{own.key}"')
    assert [finding.level for finding in found(data, "tls")] == [level]
    own.key.chmod(0o644)
    assert found(data, "tls")[-1].remedy == f"chmod 600 {own.key}"


def test_a_key_that_is_not_pkcs8_is_found_with_the_command_that_mends_it(data: Path, tmp_path: Path) -> None:
    own = Authority(tmp_path).server("localhost")
    own.key.write_text("-----BEGIN EC PRIVATE KEY-----\n")
    set_toml(data, f'[tls]\ncertificate = "{own.certificate}"\nkey = "{own.key}"')
    assert "openssl pkcs8" in found(data, "tls")[0].text


@pytest.mark.parametrize(("days", "level"), [(100, "ok"), (390, "warn"), (500, "fail")])
def test_an_operator_whose_credential_ends_is_found(data: Path, days: int, level: str) -> None:
    assert found(data, "operators", now=NOW + days * DAY)[0].level == level


def test_a_proxy_that_nobody_trusts_is_found(data: Path) -> None:
    set_toml(data, "[server]\nbehind_proxy = true")
    assert found(data, "address")[0].level == "warn"


def test_a_worker_that_is_gone_is_found(data: Path) -> None:
    heartbeat = data / "run" / HEARTBEAT
    os.utime(heartbeat, (NOW - 3600, NOW - 3600))
    assert found(data, "worker")[0].level == "warn"
    heartbeat.unlink()
    assert "never" in found(data, "worker")[0].text


def test_a_log_whose_leaves_nobody_signs_is_found(data: Path) -> None:
    assert [finding.level for finding in found(data, "log")] == ["ok"]
    succeed("peer", "add", "aa", "--name", "CIRT AA", "--kind", "national", "--data", data)
    assert [finding.level for finding in found(data, "log", now=int(time.time()) + 50)] == ["ok"]
    assert [finding.level for finding in found(data, "log", now=int(time.time()) + 90)] == ["warn"]
    succeed("log", "checkpoint", "--data", data)
    assert [finding.level for finding in found(data, "log", now=int(time.time()) + 90)] == ["ok"]


def test_a_log_that_lost_leaves_is_found(data: Path) -> None:
    with sqlite3.connect(data / "hub.sqlite3") as connection:
        connection.execute("UPDATE log_state SET size = size - 1")
    assert [finding.level for finding in found(data, "log")] == ["fail"]


def test_a_directory_that_holds_no_hub_is_told_to_init(tmp_path: Path) -> None:
    result = run("doctor", "--data", tmp_path / "nothing")
    assert result.exit_code == 1
    assert "cybex init" in result.stdout
    assert not (tmp_path / "nothing").exists()
