"""`cybex audit`: a hub and a backup are verified again; what was changed is named, and the exit code says it."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from pathlib import Path

import pytest

from hub import config
from tests.cli.operation import run, succeed


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A hub with one peer in one group."""
    made = tmp_path / "hub"
    succeed("init", "--data", made)
    succeed("peer", "add", "aa", "--name", "CIRT AA", "--kind", "national", "--data", made)
    succeed("group", "add", "alpha", "--title", "Alpha", "--data", made)
    succeed("member", "add", "alpha", "aa", "--rights", "read,write", "--data", made)
    return made


def change(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(statement)
    connection.close()


def test_a_hub_that_nobody_touched_audits_clean(data: Path) -> None:
    result = json.loads(succeed("audit", "--data", data, "--json"))
    assert (result["ok"], result["first"], result["counts"]) == (True, None, {})
    assert result["rows"] > 10
    assert "nothing is wrong" in succeed("audit", "--data", data)


def test_what_was_changed_is_named_first_and_counted(data: Path) -> None:
    change(data / config.DATABASE_FILE, "UPDATE member SET may_moderate = 1")
    change(data / config.DATABASE_FILE, "UPDATE trust_group SET default_tlp = 'clear'")
    result = run("audit", "--data", data)
    assert result.exit_code == 1
    assert "WRONG: trust_group.default_tlp: group alpha" in result.stdout
    assert "1 x member.right" in result.stdout
    told = json.loads(run("audit", "--data", data, "--json", "--all").stdout)
    assert [one["place"] for one in told["findings"]] == ["trust_group.default_tlp", "member.may_moderate"]


def test_a_backup_is_verified_as_it_lies_there(data: Path, tmp_path: Path) -> None:
    succeed("backup", tmp_path / "hub.tar", "--data", data)
    change(data / config.DATABASE_FILE, "UPDATE member SET may_moderate = 1")
    assert "nothing is wrong" in succeed("audit", "--from-backup", tmp_path / "hub.tar")
    with tarfile.open(tmp_path / "hub.tar") as archive:
        members = [(one, file.read()) for one in archive if (file := archive.extractfile(one)) is not None]
    with tarfile.open(tmp_path / "changed.tar", "w") as archive:
        for member, content in members:
            changed = (
                content.replace(b"aaCIRT AAnational", b"aaCIRT ABnational") if member.name == "hub.db" else content
            )
            archive.addfile(member, io.BytesIO(changed))
    result = run("audit", "--from-backup", tmp_path / "changed.tar")
    assert (result.exit_code, "WRONG: " in result.stdout) == (1, True)


def test_a_key_of_another_hub_does_not_vouch_for_this_one(data: Path, tmp_path: Path) -> None:
    succeed("init", "--data", tmp_path / "other")
    other = (tmp_path / "other/secrets/hub-signing-key.pem").read_bytes()
    (data / "secrets/hub-signing-key.pem").write_bytes(other)
    result = run("audit", "--data", data)
    assert "the key in secrets/ that signs receipts is not enrolled for the hub" in result.stdout


def test_the_lines_are_still_listed(data: Path) -> None:
    rows = json.loads(succeed("audit", "lines", "--data", data, "--limit", "2", "--json"))
    assert [row["action"] for row in rows] == ["member.add", "collection.add"]
