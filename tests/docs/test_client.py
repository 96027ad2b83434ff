"""docs/client.md names commands, options, files and settings that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from hub.cli import cybex
from hub.client.pins import PINS_FILE
from hub.client.pull import STATE_FILE

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (cybex .*)$", PAGE, re.MULTILINE)


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    found: click.Command = cybex
    while isinstance(found, click.Group):
        made = found.get_command(click.Context(found), words[0])
        assert made is not None, words
        found, words = made, words[1:]
    return found, words


def test_the_page_has_the_commands_of_a_cirt() -> None:
    assert [shlex.split(line)[1] for line in COMMANDS] == ["key", "push", "pull", "key", "key", "explain"]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_parses_as_printed(line: str) -> None:
    command, arguments = command_of(shlex.split(line)[1:])
    command.make_context("cybex", arguments)


def test_every_option_in_the_text_is_one_of_push_or_pull() -> None:
    known = {name for one in ("push", "pull") for name in options_of(command_of([one])[0])}
    known |= {name for one in ("new", "rotate", "compromise") for name in options_of(command_of(["key", one])[0])}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE)) <= known


def options_of(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def test_the_files_and_settings_are_the_real_ones() -> None:
    assert f"inbox/{STATE_FILE}" in PAGE
    assert f"inbox/{PINS_FILE}" in PAGE
    settings = {parameter.envvar for parameter in command_of(["push"])[0].params}
    for name in re.findall(r"CYBEX_\w+", PAGE):
        assert name in settings
