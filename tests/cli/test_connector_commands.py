"""`cybex connector`: what is configured, what happened, and a folder for one's own that works from the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.sdk.breaker import State
from connectors.sdk.state import Folder, Status
from hub.cli.connector import connector
from hub.cli.doctor_connectors import connectors as findings
from hub.config import load
from hub.errors import ConfigError, Conflict
from tests.acceptance.connector_world import install, table

START = 1_795_348_800_000_000


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with two connectors of a third party, one of which is not right."""
    monkeypatch.syspath_prepend(str(install(tmp_path / "site")))
    file = tmp_path / "connectors.toml"
    good = table("from-toy", "https://hub.example/", "aa", tmp_path, path="things.json")
    bad = table("typo", "https://hub.example/", "aa", tmp_path, path="things.json", colour="red")
    file.write_text(good + bad)
    return file


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(connector, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_command_has_an_example() -> None:
    for name in connector.commands:
        assert f"Example: cybex connector {name}" in run(name, "--help").replace("\n", " ").replace("  ", " ")


def test_kinds_of_other_packages_are_listed_and_broken_ones_with_the_reason(config: Path) -> None:
    del config
    rows = {row["kind"]: row for row in json.loads(run("kinds", "--json"))}
    assert (rows["toy"]["directions"], rows["toy"]["package"]) == (["in", "out"], "cybex-toy")
    assert "cannot be loaded" in rows["ruin"]["summary"]


def test_a_list_shows_what_is_wrong_with_a_table(config: Path) -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--config", config, "--json"))}
    assert (rows["from-toy"]["target"], rows["from-toy"]["problem"]) == ("alpha/indicators", None)
    assert "connector.typo.settings" in rows["typo"]["problem"]
    assert "red" not in rows["typo"]["problem"]


def test_status_is_what_the_last_run_left(config: Path) -> None:
    folder = Folder(config.parent / "connectors" / "from-toy")
    folder.make()
    folder.save(Status(state=State.FAILING, started_at=START, failures=2, last_error="no answer", objects=7))
    rows = {row["name"]: row for row in json.loads(run("status", "--config", config, "--json"))}
    assert (rows["from-toy"]["state"], rows["from-toy"]["objects"], rows["typo"]["state"]) == ("failing", 7, "invalid")
    assert "no answer" in run("status", "from-toy", "--config", config)
    with pytest.raises(ConfigError):
        run("status", "nobody", "--config", config)


def test_a_report_says_field_by_field_what_became_of_it(config: Path) -> None:
    folder = Folder(config.parent / "connectors" / "from-toy")
    folder.make()
    with pytest.raises(ConfigError):
        run("report", "from-toy", "--config", config)
    line = {"fate": "dropped", "field": "Comment", "became": "", "reason": "no place for it", "count": 3}
    counts = {
        "objects": 4,
        "unchanged": 0,
        "withdrawn": 1,
        "refused": 1,
        "known_refusals": 0,
        "signed": 4,
        "vouched": 0,
    }
    record = {
        "run": "9d1f2a34-5b6c-4d7e-8f90-a1b2c3d4e5f6",
        "name": "from-toy",
        "direction": "in",
        "started_at": START,
        "outcome": "ok",
        "error": None,
        "complete": True,
        **counts,
        "signed": 4,
        "vouched": 0,
        "refusals": [{"id": "x", "version": "-", "rule": "tlp", "reason": "above the ceiling"}],
        "report": {"kept": 0, "merged": 0, "guessed": 0, "dropped": 3, "lines": [line]},
    }
    folder.keep_run(record)
    text = run("report", "from-toy", "9d1f", "--config", config)
    assert "4 published" in text
    assert "Comment (no place for it)" in text
    assert "tlp: above the ceiling" in text
    assert json.loads(run("report", "from-toy", "--config", config, "--json")) == record
    assert "9d1f2a34" in run("report", "from-toy", "--list", "--config", config)


def test_a_new_connector_passes_its_own_tests_and_is_never_written_over_another(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    run("new", "ticket-list", "--out", folder)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert tests.returncode == 0, tests.stdout
    assert "3 passed" in tests.stdout
    assert 'ticket-list = "cybex_connector_ticket_list.connector:KIND"' in (folder / "pyproject.toml").read_text()
    assert "KIND_NAME" not in "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    with pytest.raises(Conflict):
        run("new", "ticket-list", "--out", folder)
    with pytest.raises(ConfigError):
        run("new", "Ticket List")


def test_doctor_names_what_fails_and_what_is_not_right(config: Path) -> None:
    data = config.parent / "hub"
    data.mkdir()
    (data / "hub.toml").write_text(config.read_text())
    settings = load(data, {})
    folder = Folder(data / "connectors" / "from-toy")
    folder.make()
    folder.save(Status(state=State.PAUSED, started_at=START, failures=9, last_error="no answer"))
    found = {one.text: one.level for one in findings(settings, START // 1_000_000)}
    assert any("typo" in text for text in found)
    assert any("from-toy has failed 9 times" in text and "no answer" in text for text in found)
    folder.save(Status(state=State.OK, started_at=START))
    assert any("1 of 2" in one.text for one in findings(settings, START // 1_000_000))
    assert any("has not run" in one.text for one in findings(settings, START // 1_000_000 + 100))
