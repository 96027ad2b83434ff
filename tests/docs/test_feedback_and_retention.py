"""docs/feedback.md, docs/pseudonyms.md and docs/retention.md name commands, bounds and paths that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from hub.cli import cybex
from hub.domain import limits
from hub.domain.feedback import OPINIONS
from hub.web.api.document import operations

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("feedback", "pseudonyms", "retention")}
COMMANDS = [line for page in PAGES.values() for line in re.findall(r"^    (cybex .*)$", page, re.MULTILINE)]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_parses_as_printed(line: str) -> None:
    command: click.Command = cybex
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, line
        command, words = found, words[1:]
    command.make_context("cybex", words)


def test_paths_bounds_and_values_are_those_of_the_hub() -> None:
    rules = {re.sub(r"<(\w+)>", r"{\1}", operation.rule) for operation in operations()}
    for page in PAGES.values():
        assert set(re.findall(r"`(?:GET|PATCH|POST) (/api/v1/[^`]+)`", page)) <= rules
    assert all(f"`{said}`" in PAGES["feedback"] for said in OPINIONS)
    assert f"transactions of {limits.RETENTION_CHUNK_OBJECTS} objects" in PAGES["retention"]
    assert f"kept {limits.STATUS_RETENTION_SECONDS // 86400} days" in PAGES["retention"]
    assert limits.RETENTION_MIN_SECONDS == limits.STATUS_RETENTION_MIN_SECONDS == 86400
