"""docs/log.md names commands, options, addresses and files that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from hub.cli.tlog_options import MISBEHAVED
from hub.domain import limits
from hub.store.database import Database
from hub.web.app import create_app
from tests.docs.test_client import command_of
from tests.services.cast import make_hub

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "log.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (cybex .*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_parses_as_printed(line: str) -> None:
    command, arguments = command_of(shlex.split(line)[1:])
    command.make_context("cybex", arguments)


def test_every_address_is_served(sqlite_url: str) -> None:
    app = create_app(make_hub(Database.open(sqlite_url)))
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    named = re.findall(r"^\| `(?:POST )?(/tlog/[a-z-]+)", PAGE, re.MULTILINE)
    assert len(named) == 6
    for path in named:
        assert any(rule == path or rule.startswith(f"{path}/") for rule in rules), path


def test_figures_and_files_are_those_of_the_hub() -> None:
    assert f"Exit code {MISBEHAVED} means" in PAGE
    assert limits.CHECKPOINT_SECONDS == 1.0
    assert (ROOT / "tests" / "foreign" / "tlog" / "main.go").is_file()
