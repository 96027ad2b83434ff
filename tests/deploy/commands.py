"""Finds `cybex` commands in documents and checks them against the real command line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from hub.cli import cybex

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"(?:^|[\s`;&|/(\"])cybex((?:[ \t]+[^\s`;&|)\"…]+)+)", re.MULTILINE)
_WORD = re.compile(r"[a-z][a-z-]*")


def find(text: str) -> list[list[str]]:
    """Return the words after each ``cybex`` that is followed by the name of a command, or something like one."""
    found = []
    for match in _LINE.finditer(text.replace("\\\n", " ")):
        line = match[1].split("#", 1)[0]
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split()
        if ">" in words:
            words = words[: words.index(">")]
        if words and (words[0].startswith("-") or _WORD.fullmatch(words[0])):
            found.append(words)
    return found


def problem(words: list[str]) -> str | None:
    """Return what the command line does not have, None when every command and option exists."""
    command: click.Command = cybex
    path = "cybex"
    with click.Context(cybex) as context:
        rest = list(words)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            name = rest.pop(0)
            found = command.get_command(context, name)
            if found is None:
                return f"{path} has no command {name}"
            command, path = found, f"{path} {name}"
        known = {"--help", "-h"}
        for parameter in command.params:
            known.update(parameter.opts, parameter.secondary_opts)
        for word in rest:
            option = word.split("=", 1)[0]
            if option.startswith("-") and option != "-" and option not in known:
                return f"{path} has no option {option}"
    return None
