"""Documentation that can be wrong is tested: every `cybex` command it names exists, with every option."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from hub.config import ENVIRONMENT, OTHER_NAMES
from tests.deploy.commands import ROOT, find, problem

CODE = re.compile(r"^(?: {4}|\t).*$|```.*?```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named(document: Path) -> list[list[str]]:
    """Return the commands in the code of a document; prose may say "the cybex command" as it likes."""
    return [words for code in CODE.findall(document.read_text()) for words in find(code)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documentation_exists(document: Path) -> None:
    assert [wrong for words in named(document) if (wrong := problem(words))] == []


def test_the_operating_manual_names_every_command_of_operation() -> None:
    said = {words[0] for words in named(ROOT / "docs" / "operating.md")}
    assert said >= {"init", "serve", "worker", "doctor", "backup", "restore", "migrate"}


def test_the_operating_manual_names_every_setting_of_the_environment() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    assert [name for name in [*ENVIRONMENT, *OTHER_NAMES] if name not in text] == []


def test_every_command_of_the_makefile_exists() -> None:
    commands = find((ROOT / "Makefile").read_text())
    assert [words[0] for words in commands] == ["demo"]
    assert [wrong for words in commands if (wrong := problem(words))] == []


def test_every_command_of_compose_and_dockerfile_exists() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    commands = [compose["services"][name]["command"] for name in ("hub", "worker")]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["cybex"]' in dockerfile
    commands += [json.loads(line.removeprefix("CMD ")) for line in dockerfile.splitlines() if line.startswith("CMD ")]
    assert len(commands) == 3
    assert [wrong for words in commands if (wrong := problem(words))] == []


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["serve", "--data", "x"], None),
        (["serve", "--nothing"], "cybex serve has no option --nothing"),
        (["nothing"], "cybex has no command nothing"),
        (["peer", "nothing"], "cybex peer has no command nothing"),
    ],
    ids=["right", "option", "command", "subcommand"],
)
def test_the_check_finds_what_does_not_exist(words: list[str], wrong: str | None) -> None:
    assert problem(words) == wrong
