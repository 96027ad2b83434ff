"""`cybex backup` and `cybex restore`: a whole hub in one file and back, and no file that can choose where it lands."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from pathlib import Path

import pytest

from hub import config
from hub.bootstrap import open_hub_at
from hub.cli import backup
from hub.domain.credentials import Basic
from hub.errors import ConfigError, Conflict, InvalidRequest
from hub.services import authentication, peers
from hub.services.actor import LOCAL_OPERATOR
from tests.cli.operation import run, succeed


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Basic]:
    """A hub with one peer, and its operator."""
    data = tmp_path / "hub"
    operator = json.loads(succeed("init", "--data", data, "--port", "9000", "--json"))["operator"]
    succeed("peer", "add", "aa", "--name", "CIRT AA", "--kind", "national", "--data", data)
    return data, Basic(operator["username"], operator["password"])


@pytest.fixture
def archive(made: tuple[Path, Basic], tmp_path: Path) -> Path:
    """Its backup."""
    succeed("backup", tmp_path / "hub.tar", "--data", made[0])
    return tmp_path / "hub.tar"


def test_a_restored_hub_is_the_same_hub(made: tuple[Path, Basic], archive: Path, tmp_path: Path) -> None:
    data, operator = made
    restored = tmp_path / "restored"
    succeed("restore", archive, "--data", restored)
    before, after = config.load(data, {}), config.load(restored, {})
    assert config.load_secrets(after) == config.load_secrets(before)
    assert after.server.port == 9000
    hub = open_hub_at(restored)
    assert authentication.authenticate(hub, operator, remote="127.0.0.1").peer.handle == "hub"
    assert [peer.handle for peer in peers.listed(hub, LOCAL_OPERATOR)] == ["aa", "hub"]
    hub.db.close()
    assert [finding["level"] for finding in json.loads(succeed("doctor", "--data", restored, "--json"))["findings"]]


def test_the_file_and_what_is_restored_are_their_owners_only(archive: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    succeed("restore", archive, "--data", tmp_path / "restored")
    files = [file for file in (tmp_path / "restored").rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in files} == {0}


def test_backup_says_that_the_secrets_are_inside(made: tuple[Path, Basic], tmp_path: Path) -> None:
    assert "secrets" in succeed("backup", tmp_path / "hub.tar", "--data", made[0])
    with tarfile.open(tmp_path / "hub.tar") as opened:
        names = opened.getnames()
    assert names == ["hub.db", "hub.toml", "secrets/cursor.key", "secrets/hub-signing-key.pem", "secrets/log-key.pem"]


def test_a_backup_from_before_the_log_is_restored_and_gets_a_log_key(archive: Path, tmp_path: Path) -> None:
    older, key = tmp_path / "older.tar", f"secrets/{config.LOG_KEY}"
    with tarfile.open(archive) as source, tarfile.open(older, "w") as target:
        for member in source:
            if member.name != key:
                target.addfile(member, source.extractfile(member))
    succeed("restore", older, "--data", tmp_path / "restored")
    made = tmp_path / "restored" / key
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    open_hub_at(tmp_path / "restored").db.close()


def test_a_backup_never_replaces_a_file(made: tuple[Path, Basic], archive: Path) -> None:
    before = archive.read_bytes()
    assert isinstance(run("backup", archive, "--data", made[0]).exception, Conflict)
    assert archive.read_bytes() == before


def test_a_hub_without_its_secrets_is_not_backed_up(made: tuple[Path, Basic], tmp_path: Path) -> None:
    (made[0] / "secrets" / config.SIGNING_KEY).unlink()
    assert isinstance(run("backup", tmp_path / "x.tar", "--data", made[0]).exception, ConfigError)
    assert not (tmp_path / "x.tar").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["hub"]


def test_a_restore_never_replaces_a_hub(made: tuple[Path, Basic], archive: Path) -> None:
    before = (made[0] / "hub.toml").read_bytes()
    assert isinstance(run("restore", archive, "--data", made[0]).exception, Conflict)
    assert (made[0] / "hub.toml").read_bytes() == before


def _tar(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


SECRETS = (("secrets/cursor.key", b"00" * 32), ("secrets/hub-signing-key.pem", b"x"))


@pytest.mark.parametrize(
    "members",
    [
        [("../../evil", b"x")],
        [("/var/evil", b"x")],
        [("hub.db", b"x"), ("extra", b"x")],
        [("hub.db", b"x"), ("hub.db", b"y")],
        [("hub.db", b"x")],
        [("hub.db", b"no database"), *SECRETS],
        [("hub.db", b""), *SECRETS],
        [("hub.db", b"x"), ("hub.toml", b"#" * (1024 * 1024 + 1)), *SECRETS],
    ],
    ids=["parent", "absolute", "unknown", "twice", "no-secrets", "no-database", "empty-database", "large"],
)
def test_a_file_that_is_no_backup_is_refused_and_leaves_nothing(
    tmp_path: Path, members: list[tuple[str, bytes]]
) -> None:
    file = _tar(tmp_path / "bad.tar", *members)
    target = tmp_path / "deep" / "er" / "hub"
    assert isinstance(run("restore", file, "--data", target).exception, InvalidRequest)
    assert list(target.iterdir()) == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bad.tar", "deep", "er", "hub"]


def test_a_link_in_the_file_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        info = tarfile.TarInfo("hub.toml")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    assert isinstance(run("restore", tmp_path / "bad.tar", "--data", tmp_path / "hub").exception, InvalidRequest)


def test_a_damaged_backup_can_be_followed_by_a_good_one(archive: Path, tmp_path: Path) -> None:
    damaged = bytearray(archive.read_bytes())
    damaged[20_000:120_000] = bytes(100_000)
    (tmp_path / "damaged.tar").write_bytes(damaged)
    target = tmp_path / "restored"
    assert isinstance(run("restore", tmp_path / "damaged.tar", "--data", target).exception, InvalidRequest)
    succeed("restore", archive, "--data", target)


def test_a_hub_moves_to_postgresql(
    archive: Path, empty_postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"CYBEX_DATABASE_URL": empty_postgresql_url})
    settings = config.load(tmp_path / "moved")
    assert not settings.embedded
    restored = backup.read(archive, tmp_path / "moved", lambda done, total: None)
    assert restored.database_url == empty_postgresql_url
    hub = open_hub_at(tmp_path / "moved")
    assert [peer.handle for peer in peers.listed(hub, LOCAL_OPERATOR)] == ["aa", "hub"]
    hub.db.close()
