"""What the READMEs of the feeds and alerts show can be run: every table is read as the runner reads it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from connectors.sdk import config

CONNECTORS = Path(__file__).parents[2] / "connectors"
NAMES = ("csv", "intelmq", "n6", "syslog", "webhook")


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_a_configuration(name: str) -> None:
    file = CONNECTORS / name / "example.toml"
    tables = config.load(file)
    assert tables
    for one, table in tables.items():
        assert config.read(one, table, file.parent).kind.name == name


@pytest.mark.parametrize("name", NAMES)
def test_every_table_of_the_readme_is_a_configuration(name: str) -> None:
    text = (CONNECTORS / name / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        for one, table in config.tables(tomllib.loads(block)["connector"]).items():
            assert config.read(one, table, CONNECTORS / name).kind.name == name


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_says_what_becomes_of_every_field(name: str) -> None:
    text = (CONNECTORS / name / "README.md").read_text(encoding="utf-8")
    assert text.count("\n| --- | --- | --- |") >= 1
    assert all(word in text for word in ("kept", "dropped", "guessed"))
