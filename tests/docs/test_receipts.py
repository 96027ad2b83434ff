"""docs/receipts.md names commands, decisions, paths and bounds that are real."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from hub.client.acknowledge import QUEUE_FILE
from hub.domain import limits
from hub.domain.acknowledgement import OUTCOMES
from hub.domain.receipt import Decision
from hub.web.api.document import document
from tests.docs.test_client import command_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "receipts.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (cybex .*)$", PAGE, re.MULTILINE)


def test_the_page_has_the_five_commands() -> None:
    named = [shlex.split(line)[1] for line in COMMANDS]
    assert named == ["push", "receipt", "acknowledge", "pull", "acknowledgements"]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_parses_as_printed(line: str) -> None:
    command, arguments = command_of(shlex.split(line)[1:])
    command.make_context("cybex", arguments)


def test_the_words_are_those_of_the_program() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE) == list(get_args(Decision))
    for outcome in OUTCOMES:
        assert f"`{outcome}`" in PAGE
    for path in re.findall(r"`/api/v1(/[^`]+)`", PAGE):
        assert path in document()["paths"]
    for name in re.findall(r"`/schemas/hub/([^`]+)`", PAGE):
        assert (ROOT / "schemas" / "hub" / name).is_file()
    assert f"inbox/{QUEUE_FILE}" in PAGE


def test_the_bounds_are_those_of_the_hub() -> None:
    assert f"{limits.STATUS_RETENTION_SECONDS // 86400} days" in PAGE
    assert f"At most {limits.ACKNOWLEDGEMENTS_PER_POST} go into one request" in PAGE
    schema = document()["components"]["schemas"]["NewAcknowledgements"]["properties"]["acknowledgements"]
    assert schema["maxItems"] == limits.ACKNOWLEDGEMENTS_PER_POST
