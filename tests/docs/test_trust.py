"""docs/trust.md lists the lies the simulator tells, with who finds out and the command, and every command exists."""

from __future__ import annotations

import re
from pathlib import Path

from hub.cli import COMMANDS
from tests import test_simulator
from tests.simulator import LIES

TEXT = (Path(__file__).parents[2] / "docs/trust.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", TEXT, re.MULTILINE))


def rows(section: str) -> list[list[str]]:
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_lies_are_those_of_the_simulator_with_party_and_command() -> None:
    told = {row[0].strip("`"): (row[2], row[3].strip("`")) for row in rows("Lies, and who finds them out")}
    assert told == {name: (lie.party, lie.command) for name, lie in LIES.items()}


def test_every_lie_is_shown_by_a_test_that_exists() -> None:
    assert [name for name, lie in LIES.items() if not callable(getattr(test_simulator, lie.test, None))] == []


def test_every_command_on_the_page_exists() -> None:
    named = set(re.findall(r"`cybex ([a-z-]+)", TEXT))
    assert named
    assert named <= set(COMMANDS)


def test_every_party_has_all_four_cells() -> None:
    parties = rows("Who can do what")
    assert len(parties) >= 12
    assert all(len(row) == 4 and all(row) for row in parties)
