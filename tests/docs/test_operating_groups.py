"""Every command of docs/operating-groups.md runs, in the order in which an operator reads it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub.cli import cybex
from hub.client import keyfile

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating-groups.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line]
INLINE = re.findall(r"`(cybex [^`]+)`", PAGE)


def test_the_page_sets_up_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYBEX_DATA", str(tmp_path / "data"))
    key = keyfile.generate()
    keyfile.write_public(tmp_path / "aa.pem", key)
    assert CliRunner().invoke(cybex, ["init"]).exit_code == 0
    assert len(COMMANDS) > 15
    for line in COMMANDS:
        program, *arguments = shlex.split(line)
        assert program == "cybex"
        result = CliRunner().invoke(cybex, arguments)
        assert (result.exit_code, result.exception) == (0, None), (line, result.output)
    shown = CliRunner().invoke(cybex, ["member", "list", "north"]).stdout
    assert "read,write,moderate" in " ".join(shown.split()).replace("moderate,read,write", "read,write,moderate")


@pytest.mark.parametrize("line", INLINE)
def test_every_command_in_the_text_parses(line: str) -> None:
    command: click.Command = cybex
    name, arguments = "cybex", shlex.split(line)[1:]
    while isinstance(command, click.Group):
        found, sub, arguments = command.resolve_command(click.Context(command), arguments)
        assert sub is not None, line
        name, command = str(found), sub
    command.make_context(name, list(arguments))
