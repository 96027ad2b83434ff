"""docs/relay.md: every command and option on the page exists, and so do the reasons and metrics it names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from hub.cli import cybex
from hub.web import link_gauges

PAGE = Path(__file__).parents[2] / "docs/relay.md"
TEXT = PAGE.read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """Return every command line on the page, in words, without redirections."""
    lines = re.findall(r"^ +(?:[AB]: )?cybex (.+)$", TEXT, re.MULTILINE) + re.findall(r"`cybex\s([^`]+)`", TEXT)
    return [shlex.split(line.split(" > ")[0].replace("\n", " ")) for line in lines]


def test_every_command_and_option_on_the_page_exists() -> None:
    found = commands()
    assert len(found) > 20
    for words in found:
        context = click.Context(cybex)
        command: click.Command = cybex
        rest = list(words)
        while isinstance(command, click.Group) and rest and (inner := command.get_command(context, rest[0])):
            command, rest = inner, rest[1:]
        assert command is not cybex, words
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= known, words


def test_the_reasons_it_names_are_those_that_are_given() -> None:
    source = "".join(
        (PAGE.parents[1] / path).read_text() for path in ("hub/services/crossing.py", "hub/domain/policy/relay.py")
    )
    for reason in re.findall(r"^\| `([^`]+)` \|", TEXT.partition("## When something")[2], re.MULTILINE):
        assert reason.removesuffix(" ...") in source, reason


def test_the_metrics_it_names_are_exported() -> None:
    source = Path(link_gauges.__file__).read_text()
    for name in re.findall(r"`cybex_link_(\w+)`", TEXT):
        assert f'"{name}"' in source
